import { BackendError, countUses, type Graph, make, type Node, topological, withSources } from '@tessella/ir'
import { constantOf } from './constants.ts'
import type { Target } from './program.ts'
import { Rewriter } from './rewriter.ts'
import { rules } from './rules.ts'
import { baseOf } from './view.ts'

/**
 * Where relu's result r = max(x, 0) exists, the tests x <= 0 and x > 0 read r instead: then x need not be kept
 * for the backward pass. NaN fails both tests either way.
 */
function readMasksFromRelu(outputs: readonly Node[]): Node[] {
  const order = topological(outputs)
  const relus = new Map<Node, Node>()
  for (const node of order)
    if (node.op === 'binary' && node.attrs.fn === 'max' && constantOf(node.src[1]) === 0) relus.set(node.src[0], node)
  if (relus.size === 0) return [...outputs]
  const images = new Map<Node, Node>()
  // A relu may come after its test in the walk; its own sources are known by then.
  const imageOf = (relu: Node): Node | undefined => {
    const known = images.get(relu)
    const src = relu.src.map((s) => images.get(s))
    if (known || src.includes(undefined)) return known
    const image = withSources(relu, src as Node[])
    images.set(relu, image)
    return image
  }
  for (const node of order) {
    if (images.has(node)) continue
    const src = node.src.map((s) => images.get(s) as Node)
    const test =
      node.op === 'binary' && (node.attrs.fn === 'le' || node.attrs.fn === 'gt') && constantOf(node.src[1]) === 0
    const relu = test ? relus.get(node.src[0] as Node) : undefined
    const image = relu && imageOf(relu)
    images.set(node, withSources(node, image ? [image, src[1] as Node] : src))
  }
  return outputs.map((o) => images.get(o) as Node)
}

/** A dtype that the device does not have, named with the operation that needs it. */
function checkDtype(target: Target, node: Node): void {
  if (target.dtypes.has(node.dtype)) return
  const what = node.op === 'unary' || node.op === 'binary' ? node.attrs.fn : node.op
  const known = [...target.dtypes].join(', ')
  const text = `[${what}] ${node.dtype} does not exist on this device; it has ${known}. Cast first: x.cast('float32').`
  throw new BackendError(target.name, 'unsupported-dtype', text)
}

/**
 * The graph's outputs as an equal but smaller graph of core functions: one node per distinct value, no wrappers.
 * Each output is a value with memory of its own: parameters and repeated outputs come as explicit copies (`alias`).
 */
export function simplify(graph: Graph, target: Target): Node[] {
  const order = topological(graph.outputs)
  const uses = countUses(order, graph.outputs)
  const rewriter = new Rewriter(target, rules)
  // All at once in the order of ids, then each output is known.
  for (const node of order.sort((a, b) => a.id - b.id)) rewriter.image(node, uses)
  const simple = readMasksFromRelu(graph.outputs.map((o) => rewriter.image(o)))
  for (const node of topological([...graph.inputs, ...simple])) checkDtype(target, node)
  const taken = new Set<Node>()
  return simple.map((node) => {
    const base = baseOf(node)
    if (base.op === 'parameter' || taken.has(base)) return make('alias', [node], {})
    taken.add(base)
    return node
  })
}
