import type { Value } from '../wasm/dataflow.ts'
import { exp } from './exponential.ts'
import type { Lanes } from './lanes.ts'

/** tanh(x) = x + x^3 P(x^2) for |x| < 0.625: Cephes tanhf (Moshier). */
const tanhNear = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]

/** 1 - 2 / (exp(2|x|) + 1) with the sign of x, and a polynomial for small x: 2 ULP. */
function tanhByExp(l: Lanes, x: Value): Value {
  const a = l.abs(x)
  const far = l.sub(l.c(1), l.div(l.c(2), l.add(exp(l, l.add(a, a)), l.c(1))))
  const z = l.mul(x, x)
  const near = l.madd(l.mul(l.polynomial(z, tanhNear), z), x, x)
  return l.select(l.lt(a, l.c(0.625)), near, l.copySign(far, x))
}

/**
 * Rational approximation x P(x^2) / Q(x^2) of degree 13/6 on |x| <= 7.9, as in Eigen's ptanh
 * (MathFunctionsImpl.h). At most 5 ULP with fused multiply-add, 6 without.
 */
const tanhNumerator = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
]
const tanhDenominator = [1.19825839466702e-6, 1.18534705686654e-4, 2.26843463243900e-3, 4.89352518554385e-3]

export function tanh(l: Lanes, x: Value): Value {
  if (!l.g.context.features.relaxed) return tanhByExp(l, x)
  const bound = 7.90531110763549805
  const c = l.clamp(x, -bound, bound)
  const z = l.mul(c, c)
  const y = l.div(l.mul(c, l.polynomial(z, tanhNumerator)), l.polynomial(z, tanhDenominator))
  return l.select(l.lt(l.abs(x), l.c(0.0004)), x, y)
}

/** erf by N. Juffa's minimax polynomials: x + x P(x^2) below 0.9277, 1 - exp(-t P(t)) above. */
const erfNear = [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]
const erfFar = [
  -1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1,
]

export function erf(l: Lanes, x: Value): Value {
  const near = l.madd(l.polynomial(l.mul(x, x), erfNear), x, x)
  const t = l.clamp(l.abs(x), 0, 10)
  const far = l.sub(l.c(1), exp(l, l.nmadd(l.polynomial(t, erfFar), l.neg(t), l.neg(t))))
  return l.select(l.gt(l.abs(x), l.c(0.927734375)), l.copySign(far, x), near)
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
