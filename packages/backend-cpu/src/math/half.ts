import type { Value } from '../wasm/dataflow.ts'
import type { Lanes } from './lanes.ts'

/** float16 bits (widened to 32) to float32; exact. After F. Giesen, "half_to_float". */
export function halfToFloat(l: Lanes, h: Value): Value {
  const body = l.shl(l.and(h, l.bits(0x7fff)), 13)
  const exponent = l.and(body, l.bits(0x0f800000))
  const rebased = l.iadd(body, l.bits(112 << 23))
  const special = l.iadd(rebased, l.bits(112 << 23))
  // Denormals: give them an implicit one, then subtract it.
  const denormal = l.sub(l.iadd(rebased, l.bits(1 << 23)), l.bits(113 << 23))
  const isSpecial = l.g.v('i32x4.eq', exponent, l.bits(0x0f800000))
  const isDenormal = l.g.v('i32x4.eq', exponent, l.bits(0))
  const sign = l.shl(l.and(h, l.bits(0x8000)), 16)
  return l.or(l.select(isSpecial, special, l.select(isDenormal, denormal, rebased)), sign)
}

/** float32 to float16 bits, to nearest even; overflow gives infinity, any NaN gives 0x7e00. After F. Giesen. */
export function floatToHalf(l: Lanes, x: Value): Value {
  const g = l.g
  const size = l.and(x, l.bits(0x7fffffff))
  const sign = l.shrU(l.and(x, l.bits(0x80000000)), 16)
  // Adding this power of two rounds denormal halves into the low bits.
  const denormalMagic = l.bits(126 << 23)
  const denormal = l.isub(l.add(size, denormalMagic), denormalMagic)
  const odd = l.and(l.shrU(size, 13), l.bits(1))
  const normal = l.shrU(l.iadd(l.iadd(size, l.bits(((15 - 127) << 23) + 0xfff)), odd), 13)
  const finite = l.select(g.v('i32x4.lt_s', size, l.bits(113 << 23)), denormal, normal)
  const bounded = l.select(g.v('i32x4.ge_s', size, l.bits(143 << 23)), l.bits(0x7c00), finite)
  return l.select(l.ne(x, x), l.bits(0x7e00), l.or(bounded, sign))
}
