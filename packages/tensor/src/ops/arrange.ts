import { broadcastShapes, build, type Dims, type Node, normalizeAxis, OpError } from '@tessella/ir'
import { sub } from './elementwise.ts'
import { gather } from './indexing.ts'

/** The n-th difference of neighbours along an axis. */
export function diff(x: Node, n: number, axis: number): Node {
  const at = normalizeAxis('diff', axis, x.shape.length)
  if (!Number.isInteger(n) || n < 0)
    throw new OpError('diff', `${n} is not a number of differences`, { hint: 'Use a whole number of at least 0.' })
  let y = x
  for (let i = 0; i < n && (y.shape[at] as number) > 0; i++) {
    const rest = (y.shape[at] as number) - 1
    y = sub(build.narrow(y, at, 1, rest), build.narrow(y, at, 0, rest))
  }
  return y
}

/** gather, with both grown to each other along every other axis. */
export function takeAlongDim(x: Node, index: Node, axis: number): Node {
  const at = normalizeAxis('takeAlongDim', axis, x.shape.length)
  if (index.shape.length !== x.shape.length)
    throw new OpError('takeAlongDim', `the index must have ${x.shape.length} dimensions`, {
      shapes: [x.shape, index.shape],
      hint: 'Unsqueeze it where a dimension is missing.',
    })
  const without = (shape: Dims): Dims => shape.map((n, i) => (i === at ? 1 : n))
  const common = broadcastShapes('takeAlongDim', without(x.shape), without(index.shape))
  const grown = (y: Node): Node => build.broadcastTo(y, common.toSpliced(at, 1, y.shape[at] as number))
  return gather(grown(x), at, grown(index))
}

/** Each vector along a dimension of its own, grown to the grid of all. */
export function meshgrid(vectors: readonly Node[], indexing: 'ij' | 'xy'): Node[] {
  for (const v of vectors)
    if (v.shape.length !== 1)
      throw new OpError('meshgrid', 'needs vectors', { shapes: [v.shape], hint: 'Flatten it first.' })
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new OpError('meshgrid', `'${String(indexing)}' is not an indexing`, { hint: "Use 'ij' or 'xy'." })
  const order = vectors.map((_, i) => (indexing === 'xy' && vectors.length > 1 && i < 2 ? 1 - i : i))
  const sizes = order.map((i) => (vectors[i] as Node).shape[0] as number)
  return vectors.map((v, i) => {
    const line = sizes.map((n, d) => (order[d] === i ? n : 1))
    return build.expand(build.reshape(v, line), sizes)
  })
}
