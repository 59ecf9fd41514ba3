import type { Dataflow, Value } from '../wasm/dataflow.ts'
import { lowHalves, upperHalf } from '../wasm/shuffles.ts'

const double = new DataView(new ArrayBuffer(8))

/** Arithmetic on two float64 lanes, for functions whose float32 result needs more precision inside. */
export class Doubles {
  readonly g: Dataflow

  constructor(g: Dataflow) {
    this.g = g
  }

  /** Constants are kept as pairs of 32-bit words in the constant table. */
  c(value: number): Value {
    double.setFloat64(0, value)
    return this.bits(double.getUint32(0), double.getUint32(4))
  }

  /** A 64-bit pattern in both lanes. */
  bits(high: number, low: number): Value {
    return this.g.splat64(low, high)
  }

  add(a: Value, b: Value): Value {
    return this.g.v('f64x2.add', a, b)
  }
  sub(a: Value, b: Value): Value {
    return this.g.v('f64x2.sub', a, b)
  }
  mul(a: Value, b: Value): Value {
    return this.g.v('f64x2.mul', a, b)
  }
  div(a: Value, b: Value): Value {
    return this.g.v('f64x2.div', a, b)
  }

  polynomial(x: Value, coefficients: readonly number[]): Value {
    let sum = this.c(coefficients[0] as number)
    for (const k of coefficients.slice(1)) sum = this.add(this.mul(sum, x), this.c(k))
    return sum
  }

  select(mask: Value, a: Value, b: Value): Value {
    return this.g.v('v128.bitselect', a, b, mask)
  }
}

const upper = (g: Dataflow, x: Value): Value => g.shuffle(upperHalf, x, x)
const join = (g: Dataflow, low: Value, high: Value): Value => g.shuffle(lowHalves, low, high)

/** Applies a function of float64 pairs to float32 lanes. */
export function throughDoubles(
  g: Dataflow,
  args: readonly Value[],
  f: (d: Doubles, ...args: readonly Value[]) => Value,
): Value {
  const d = new Doubles(g)
  const low = f(d, ...args.map((a) => g.v('f64x2.promote_low_f32x4', a)))
  const high = f(d, ...args.map((a) => g.v('f64x2.promote_low_f32x4', upper(g, a))))
  return join(g, g.v('f32x4.demote_f64x2_zero', low), g.v('f32x4.demote_f64x2_zero', high))
}

/** a / b truncated, on int32 or uint32 lanes: the float64 quotient of 32-bit integers truncates right. 0 where b is 0. */
export function divideIntegers(g: Dataflow, a: Value, b: Value, signed: boolean): Value {
  const widen = signed ? 'f64x2.convert_low_i32x4_s' : 'f64x2.convert_low_i32x4_u'
  const narrow = signed ? 'i32x4.trunc_sat_f64x2_s_zero' : 'i32x4.trunc_sat_f64x2_u_zero'
  const part = (x: Value, y: Value): Value => g.v(narrow, g.v('f64x2.div', g.v(widen, x), g.v(widen, y)))
  const quotient = join(g, part(a, b), part(upper(g, a), upper(g, b)))
  const defined = g.v('v128.and', quotient, g.v('i32x4.ne', b, g.splat(0)))
  if (!signed) return defined
  // -2^31 / -1 must wrap, not saturate.
  return g.v('v128.bitselect', g.v('i32x4.neg', a), defined, g.v('i32x4.eq', b, g.splat(0xffffffff)))
}

export function remainderIntegers(g: Dataflow, a: Value, b: Value, signed: boolean): Value {
  const r = g.v('i32x4.sub', a, g.v('i32x4.mul', divideIntegers(g, a, b, signed), b))
  return g.v('v128.and', r, g.v('i32x4.ne', b, g.splat(0)))
}
