import type { DType } from '@tessella/ir'
import { floatToHalf, halfToFloat } from '../math/half.ts'
import type { Lanes } from '../math/lanes.ts'
import type { Value } from './dataflow.ts'

/** Converts lanes between dtypes (see lanesMemory.ts for their forms): floats saturate, integers keep their low bits. */
export function cast(l: Lanes, from: DType, to: DType, x: Value): Value {
  if (from === to) return x
  if (from === 'float16') return cast(l, 'float32', to, halfToFloat(l, x))
  if (to === 'float16') return floatToHalf(l, cast(l, from, 'float32', x))
  if (from === 'bool') return to === 'float32' ? l.and(x, l.c(1)) : l.and(x, l.bits(1))
  if (from === 'float32') return fromFloat(l, to, x)
  switch (to) {
    case 'float32':
      return l.g.v(from === 'uint32' ? 'f32x4.convert_i32x4_u' : 'f32x4.convert_i32x4_s', x)
    case 'bool':
      return l.g.v('i32x4.ne', x, l.bits(0))
    case 'uint8':
      return l.and(x, l.bits(255))
    default:
      return x
  }
}

function fromFloat(l: Lanes, to: DType, x: Value): Value {
  switch (to) {
    case 'bool':
      return l.ne(x, l.c(0))
    case 'uint32':
      return l.g.v('i32x4.trunc_sat_f32x4_u', x)
    case 'uint8': {
      const whole = l.g.v('i32x4.trunc_sat_f32x4_s', x)
      return l.g.v('i32x4.min_s', l.g.v('i32x4.max_s', whole, l.bits(0)), l.bits(255))
    }
    default:
      return l.g.v('i32x4.trunc_sat_f32x4_s', x)
  }
}
