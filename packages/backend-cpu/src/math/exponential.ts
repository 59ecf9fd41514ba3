import type { Value } from '../wasm/dataflow.ts'
import type { Lanes } from './lanes.ts'

/**
 * Adding 1.5 * 2^23 rounds to an integer n (ties to even), which then is in the low bits. The 254 more makes them
 * n + 254: two exponents with their biases.
 */
const magic = 12582912 + 254

/** ln 2 in two parts (Cody and Waite); the first has zeros enough for an exact product with any exponent. */
const ln2High = 0.693359375
const ln2Low = -2.12194440054690583e-4

/** exp(r) = 1 + r + r^2 P(r) on |r| <= ln(2)/2, lowest power first: least maximum relative error, 2^-28. */
const expTail = [0.49999993444, 0.16666520573, 0.041668388735, 0.0083687239541, 0.0013814583762] as const

interface Reduced {
  /** n + magic as float bits. */
  readonly shifted: Value
  readonly r: Value
}

/** x = n ln 2 + r with n an integer, |r| <= ln(2)/2. */
function reduce(l: Lanes, x: Value): Reduced {
  const shifted = l.madd(x, l.c(Math.LOG2E), l.c(magic))
  const n = l.sub(shifted, l.c(magic))
  return { shifted, r: l.nmadd(n, l.c(ln2Low), l.nmadd(n, l.c(ln2High), x)) }
}

/** exp(r) - 1. */
function expm1OfRest(l: Lanes, r: Value): Value {
  const z = l.mul(r, r)
  const [a, b, c, d, e] = expTail
  const high = l.madd(l.c(e), z, l.madd(l.c(d), r, l.c(c)))
  return l.madd(z, l.madd(high, z, l.madd(l.c(b), r, l.c(a))), r)
}

/** (1 + q) 2^n in two steps, so that results may be denormal or overflow properly; n from -252 to 254. */
function scale(l: Lanes, q: Value, shifted: Value): Value {
  const both = l.shl(shifted, 23)
  const half = l.and(l.shrU(both, 1), l.bits(0xff800000))
  return l.mul(l.madd(q, half, half), l.isub(both, half))
}

/** At most 1 ULP; denormal results are right. */
export function exp(l: Lanes, x: Value): Value {
  // Past these bounds the result is 0 or infinity anyway; NaN passes.
  const clamped = l.clamp(x, -104.5, 89)
  const { shifted, r } = reduce(l, clamped)
  return scale(l, expm1OfRest(l, r), shifted)
}

/** 2^x: the fraction times ln 2 goes through the same polynomial. */
export function exp2(l: Lanes, x: Value): Value {
  const clamped = l.clamp(x, -151, 129)
  const shifted = l.add(clamped, l.c(magic))
  const f = l.sub(clamped, l.sub(shifted, l.c(magic)))
  const r = l.mul(f, l.c(Math.LN2))
  return scale(l, expm1OfRest(l, r), shifted)
}

/** 2^f on |f| <= 1/2: least maximum relative error (2^-23.7) by weighted least squares. */
const exp2Tail = [0.0013276471156, 0.0096755413278, 0.055507132761, 0.24022119724, 0.69314696706, 1.0000000716546]

/** 2^x where it is neither denormal nor infinite: x from -126 to 127. At most 2 ULP. */
export function exp2Normal(l: Lanes, x: Value): Value {
  const round = l.c(1.5 * 2 ** 23)
  const shifted = l.add(x, round)
  const f = l.sub(x, l.sub(shifted, round))
  return l.iadd(l.polynomial(f, exp2Tail), l.shl(shifted, 23))
}

/** exp(x) - 1 = 2^n expm1(r) + (2^n - 1), which keeps small results exact. */
export function expm1(l: Lanes, x: Value): Value {
  const clamped = l.clamp(x, -30, 89)
  const { shifted, r } = reduce(l, clamped)
  const q = expm1OfRest(l, r)
  // 2^(n-1), doubled at the end, so that n = 128 does not overflow early.
  const half = l.isub(l.shl(shifted, 23), l.bits(128 << 23))
  const y = l.madd(q, half, l.sub(half, l.c(0.5)))
  const result = l.add(y, y)
  // Keeps -0, and denormals where the halved sum would round.
  return l.select(l.lt(l.abs(x), l.c(1e-20)), x, result)
}

/** 1 / (1 + exp(-x)), from exp(-|x|) so that nothing overflows. */
export function sigmoid(l: Lanes, x: Value): Value {
  const e = exp(l, l.neg(l.abs(x)))
  const numerator = l.select(l.lt(x, l.c(0)), e, l.c(1))
  return l.div(numerator, l.add(l.c(1), e))
}

/** ln(1 + t) = t - t^2/2 + t^3 P(t) on [sqrt(1/2) - 1, sqrt(2) - 1]: Cephes logf (Moshier). */
const logTail = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]

interface Split {
  readonly exponent: Value
  readonly t: Value
}

/** x = 2^exponent * (1 + t), 1 + t in [sqrt(1/2), sqrt(2)), for positive x; denormals are scaled first. */
function split(l: Lanes, x: Value): Split {
  const tiny = l.lt(x, l.c(1.17549435e-38))
  const y = l.select(tiny, l.mul(x, l.c(8388608)), x)
  // Subtracting the bits of sqrt(1/2) makes the exponent field count from there.
  const offset = l.isub(y, l.bits(0x3f3504f3))
  const k = l.shr(offset, 23)
  const m = l.iadd(l.and(offset, l.bits(0x007fffff)), l.bits(0x3f3504f3))
  const unscaled = l.g.v('f32x4.convert_i32x4_s', k)
  const exponent = l.sub(unscaled, l.and(tiny, l.c(23)))
  return { exponent, t: l.sub(m, l.c(1)) }
}

/** x where log is not an ordinary number: log(0) = -inf, log(inf) = inf, NaN elsewhere. */
function special(l: Lanes, x: Value, result: Value): Value {
  const infinity = l.c(Number.POSITIVE_INFINITY)
  const zero = l.eq(x, l.c(0))
  const edge = l.select(zero, l.c(Number.NEGATIVE_INFINITY), l.select(l.eq(x, infinity), infinity, l.c(Number.NaN)))
  const ordinary = l.and(l.gt(x, l.c(0)), l.lt(x, infinity))
  return l.select(ordinary, result, edge)
}

/** At most 1 ULP. */
export function log(l: Lanes, x: Value): Value {
  const { exponent, t } = split(l, x)
  const z = l.mul(t, t)
  let y = l.mul(l.mul(z, t), l.horner(t, logTail))
  y = l.madd(exponent, l.c(ln2Low), y)
  y = l.nmadd(l.c(0.5), z, y)
  return special(l, x, l.madd(exponent, l.c(ln2High), l.add(t, y)))
}

/** log2(e) - 1, as in Cephes log2f. */
const log2eTail = 0.44269504088896340735992

export function log2(l: Lanes, x: Value): Value {
  const { exponent, t } = split(l, x)
  const z = l.mul(t, t)
  let y = l.mul(l.mul(z, t), l.horner(t, logTail))
  y = l.nmadd(l.c(0.5), z, y)
  // (t + y) log2(e), small terms first.
  let sum = l.mul(y, l.c(log2eTail))
  sum = l.madd(t, l.c(log2eTail), sum)
  sum = l.add(l.add(sum, y), t)
  return special(l, x, l.add(sum, exponent))
}

/** log(1 + x) by log(u) + (x - (u - 1)) / u with u = 1 + x rounded: the second term restores what rounding lost. */
export function log1p(l: Lanes, x: Value): Value {
  const one = l.c(1)
  const u = l.add(x, one)
  const lost = l.select(l.gt(x, one), l.sub(one, l.sub(u, x)), l.sub(x, l.sub(u, one)))
  const correction = l.div(lost, u)
  const y = log(l, u)
  // Where u is 0 or infinite the correction is NaN; tiny x (and -0) are their own logarithm.
  const usable = l.and(l.gt(u, l.c(0)), l.lt(u, l.c(Number.POSITIVE_INFINITY)))
  const result = l.select(usable, l.add(y, correction), y)
  return l.select(l.lt(l.abs(x), l.c(1e-8)), x, result)
}
