import { floatBits } from '../wasm/constants.ts'
import type { Dataflow, Value } from '../wasm/dataflow.ts'

/** Arithmetic on four float32 (and int32) lanes: short names for the instructions that formulas use. */
export class Lanes {
  readonly g: Dataflow

  constructor(g: Dataflow) {
    this.g = g
  }

  /** A float32 constant in every lane. */
  c(value: number): Value {
    return this.g.splat(floatBits(value))
  }

  /** A 32-bit pattern in every lane. */
  bits(value: number): Value {
    return this.g.splat(value)
  }

  add(a: Value, b: Value): Value {
    return this.g.v('f32x4.add', a, b)
  }
  sub(a: Value, b: Value): Value {
    return this.g.v('f32x4.sub', a, b)
  }
  mul(a: Value, b: Value): Value {
    return this.g.v('f32x4.mul', a, b)
  }
  div(a: Value, b: Value): Value {
    return this.g.v('f32x4.div', a, b)
  }
  neg(a: Value): Value {
    return this.g.v('f32x4.neg', a)
  }
  abs(a: Value): Value {
    return this.g.v('f32x4.abs', a)
  }
  sqrt(a: Value): Value {
    return this.g.v('f32x4.sqrt', a)
  }
  /** NaN in either operand wins, as in Math.min. */
  min(a: Value, b: Value): Value {
    return this.g.v('f32x4.min', a, b)
  }
  max(a: Value, b: Value): Value {
    return this.g.v('f32x4.max', a, b)
  }

  /** Between two constants; NaN passes. One instruction per bound, unlike `min` and `max`. */
  clamp(x: Value, low: number, high: number): Value {
    return this.g.v('f32x4.pmax', this.atMost(x, high), this.c(low))
  }

  /** The same with one bound. */
  atMost(x: Value, high: number): Value {
    return this.g.v('f32x4.pmin', x, this.c(high))
  }

  /** a * b + c, fused where the engine can: formulas must be right either way. */
  madd(a: Value, b: Value, c: Value): Value {
    if (this.g.context.features.relaxed) return this.g.v('f32x4.relaxed_madd', a, b, c)
    return this.add(this.mul(a, b), c)
  }

  /** c - a * b. */
  nmadd(a: Value, b: Value, c: Value): Value {
    if (this.g.context.features.relaxed) return this.g.v('f32x4.relaxed_nmadd', a, b, c)
    return this.sub(c, this.mul(a, b))
  }

  /** Coefficients with the highest power first. Estrin's scheme: pairs side by side, because chains cost more than work. */
  polynomial(x: Value, coefficients: readonly number[]): Value {
    let terms = coefficients.map((k) => this.c(k)).reverse()
    for (let power = x; terms.length > 1; power = this.mul(power, power)) {
      const next: Value[] = []
      for (let i = 0; i < terms.length; i += 2) {
        const low = terms[i] as Value
        const high = terms[i + 1]
        next.push(high ? this.madd(high, power, low) : low)
      }
      terms = next
    }
    return terms[0] as Value
  }

  /** As `polynomial` by Horner's rule: slower, and rounds less. */
  horner(x: Value, coefficients: readonly number[]): Value {
    let sum = this.c(coefficients[0] as number)
    for (const k of coefficients.slice(1)) sum = this.madd(sum, x, this.c(k))
    return sum
  }

  lt(a: Value, b: Value): Value {
    return this.g.v('f32x4.lt', a, b)
  }
  gt(a: Value, b: Value): Value {
    return this.g.v('f32x4.gt', a, b)
  }
  eq(a: Value, b: Value): Value {
    return this.g.v('f32x4.eq', a, b)
  }
  ne(a: Value, b: Value): Value {
    return this.g.v('f32x4.ne', a, b)
  }

  and(a: Value, b: Value): Value {
    return this.g.v('v128.and', a, b)
  }
  or(a: Value, b: Value): Value {
    return this.g.v('v128.or', a, b)
  }
  xor(a: Value, b: Value): Value {
    return this.g.v('v128.xor', a, b)
  }
  /** a & ~b. */
  andNot(a: Value, b: Value): Value {
    return this.g.v('v128.andnot', a, b)
  }

  iadd(a: Value, b: Value): Value {
    return this.g.v('i32x4.add', a, b)
  }
  isub(a: Value, b: Value): Value {
    return this.g.v('i32x4.sub', a, b)
  }
  shl(a: Value, count: number): Value {
    return this.g.v('i32x4.shl', a, this.g.integer(count))
  }
  /** Shift right with the sign. */
  shr(a: Value, count: number): Value {
    return this.g.v('i32x4.shr_s', a, this.g.integer(count))
  }
  /** Shift right with zeros. */
  shrU(a: Value, count: number): Value {
    return this.g.v('i32x4.shr_u', a, this.g.integer(count))
  }

  /** mask ? a : b, lane by lane; the mask's lanes are all ones or all zeros. */
  select(mask: Value, a: Value, b: Value): Value {
    if (this.g.context.features.relaxed) return this.g.v('i32x4.relaxed_laneselect', a, b, mask)
    return this.g.v('v128.bitselect', a, b, mask)
  }

  /** The magnitude of a with the sign of b. */
  copySign(a: Value, b: Value): Value {
    const sign = this.bits(0x80000000)
    return this.or(this.andNot(a, sign), this.and(b, sign))
  }
}
