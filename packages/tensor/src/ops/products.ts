import {
  broadcastShapes,
  build,
  type Dims,
  type Node,
  normalizeAxes,
  normalizeAxis,
  OpError,
  sizeOf,
} from '@tessella/ir'
import { maximum, mul, sub } from './elementwise.ts'
import { matmul } from './matmul.ts'
import { diagonal, roll } from './movement.ts'
import { asFloat } from './promotion.ts'
import { norm, sum } from './reduce.ts'

/** The sum of the diagonal of a matrix. */
export function trace(x: Node): Node {
  if (x.shape.length !== 2)
    throw new OpError('trace', 'needs a matrix', { shapes: [x.shape], hint: 'Sum diagonal(x) for stacks of matrices.' })
  return sum(diagonal('trace', x, 0), undefined, false)
}

/** Matrix products of two stacks of equal length. */
export function bmm(a: Node, b: Node): Node {
  if (a.shape.length !== 3 || b.shape.length !== 3 || a.shape[0] !== b.shape[0])
    throw new OpError('bmm', 'needs two stacks of as many matrices', {
      shapes: [a.shape, b.shape],
      hint: 'Use matmul, whose leading dimensions broadcast.',
    })
  return matmul('bmm', a, b)
}

/** a1 b2 - a2 b1 and so on along an axis of size 3. */
export function cross(a: Node, b: Node, axis: number): Node {
  const shape = broadcastShapes('cross', a.shape, b.shape)
  const at = normalizeAxis('cross', axis, shape.length)
  if (shape[at] !== 3)
    throw new OpError('cross', `axis ${at} has size ${shape[at]}, not 3`, { shapes: [a.shape, b.shape] })
  const [x, y] = [build.broadcastTo(a, shape), build.broadcastTo(b, shape)]
  return sub(mul(roll(x, -1, at), roll(y, -2, at)), mul(roll(x, -2, at), roll(y, -1, at)))
}

/** Every element of `a` times the whole of `b`, in its place. */
export function kron(a: Node, b: Node): Node {
  const rank = Math.max(a.shape.length, b.shape.length)
  const padded = (x: Node): number[] => [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape]
  const [p, q] = [padded(a), padded(b)]
  const blocks = build.reshape(
    a,
    p.flatMap((n) => [n, 1]),
  )
  const inner = build.reshape(
    b,
    q.flatMap((n) => [1, n]),
  )
  return build.reshape(
    mul(blocks, inner),
    p.map((n, i) => n * (q[i] as number)),
  )
}

/** x over the larger of its norm and eps. */
export function normalize(x: Node, p: number, axis: number, eps: number): Node {
  const y = asFloat(x)
  const at = normalizeAxis('normalize', axis, y.shape.length)
  return build.div(y, build.broadcastTo(maximum(norm(y, p, at, true), eps), y.shape))
}

/** The cosine of the angle between vectors along an axis. */
export function cosineSimilarity(a: Node, b: Node, axis: number, eps: number): Node {
  const shape = broadcastShapes('cosineSimilarity', a.shape, b.shape)
  const at = normalizeAxis('cosineSimilarity', axis, shape.length)
  if (sizeOf(shape) === 0) return sum(asFloat(build.broadcastTo(a, shape)), at, false)
  const [x, y] = [a, b].map((n) => asFloat(build.broadcastTo(n, shape))) as [Node, Node]
  const lengths = mul(maximum(norm(x, 2, at, false), eps), maximum(norm(y, 2, at, false), eps))
  return build.div(sum(mul(x, y), at, false), lengths)
}

/** The sum of products over axes of both that belong together: the last of `a` and the first of `b` if given as a number. */
export function tensordot(a: Node, b: Node, axes: number | readonly [readonly number[], readonly number[]]): Node {
  const count = typeof axes === 'number' ? axes : axes[0].length
  if (!Number.isInteger(count) || count < 0 || count > Math.min(a.shape.length, b.shape.length))
    throw new OpError('tensordot', `${count} axes are more than both have`, { shapes: [a.shape, b.shape] })
  const counted = (start: number): number[] => Array.from({ length: count }, (_, i) => start + i)
  const [left, right] = typeof axes === 'number' ? [counted(a.shape.length - count), counted(0)] : axes
  // In the order given, which pairs them; normalizeAxes would sort.
  const distinct = (axes: readonly number[], rank: number): number[] => {
    normalizeAxes('tensordot', axes, rank)
    return axes.map((axis) => normalizeAxis('tensordot', axis, rank))
  }
  const [p, q] = [distinct(left, a.shape.length), distinct(right, b.shape.length)]
  if (p.length !== q.length || p.some((axis, i) => a.shape[axis] !== b.shape[q[i] as number]))
    throw new OpError('tensordot', `axes [${p.join(', ')}] and [${q.join(', ')}] differ in number or size`, {
      shapes: [a.shape, b.shape],
      hint: 'Name the axes of both in the same order.',
    })
  const rest = (shape: Dims, used: readonly number[]): number[] =>
    shape.map((_, i) => i).filter((i) => !used.includes(i))
  const [rows, columns] = [rest(a.shape, p), rest(b.shape, q)]
  const sizes = (shape: Dims, at: readonly number[]): number[] => at.map((i) => shape[i] as number)
  const inner = sizeOf(sizes(a.shape, p))
  const x = build.reshape(build.permute(a, [...rows, ...p]), [sizeOf(sizes(a.shape, rows)), inner])
  const y = build.reshape(build.permute(b, [...q, ...columns]), [inner, sizeOf(sizes(b.shape, columns))])
  return build.reshape(matmul('tensordot', x, y), [...sizes(a.shape, rows), ...sizes(b.shape, columns)])
}

/** The p-norms of the differences of all rows of `a` [..., n, d] and `b` [..., m, d]. */
export function cdist(a: Node, b: Node, p: number): Node {
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-1))
    throw new OpError('cdist', 'needs rows of equal length, [..., n, d] and [..., m, d]', {
      shapes: [a.shape, b.shape],
    })
  const column = build.reshape(a, a.shape.toSpliced(-1, 0, 1))
  const row = build.reshape(b, b.shape.toSpliced(-2, 0, 1))
  return norm(sub(column, row), p, -1, false)
}
