import type { Value } from '../wasm/dataflow.ts'
import { lanesOf } from '../wasm/shuffles.ts'
import { type Doubles, throughDoubles } from './double.ts'
import type { Lanes } from './lanes.ts'

/** ln(m) = 2 atanh(t), t = (m - 1) / (m + 1): the series of atanh(t) / t in t^2, |t| <= 0.172. */
const atanhSeries = [15, 13, 11, 9, 7, 5, 3, 1].map((k) => 1 / k)
/** exp(r) by its Taylor series, |r| <= ln(2)/2; the tenth term is below 2^-35. */
const expSeries = [362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1].map((k) => 1 / k)

const evenWords = lanesOf(0, 2, 0, 2)

/** log2 of positive float64 lanes (any positive float32); -inf at 0 and inf at infinity. */
function log2(d: Doubles, a: Value): Value {
  const g = d.g
  // The bits of sqrt(1/2): the exponent field counts from there.
  const root = d.bits(0x3fe6a09e, 0x667f3bcd)
  const offset = g.v('i64x2.sub', a, root)
  const k = g.v('i64x2.shr_s', offset, g.integer(52))
  const m = g.v('i64x2.add', g.v('v128.and', offset, d.bits(0x000fffff, 0xffffffff)), root)
  const exponent = g.v('f64x2.convert_low_i32x4_s', g.shuffle(evenWords, k, k))
  const t = d.div(d.sub(m, d.c(1)), d.add(m, d.c(1)))
  const y = d.mul(d.mul(t, d.c(2 / Math.LN2)), d.polynomial(d.mul(t, t), atanhSeries))
  const ordinary = d.add(exponent, y)
  const infinity = d.c(Number.POSITIVE_INFINITY)
  const some = d.select(g.v('f64x2.eq', a, infinity), infinity, ordinary)
  return d.select(g.v('f64x2.eq', a, d.c(0)), d.c(Number.NEGATIVE_INFINITY), some)
}

/** 2^w; NaN stays. */
function exp2(d: Doubles, w: Value): Value {
  const g = d.g
  const bounded = g.v('f64x2.max', g.v('f64x2.min', w, d.c(160)), d.c(-160))
  const n = g.v('f64x2.nearest', bounded)
  const p = d.polynomial(d.mul(d.sub(bounded, n), d.c(Math.LN2)), expSeries)
  const k = g.v('i64x2.extend_low_i32x4_s', g.v('i32x4.trunc_sat_f64x2_s_zero', n))
  const power = g.v('i64x2.shl', g.v('i64x2.add', k, d.bits(0, 1023)), g.integer(52))
  return d.mul(p, power)
}

/**
 * x^y = 2^(y log2 |x|) in float64 inside: at most 1 ULP. The special cases are those of Math.pow
 * (pow(1, NaN) and pow(1, infinity) are NaN).
 */
export function pow(l: Lanes, x: Value, y: Value): Value {
  const g = l.g
  const size = throughDoubles(g, [l.abs(x), y], (d, a, b) => exp2(d, d.mul(b as Value, log2(d, a as Value))))
  const isInteger = l.eq(g.v('f32x4.trunc', y), y)
  const half = l.mul(y, l.c(0.5))
  const odd = l.and(isInteger, l.ne(g.v('f32x4.trunc', half), half))
  const signed = l.xor(size, l.and(odd, l.and(x, l.bits(0x80000000))))
  const negative = l.and(l.lt(x, l.c(0)), l.gt(x, l.c(Number.NEGATIVE_INFINITY)))
  const nan = l.or(l.andNot(negative, isInteger), l.ne(x, x))
  return l.select(l.eq(y, l.c(0)), l.c(1), l.select(nan, l.c(Number.NaN), signed))
}

/** Constant exponents that are a few multiplications; undefined for the others. */
export function powConstant(l: Lanes, x: Value, y: number): Value | undefined {
  switch (y) {
    case 1:
      return x
    case 2:
      return l.mul(x, x)
    case 3:
      return l.mul(l.mul(x, x), x)
    case 4:
      return l.mul(l.mul(x, x), l.mul(x, x))
    case -1:
      return l.div(l.c(1), x)
    case -2:
      return l.div(l.c(1), l.mul(x, x))
    default:
      return undefined
  }
}
