import { internalError } from './errors.ts'
import { make } from './make.ts'
import type { Attrs, Node, OpName, Sources } from './ops.ts'

/**
 * Nodes reachable from `roots`, sources before users, each once; iterative, so depth is no limit.
 * `stop` nodes are listed but not entered.
 */
export function topological(roots: readonly Node[], stop?: (node: Node) => boolean): Node[] {
  const order: Node[] = []
  const seen = new Set<Node>()
  const stack: { node: Node; next: number }[] = []
  for (const root of roots) {
    if (seen.has(root)) continue
    seen.add(root)
    stack.push({ node: root, next: 0 })
    while (stack.length > 0) {
      const frame = stack[stack.length - 1] as { node: Node; next: number }
      const src: readonly Node[] = stop?.(frame.node) ? [] : frame.node.src
      const child = src[frame.next++]
      if (child === undefined) {
        order.push(frame.node)
        stack.pop()
      } else if (!seen.has(child)) {
        seen.add(child)
        stack.push({ node: child, next: 0 })
      }
    }
  }
  return order
}

/** The same operation on other sources; the node itself when nothing changed. */
export function withSources(node: Node, src: readonly Node[]): Node {
  if (src.every((s, i) => s === node.src[i])) return node
  return make(node.op, src as Sources[OpName], node.attrs as Attrs[OpName])
}

/**
 * Rebuilds the graph bottom-up: `rule` gets each node with its new sources already in place and answers
 * the node to use instead.
 */
export function rewrite(
  roots: readonly Node[],
  rule: (node: Node, original: Node) => Node,
  stop?: (node: Node) => boolean,
): Node[] {
  const map = new Map<Node, Node>()
  const image = (node: Node): Node => {
    const out = map.get(node)
    if (out === undefined) throw internalError('rewrite met a node before its sources')
    return out
  }
  for (const node of topological(roots, stop)) {
    const rebuilt = stop?.(node) ? node : withSources(node, node.src.map(image))
    map.set(node, rule(rebuilt, node))
  }
  return roots.map(image)
}

/** The graph with some nodes replaced; users of a replaced node are rebuilt, the rest is shared. */
export function substitute(roots: readonly Node[], replacements: ReadonlyMap<Node, Node>): Node[] {
  return rewrite(
    roots,
    (node, original) => replacements.get(original) ?? node,
    (node) => replacements.has(node),
  )
}

/** How many nodes (and roots) use each node. */
export function countUses(order: readonly Node[], roots: readonly Node[]): Map<Node, number> {
  const uses = new Map<Node, number>()
  const add = (node: Node) => uses.set(node, (uses.get(node) ?? 0) + 1)
  for (const node of order) for (const s of node.src) add(s)
  for (const root of roots) add(root)
  return uses
}
