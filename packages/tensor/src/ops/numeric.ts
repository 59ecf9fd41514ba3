import { build, isFloat, type Node, OpError } from '@tessella/ir'
import { clip, floatUnary, safeSqrt } from './elementwise.ts'
import { arithDType, asFloat, floatDType, type NodeOperand, pair } from './promotion.ts'

export const log10 = (x: Node): Node => build.scale(floatUnary('log', x), Math.LOG10E)

/** What is behind the point, with the sign of x; nothing of integers. */
export const frac = (x: Node): Node =>
  isFloat(x.dtype) ? build.sub(asFloat(x), build.unary('trunc', asFloat(x))) : build.zerosLike(x)

/** log(x / (1 - x)), the inverse of sigmoid. */
export function logit(x: Node, eps: number | undefined): Node {
  if (eps !== undefined && !(eps >= 0 && eps < 0.5))
    throw new OpError('logit', `eps ${eps} leaves nothing between eps and 1 - eps`, { hint: 'Use a small number.' })
  const y = eps === undefined ? asFloat(x) : clip(asFloat(x), eps, 1 - eps)
  return build.sub(build.unary('log', y), build.unary('log1p', build.neg(y)))
}

/** sqrt(a^2 + b^2); the larger leg is taken out first, so that squares do not overflow. */
export function hypot(a: NodeOperand, b: NodeOperand): Node {
  const [x, y] = pair('hypot', a, b, floatDType)
  const larger = build.binary('max', build.unary('abs', x), build.unary('abs', y))
  const usable = build.binary(
    'and',
    build.unary('isFinite', larger),
    build.binary('ne', larger, build.zerosLike(larger)),
  )
  const unit = build.stopGradient(build.select(usable, larger, build.onesLike(larger)))
  const [p, q] = [build.div(x, unit), build.div(y, unit)]
  return build.mul(unit, safeSqrt(build.add(build.mul(p, p), build.mul(q, q))))
}

/** |a| with the sign of b, which zeros have too; that of NaN does not count. */
export function copysign(a: NodeOperand, b: NodeOperand): Node {
  const [x, y] = pair('copysign', a, b, floatDType)
  const zero = build.zerosLike(y)
  // The sign of a zero shows in its reciprocal only.
  const below = build.binary('lt', build.select(build.binary('eq', y, zero), build.unary('reciprocal', y), y), zero)
  const size = build.unary('abs', x)
  return build.select(below, build.neg(size), size)
}

/** 0 below zero, 1 above, `at` at zero. */
export function heaviside(x: NodeOperand, at: NodeOperand): Node {
  const [y, v] = pair('heaviside', x, at, arithDType)
  const zero = build.zerosLike(y)
  const known = build.select(build.binary('eq', y, zero), v, build.cast(build.binary('gt', y, zero), y.dtype))
  return isFloat(y.dtype) ? build.select(build.unary('isNan', y), y, known) : known
}
