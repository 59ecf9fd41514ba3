import { type Dims, isFloat, type Node, type NodeOf, sizeOf } from '@tessella/ir'
import { constantOf } from './constants.ts'
import { foldReduce } from './fold.ts'
import type { Rewriter } from './rewriter.ts'
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
  const folded =
    count === 0 ? foldReduce(fn, 0, 0, x.dtype) : c === undefined ? undefined : foldReduce(fn, c, count, x.dtype)
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
  return fn === 'sum'
    ? (oneHotSum(r, x, axes, shape) ?? productSum(r, x, axes) ?? factorOut(r, x, axes, shape))
    : undefined
}

const isSteady = (x: Node, axes: Dims): x is NodeOf<'expand'> =>
  x.op === 'expand' && axes.every((a) => x.src[0].shape[a] === 1)

interface Factored {
  readonly rest: Node
  readonly factor: NodeOf<'expand'>
  readonly fn: 'mul' | 'div'
}

/** x as rest * factor or rest / factor with a factor that does not change along the axes. */
function factorOf(r: Rewriter, x: Node, axes: Dims): Factored | undefined {
  if (x.op !== 'binary' || r.shared.has(x)) return undefined
  const { fn } = x.attrs
  const [a, b] = x.src
  if (fn !== 'mul' && fn !== 'div') return undefined
  if (isSteady(b, axes)) return { rest: a, factor: b, fn }
  if (fn === 'div') return undefined
  if (isSteady(a, axes)) return { rest: b, factor: a, fn }
  for (const [y, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const inner = y === other ? undefined : factorOf(r, y, axes)
    if (inner) return { ...inner, rest: r.node('binary', [other, inner.rest], { fn: 'mul' }) }
  }
  return undefined
}

/** sum(x * y) = y * sum(x) where y does not change along the axes; so for divisors and signs. */
function factorOut(r: Rewriter, x: Node, axes: Dims, shape: Dims): Node | undefined {
  const sum = (y: Node) => r.node('reduce', [y], { fn: 'sum', axes })
  if (x.op === 'unary' && x.attrs.fn === 'neg' && !r.shared.has(x))
    return r.node('unary', [sum(x.src[0])], { fn: 'neg' })
  if (!isFloat(x.dtype)) return undefined
  const found = factorOf(r, x, axes)
  if (found === undefined) return undefined
  const small = r.reshape(r.expand(found.factor.src[0], onesAt(x.shape, axes)), shape)
  return r.node('binary', [sum(found.rest), small], { fn: found.fn })
}

/** sum over j of (j == index ? v : 0) = v where index is inside the axis. */
function oneHotSum(r: Rewriter, x: Node, axes: Dims, shape: Dims): Node | undefined {
  const axis = axes[0]
  if (axes.length !== 1 || axis === undefined || x.op !== 'select' || constantOf(x.src[2]) !== 0) return undefined
  const [test, v] = x.src
  if (test.op !== 'binary' || test.attrs.fn !== 'eq' || !isSteady(v, axes)) return undefined
  const [place, index] = test.src
  if (place.op !== 'iota' || place.attrs.axis !== axis || !isSteady(index, axes)) return undefined
  const line = (y: NodeOf<'expand'>) => r.reshape(r.expand(y.src[0], onesAt(x.shape, axes)), shape)
  const at = line(index)
  const number = (value: number) => r.full(shape, value, at.dtype)
  const low = r.node('binary', [at, number(0)], { fn: 'ge' })
  const high = r.node('binary', [at, number(x.shape[axis] as number)], { fn: 'lt' })
  const inside = r.node('binary', [low, high], { fn: 'and' })
  return r.node('select', [inside, line(v), r.full(shape, 0, v.dtype)], {})
}

/** The sum of a batch of products is one product with a longer inner dimension. */
function productSum(r: Rewriter, x: Node, axes: Dims): Node | undefined {
  if (x.op !== 'matmul' || r.shared.has(x) || axes.length !== x.shape.length - 2) return undefined
  const batch = axes.length
  if (axes.some((a) => a >= batch)) return undefined
  const [a, b] = x.src
  const [m, k] = a.shape.slice(-2) as [number, number]
  const n = b.shape[batch + 1] as number
  const all = k * sizeOf(a.shape.slice(0, batch))
  const moved = r.node('permute', [a], { perm: [batch, ...axes, batch + 1] })
  return r.node('matmul', [r.reshape(moved, [m, all]), r.reshape(b, [all, n])], {})
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
