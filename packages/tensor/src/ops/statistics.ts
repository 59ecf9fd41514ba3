import { build, isFloat, type Node, normalizeAxes, normalizeAxis, OpError, sizeOf } from '@tessella/ir'
import { argsort } from './indexing.ts'
import { asFloat } from './promotion.ts'
import { type AxisArgument, sum } from './reduce.ts'

const isNan = (x: Node): Node => build.unary('isNan', x)

/** The sum of what is a number. */
export function nansum(x: Node, axis: AxisArgument, keepdim: boolean): Node {
  if (!isFloat(x.dtype)) return sum(x, axis, keepdim)
  const y = asFloat(x)
  return sum(build.select(isNan(y), build.zerosLike(y), y), axis, keepdim)
}

/** The mean of what is a number; NaN where nothing is. */
export function nanmean(x: Node, axis: AxisArgument, keepdim: boolean): Node {
  const y = asFloat(x)
  const axes = normalizeAxes('nanmean', axis, y.shape.length)
  const numbers = build.cast(build.unary('not', isNan(y)), y.dtype)
  return build.div(nansum(y, axes, keepdim), sum(numbers, axes, keepdim))
}

/** The k-th smallest along an axis, k from 1, and where it came from; NaN counts as the largest. */
export function kthvalue(
  x: Node,
  k: number,
  axis: number,
  keepdim: boolean,
): { readonly values: Node; readonly indices: Node } {
  const at = normalizeAxis('kthvalue', axis, x.shape.length)
  const n = x.shape[at] as number
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new OpError('kthvalue', `k = ${k} is not within the size ${n} of axis ${at}`, {
      shapes: [x.shape],
      hint: `Use a whole number from 1 to ${n}.`,
    })
  const kept = build.narrow(argsort('kthvalue', x, at, false), at, k - 1, 1)
  const shape = keepdim ? kept.shape : x.shape.filter((_, i) => i !== at)
  return { values: build.reshape(build.gather(x, kept, at), shape), indices: build.reshape(kept, shape) }
}

/** The q-th quantile between the two elements around it; NaN where there is one. */
export function quantile(op: string, x: Node, q: number, axis: number | undefined, keepdim: boolean): Node {
  if (!(q >= 0 && q <= 1)) throw new OpError(op, `q ${q} is not within 0 and 1`, { hint: '0.5 is the median.' })
  return ofOrder(op, asFloat(x), axis, keepdim, (pick, n) => {
    const place = q * (n - 1)
    const low = Math.floor(place)
    const a = pick(low)
    // An element alone is itself: between two infinities there would be NaN.
    return place === low ? a : build.add(a, build.scale(build.sub(pick(low + 1), a), place - low))
  })
}

/** The lower of the two middle elements, as torch.median; NaN where there is one. */
export const median = (x: Node, axis: number | undefined, keepdim: boolean): Node =>
  ofOrder('median', x, axis, keepdim, (pick, n) => pick(Math.floor((n - 1) / 2)))

/** A value chosen from the elements in order along an axis, or of all; NaN, which sorts last, where there is one. */
function ofOrder(
  op: string,
  x: Node,
  axis: number | undefined,
  keepdim: boolean,
  choose: (pick: (place: number) => Node, n: number) => Node,
): Node {
  const flat = axis === undefined ? build.reshape(x, [sizeOf(x.shape)]) : x
  const at = axis === undefined ? 0 : normalizeAxis(op, axis, x.shape.length)
  const n = flat.shape[at] as number
  if (n === 0)
    throw new OpError(op, `an empty dimension has no ${op}`, { shapes: [x.shape], hint: 'Check the size first.' })
  const sorted = build.gather(flat, argsort(op, flat, at, false), at)
  const pick = (place: number): Node => build.narrow(sorted, at, place, 1)
  const chosen = choose(pick, n)
  const value = isFloat(x.dtype) ? build.select(isNan(pick(n - 1)), pick(n - 1), chosen) : chosen
  if (axis === undefined) return build.reshape(value, keepdim ? x.shape.map(() => 1) : [])
  return keepdim ? value : build.reshape(value, x.shape.toSpliced(at, 1))
}
