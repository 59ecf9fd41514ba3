import type { Value } from '../wasm/dataflow.ts'
import { exp2Normal } from './exponential.ts'
import type { Lanes } from './lanes.ts'

/**
 * x P(x^2) / Q(x^2) of degree 9/8 on |x| <= 8.02, beyond which tanh rounds to 1: the rational minimax approximation
 * of Eigen's ptanh_float (MathFunctionsImpl.h). At most 3 ULP.
 */
const tanhNumerator = [1.394553628e-8, 2.10273356e-5, 3.520756727e-3, 1.3402161e-1, 1]
const tanhDenominator = [8.015776984e-7, 3.326951409e-4, 2.597254514e-2, 4.67354834e-1, 1]
const tanhBound = 8.01773357391357422

export function tanh(l: Lanes, x: Value): Value {
  const c = l.clamp(x, -tanhBound, tanhBound)
  const z = l.mul(c, c)
  return l.div(l.mul(c, l.horner(z, tanhNumerator)), l.horner(z, tanhDenominator))
}

/**
 * erf: x + x P(x^2) up to 0.7, 1 - 2^(t P(t)) above; from 4 on that rounds to 1. Least maximum errors by weighted least
 * squares: 2^-24.7 of the result, and 2^-28 absolute. At most 2.5 ULP.
 */
const erfNear = [0.004281827188, -0.026474511034, 0.112770002152, -0.376122218126, 0.128379125672]
const erfFar = [0.00031179599696, -0.00466346870814, 0.0331037926398, -0.151985531975, -0.91705368972, -1.62812960254]

export function erf(l: Lanes, x: Value): Value {
  const t = l.atMost(l.abs(x), 4)
  const far = l.sub(l.c(1), exp2Normal(l, l.mul(t, l.polynomial(t, erfFar))))
  const near = l.madd(l.polynomial(l.mul(x, x), erfNear), x, x)
  return l.select(l.gt(t, l.c(0.7)), l.copySign(far, x), near)
}

/** atan(t) = t + t z P(z), z = t^2, on [0, 1]: least maximum relative error (2^-25.8) by weighted least squares. */
const atanTail = [
  0.00292064599, -0.0163677447, 0.0432115644, -0.0755218938, 0.106659934, -0.142110527, 0.199937731, -0.333331525,
]

/** atan of a value in [0, 1]. */
function atanUnit(l: Lanes, t: Value): Value {
  const z = l.mul(t, t)
  return l.madd(l.mul(l.polynomial(z, atanTail), z), t, t)
}

const halfPi = Math.PI / 2

export function atan(l: Lanes, x: Value): Value {
  const a = l.abs(x)
  const steep = l.gt(a, l.c(1))
  const y = atanUnit(l, l.select(steep, l.div(l.c(1), a), a))
  return l.copySign(l.select(steep, l.sub(l.c(halfPi), y), y), x)
}

/** The angle of (x, y) with IEEE signs and quadrants at zeros and infinities. */
export function atan2(l: Lanes, y: Value, x: Value): Value {
  const ay = l.abs(y)
  const ax = l.abs(x)
  const steep = l.gt(ay, ax)
  const low = l.select(steep, ax, ay)
  const high = l.select(steep, ay, ax)
  // Equal operands are 45 degrees even when infinite; both zero is 0.
  const ratio = l.select(l.eq(low, high), l.and(l.ne(high, l.c(0)), l.c(1)), l.div(low, high))
  const base = atanUnit(l, ratio)
  const first = l.select(steep, l.sub(l.c(halfPi), base), base)
  const negative = l.shr(x, 31)
  const angle = l.copySign(l.select(negative, l.sub(l.c(Math.PI), first), first), y)
  const nan = l.or(l.ne(x, x), l.ne(y, y))
  return l.select(nan, l.add(x, y), angle)
}
