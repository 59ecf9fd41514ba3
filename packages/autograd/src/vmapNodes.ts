import { build, dispatch, type Node, OpError, sameShape, topological } from '@tessella/ir'
import type { Lanes, Vectorize } from './lanes.ts'
import { batchRules } from './vmapRules.ts'

/** The same value in every lane; a view, nothing is copied. */
const repeat = (x: Node, size: number): Node => build.expand(build.reshape(x, [1, ...x.shape]), [size, ...x.shape])

/**
 * The graph of `outputs` computed in `size` lanes at once: `inputs` are replaced by `batched`, which have one more,
 * leading axis. What does not depend on them is computed once and shared.
 *
 * @param inputs nodes of one lane's shape; cut points, so their history does not count
 * @param batched one per input: [size, ...input.shape], same dtype
 * @returns one node per output: [size, ...output.shape]
 * @throws OpError when a batched value does not fit its input
 */
export const vmapNodes: Vectorize = (outputs, inputs, batched, size) => {
  const lanesOf = new Map<Node, Node>()
  for (const [i, x] of inputs.entries()) {
    const b = batched[i]
    if (b === undefined || b.dtype !== x.dtype || !sameShape(b.shape, [size, ...x.shape]))
      throw new OpError('vmap', `input ${i} needs ${x.dtype} with ${size} lanes along a leading axis`, {
        shapes: b ? [b.shape, [size, ...x.shape]] : [[size, ...x.shape]],
      })
    lanesOf.set(x, b)
  }
  for (const node of topological(outputs, (n) => lanesOf.has(n))) {
    if (lanesOf.has(node)) continue
    // An event only orders work: it does not make a value differ between lanes.
    const values = node.op === 'after' ? node.src.slice(0, 1) : node.src
    if (!values.some((s) => lanesOf.has(s))) continue
    const src = node.src.map((s) => lanesOf.get(s) ?? s)
    const isBatched = (i: number) => lanesOf.has(node.src[i] as Node)
    const all = (i: number) => (isBatched(i) ? (src[i] as Node) : repeat(src[i] as Node, size))
    const lanes: Lanes = { size, src, isBatched, all, vectorize: vmapNodes }
    lanesOf.set(node, dispatch(batchRules, node, lanes))
  }
  return outputs.map((y) => lanesOf.get(y) ?? repeat(y, size))
}
