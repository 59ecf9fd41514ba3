import { type Dims, type Node, sizeOf } from '@tessella/ir'
import { foldReduce } from './fold.ts'
import { constantOf, type Rewriter } from './rewriter.ts'
import type { Rule } from './rules.ts'

const without = (shape: Dims, axes: Dims): number[] => shape.filter((_, i) => !axes.includes(i))
const onesAt = (shape: Dims, axes: Dims): number[] => shape.map((n, i) => (axes.includes(i) ? 1 : n))

/** Two reductions in a row become one while the whole is this small; above, the first one is the parallel one. */
const mergeBelow = 1 << 16

export const reduceRule: Rule<'reduce'> = (r, [x], { fn, axes }) => {
  if (axes.length === 0) return x
  const shape = without(x.shape, axes)
  const count = sizeOf(axes.map((a) => x.shape[a] as number))
  const c = constantOf(x)
  const folded = count === 0 ? foldReduce(fn, 0, 0, x.dtype) : c === undefined ? undefined : foldReduce(fn, c, count, x.dtype)
  if (folded !== undefined) return r.full(shape, folded, x.dtype)
  if (sizeOf(shape) === 0) return undefined

  const single = axes.filter((a) => x.shape[a] === 1)
  if (single.length > 0) {
    const rest = axes.filter((a) => x.shape[a] !== 1)
    const renumbered = rest.map((a) => a - single.filter((s) => s < a).length)
    return r.node('reduce', [r.reshape(x, without(x.shape, single))], { fn, axes: renumbered })
  }
  if (x.op === 'expand') {
    const grown = axes.filter((a) => x.src[0].shape[a] === 1)
    if (grown.length > 0 && fn !== 'prod') {
      const small = r.node('reduce', [r.expand(x.src[0], onesAt(x.shape, grown))], { fn, axes })
      return fn === 'sum' ? r.scale(small, sizeOf(grown.map((a) => x.shape[a] as number))) : small
    }
  }
  if (x.op === 'reduce' && x.attrs.fn === fn && !r.shared.has(x) && sizeOf(x.src[0].shape) <= mergeBelow) {
    const kept = x.src[0].shape.map((_, i) => i).filter((i) => !x.attrs.axes.includes(i))
    const all = [...x.attrs.axes, ...axes.map((a) => kept[a] as number)].sort((p, q) => p - q)
    return r.node('reduce', [x.src[0]], { fn, axes: all })
  }
  return fn === 'sum' ? factorOut(r, x, axes, shape) : undefined
}

/** sum(x * y) = y * sum(x) where y does not change along the axes. */
function factorOut(r: Rewriter, x: Node, axes: Dims, shape: Dims): Node | undefined {
  if (x.op === 'unary' && x.attrs.fn === 'neg' && !r.shared.has(x))
    return r.node('unary', [r.node('reduce', [x.src[0]], { fn: 'sum', axes })], { fn: 'neg' })
  if (x.op !== 'binary' || x.attrs.fn !== 'mul' || r.shared.has(x)) return undefined
  const steady = (y: Node) => y.op === 'expand' && axes.every((a) => y.src[0].shape[a] === 1)
  const [a, b] = x.src
  const [factor, other] = steady(b) ? [b, a] : steady(a) ? [a, b] : []
  if (factor?.op !== 'expand' || other === undefined) return undefined
  const small = r.reshape(r.expand(factor.src[0], onesAt(x.shape, axes)), shape)
  return r.node('binary', [r.node('reduce', [other], { fn: 'sum', axes }), small], { fn: 'mul' })
}

/** The position in an axis of one element. */
export const argReduceRule: Rule<'argReduce'> = (r, [x], { axis }) =>
  x.shape[axis] === 1 || constantOf(x) !== undefined ? r.full(without(x.shape, [axis]), 0, 'int32') : undefined

/** A batch over which `b` does not change is more rows of `a`: one large product instead of many. */
export const matmulRule: Rule<'matmul'> = (r, [a, b]) => {
  const rank = a.shape.length
  const batch = a.shape.slice(0, -2)
  const [m, k] = a.shape.slice(-2) as [number, number]
  const n = b.shape[rank - 1] as number
  if (k === 0) return r.full([...batch, m, n], 0, a.dtype)
  if (sizeOf(batch) === 1) {
    if (rank === 2) return undefined
    return r.reshape(r.node('matmul', [r.reshape(a, [m, k]), r.reshape(b, [k, n])], {}), [...batch, m, n])
  }
  if (sizeOf(batch) === 0 || b.op !== 'expand' || b.src[0].shape.slice(0, -2).some((s) => s !== 1)) return undefined
  const matrix = r.reshape(r.expand(b.src[0], [...batch.map(() => 1), k, n]), [k, n])
  const rows = r.reshape(a, [sizeOf(batch) * m, k])
  return r.reshape(r.node('matmul', [rows, matrix], {}), [...batch, m, n])
}
