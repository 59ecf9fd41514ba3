import {
  build,
  checkOptions,
  type Dims,
  isFloat,
  type Node,
  normalizeAxes,
  normalizeAxis,
  OpError,
  sizeOf,
} from '@tessella/ir'
import { safeSqrt } from './elementwise.ts'
import { asArith, asBool, asCompute, asFloat } from './promotion.ts'

export type AxisArgument = number | readonly number[] | undefined

/** Axes as a typed signature hands them over: where they do not fit the shape, their type is a message. */
export const axesOf = (axis: AxisArgument | string): AxisArgument => axis as AxisArgument
/** Whether reduced dimensions stay, once no other option is meant. */
export function keepdimOf(
  op: string,
  options: { readonly keepdim?: boolean | undefined },
  ...others: string[]
): boolean {
  checkOptions(op, options, ['keepdim', ...others])
  return options.keepdim ?? false
}

export const axisOf = (axis: number | string | undefined): number | undefined => axis as number | undefined

const finish = (x: Node, from: Dims, axes: Dims, keepdim: boolean): Node =>
  keepdim
    ? build.reshape(
        x,
        from.map((n, i) => (axes.includes(i) ? 1 : n)),
      )
    : x

const count = (x: Node, axes: Dims): number => sizeOf(axes.map((a) => x.shape[a] as number))

function reduce(op: string, fn: 'sum' | 'prod' | 'max' | 'min', x: Node, axis: AxisArgument, keepdim: boolean): Node {
  const axes = normalizeAxes(op, axis, x.shape.length)
  if ((fn === 'max' || fn === 'min') && count(x, axes) === 0)
    throw new OpError(op, 'an empty dimension has no extreme', {
      shapes: [x.shape],
      hint: 'Reduce another axis or check the size first.',
    })
  return finish(build.reduce(fn, x, axes), x.shape, axes, keepdim)
}

export const sum = (x: Node, axis: AxisArgument, keepdim: boolean): Node =>
  reduce('sum', 'sum', asArith(x), axis, keepdim)
export const prod = (x: Node, axis: AxisArgument, keepdim: boolean): Node =>
  reduce('prod', 'prod', asArith(x), axis, keepdim)
export const amax = (x: Node, axis: AxisArgument, keepdim: boolean): Node =>
  reduce('max', 'max', asCompute(x), axis, keepdim)
export const amin = (x: Node, axis: AxisArgument, keepdim: boolean): Node =>
  reduce('min', 'min', asCompute(x), axis, keepdim)

export function mean(x: Node, axis: AxisArgument, keepdim: boolean): Node {
  const y = asFloat(x)
  const axes = normalizeAxes('mean', axis, y.shape.length)
  const total = reduce('mean', 'sum', y, axes, keepdim)
  return build.div(total, build.constant(count(y, axes), y.dtype))
}

/** sum((x - mean)^2) / (n - correction). */
export function variance(op: string, x: Node, axis: AxisArgument, correction: number, keepdim: boolean): Node {
  const y = asFloat(x)
  const axes = normalizeAxes(op, axis, y.shape.length)
  const centred = build.sub(y, mean(y, axes, true))
  const total = reduce(op, 'sum', build.mul(centred, centred), axes, keepdim)
  return build.div(total, build.constant(Math.max(0, count(y, axes) - correction), y.dtype))
}
export const std = (x: Node, axis: AxisArgument, correction: number, keepdim: boolean): Node =>
  safeSqrt(variance('std', x, axis, correction, keepdim))

/** Truth of any or all elements; nothing has no true and no false element. */
export function anyAll(op: 'any' | 'all', x: Node, axis: AxisArgument, keepdim: boolean): Node {
  const y = asBool(x)
  const axes = normalizeAxes(op, axis, y.shape.length)
  if (count(y, axes) > 0) return reduce(op, op === 'any' ? 'max' : 'min', y, axes, keepdim)
  const shape = y.shape.flatMap((n, i) => (axes.includes(i) ? (keepdim ? [1] : []) : [n]))
  return build.full(shape, op === 'any' ? 0 : 1, 'bool')
}

/** The index of the first extreme along an axis, or in the flattened tensor when there is none. */
export function argExtreme(fn: 'max' | 'min', x: Node, axis: number | undefined, keepdim: boolean): Node {
  const op = `arg${fn}`
  const y = asCompute(x)
  if (axis === undefined) {
    const flat = build.argReduce(fn, build.reshape(y, [sizeOf(y.shape)]), 0)
    return keepdim
      ? build.reshape(
          flat,
          y.shape.map(() => 1),
        )
      : flat
  }
  const at = normalizeAxis(op, axis, y.shape.length)
  return finish(build.argReduce(fn, y, at), y.shape, [at], keepdim)
}

export function cumulative(op: string, fn: 'sum' | 'prod' | 'max' | 'min', x: Node, axis: number): Node {
  const y = fn === 'sum' || fn === 'prod' ? asArith(x) : asCompute(x)
  return build.cumulative(fn, y, normalizeAxis(op, axis, y.shape.length))
}

/** log(sum(exp(x))) around the largest element, whose gradient cancels. */
export function logsumexp(x: Node, axis: AxisArgument, keepdim: boolean): Node {
  const y = asFloat(x)
  const axes = normalizeAxes('logsumexp', axis, y.shape.length)
  const top = build.stopGradient(reduce('logsumexp', 'max', y, axes, true))
  // An infinite maximum would make inf - inf.
  const base = build.select(build.unary('isFinite', top), top, build.zerosLike(top))
  const total = build.reduceKeep('sum', build.unary('exp', build.sub(y, base)), axes)
  const kept = build.add(build.unary('log', total), base)
  return keepdim
    ? kept
    : build.reshape(
        kept,
        y.shape.filter((_, i) => !axes.includes(i)),
      )
}

export function norm(x: Node, p: number, axis: AxisArgument, keepdim: boolean): Node {
  if (Number.isNaN(p))
    throw new OpError('norm', 'the order p is NaN', { hint: 'Use a number, 2 for the usual length.' })
  const y = asFloat(x)
  const size = build.unary('abs', y)
  if (p === Number.POSITIVE_INFINITY) return reduce('norm', 'max', size, axis, keepdim)
  if (p === Number.NEGATIVE_INFINITY) return reduce('norm', 'min', size, axis, keepdim)
  if (p === 0) {
    const filled = build.cast(build.binary('ne', y, build.zerosLike(y)), y.dtype)
    return reduce('norm', 'sum', filled, axis, keepdim)
  }
  if (p === 1) return reduce('norm', 'sum', size, axis, keepdim)
  if (p === 2) return safeSqrt(reduce('norm', 'sum', build.mul(y, y), axis, keepdim))
  const total = reduce('norm', 'sum', build.binary('pow', size, build.constant(p, y.dtype)), axis, keepdim)
  return build.binary('pow', total, build.constant(1 / p, y.dtype))
}

/** The number of elements that are not zero. */
export const countNonzero = (x: Node, axis: AxisArgument, keepdim: boolean): Node =>
  sum(isFloat(x.dtype) ? asBool(asFloat(x)) : asBool(x), axis, keepdim)
