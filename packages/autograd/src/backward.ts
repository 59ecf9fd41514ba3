import { build, internalError, isFloat, type Node, OpError, sameShape, topological } from '@tessella/ir'
import { sumOf } from './accumulate.ts'
import { cotangentDtype, pullsOf } from './vjp.ts'

function checkFloat(what: string, node: Node): void {
  if (!isFloat(node.dtype))
    throw new OpError('grad', `${what} must be floating, got ${node.dtype}`, {
      shapes: [node.shape],
      dtypes: [node.dtype],
      hint: "Integers and booleans have no gradient: cast first, x.cast('float32'), or leave this tensor out.",
    })
}

function checkCotangent(output: Node, cotangent: Node): void {
  if (!sameShape(output.shape, cotangent.shape))
    throw new OpError('vjp', 'a cotangent must have the shape of its output', {
      shapes: [cotangent.shape, output.shape],
      hint: 'The first shape is the cotangent.',
    })
  checkFloat('a cotangent', cotangent)
}

/** Sources whose change cannot move the value as autograd sees it. */
function carries(node: Node, source: number): boolean {
  if (node.op === 'stopGradient') return false
  if (node.op === 'after') return source === 0
  if (node.op === 'custom') return source > 0
  return true
}

/** The nodes between `inputs` and the end of `order` through which a gradient can pass. */
function dependents(order: readonly Node[], inputs: ReadonlySet<Node>): Set<Node> {
  const depends = new Set<Node>()
  for (const node of order) {
    const moved = inputs.has(node) || node.src.some((s, i) => depends.has(s) && carries(node, i))
    if (moved && isFloat(node.dtype)) depends.add(node)
  }
  return depends
}

/**
 * Vector-Jacobian product: the gradients of sum(cotangent * output) over all outputs, one per input, as a graph.
 * Inputs are cut points: their own history does not count. An input that no output reaches gets zeros.
 *
 * @param cotangents one per output, of its shape; floating
 * @returns one node per input, of its shape and dtype
 * @throws OpError when an output or input is not floating, or a cotangent does not fit
 *
 * @example
 * const x = parameter([3], 'float32')
 * const [dx] = vjpNodes([build.mul(x, x)], [build.onesLike(x)], [x]) // 2x
 */
export function vjpNodes(
  outputs: readonly Node[],
  cotangents: readonly Node[],
  inputs: readonly Node[],
): readonly Node[] {
  if (outputs.length !== cotangents.length)
    throw new OpError('vjp', `${outputs.length} outputs need as many cotangents, got ${cotangents.length}`)
  for (const x of inputs) checkFloat('an input', x)
  for (const [i, y] of outputs.entries()) {
    checkFloat('an output', y)
    checkCotangent(y, cotangents[i] as Node)
  }
  const cut = new Set(inputs)
  const order = topological(outputs, (node) => cut.has(node))
  const depends = dependents(order, cut)
  const arrived = new Map<Node, Node[]>()
  const accumulate = (node: Node, g: Node): void => {
    const list = arrived.get(node)
    if (list === undefined) arrived.set(node, [g])
    else list.push(g)
  }
  for (const [i, y] of outputs.entries())
    if (depends.has(y)) accumulate(y, build.cast(cotangents[i] as Node, cotangentDtype(y)))

  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node
    const list = arrived.get(node)
    if (list === undefined || cut.has(node)) continue
    arrived.delete(node)
    const g = sumOf(list)
    for (const [s, pull] of pullsOf(node, g).entries()) {
      const source = node.src[s]
      if (pull === undefined || source === undefined || !depends.has(source)) continue
      const d = pull()
      if (d !== undefined) accumulate(source, checkPulled(node, source, d))
    }
  }
  return inputs.map((x) => {
    const list = arrived.get(x)
    return list === undefined ? build.full(x.shape, 0, x.dtype) : build.cast(sumOf(list), x.dtype)
  })
}

/** A rule of the language that answers a wrong shape is our bug; a user's custom rule is theirs. */
function checkPulled(node: Node, source: Node, g: Node): Node {
  const dtype = cotangentDtype(source)
  if (sameShape(g.shape, source.shape) && isFloat(g.dtype)) return build.cast(g, dtype)
  if (node.op !== 'custom')
    throw internalError(`the gradient of ${node.op} has the shape [${g.shape}], not [${source.shape}]`)
  throw new OpError('customVjp', `the rule answered ${g.dtype} for an input of ${source.dtype}`, {
    shapes: [g.shape, source.shape],
    dtypes: [g.dtype, source.dtype],
    hint: 'Answer one gradient per input, of its shape and dtype, or undefined for none.',
  })
}

/**
 * Jacobian-vector product: how the outputs move when the inputs move along `tangents`.
 * The reverse sweep is linear in its cotangent; its transpose, taken by a second sweep, is the forward mode, exactly.
 * Only the transpose remains in the graph.
 *
 * @param tangents one per input, of its shape; floating
 * @returns one node per output, of its shape and dtype
 */
export function jvpNodes(
  outputs: readonly Node[],
  inputs: readonly Node[],
  tangents: readonly Node[],
): readonly Node[] {
  if (inputs.length !== tangents.length)
    throw new OpError('jvp', `${inputs.length} inputs need as many tangents, got ${tangents.length}`)
  const probes = outputs.map((y) => {
    checkFloat('an output', y)
    return build.alias(build.full(y.shape, 0, cotangentDtype(y)))
  })
  const pulled = vjpNodes(outputs, probes, inputs)
  const pushed = vjpNodes(pulled, tangents, probes)
  return pushed.map((t, i) => build.cast(build.reshape(t, (outputs[i] as Node).shape), (outputs[i] as Node).dtype))
}
