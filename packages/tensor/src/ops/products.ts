import { broadcastShapes, build, type Node, normalizeAxis, OpError, sizeOf } from '@tessella/ir'
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
