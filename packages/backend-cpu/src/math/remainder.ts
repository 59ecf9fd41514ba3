import type { FunctionBuilder, FunctionRef, Local, ModuleBuilder } from '../wasm/assembler.ts'
import type { Value } from '../wasm/dataflow.ts'
import { throughDoubles } from './double.ts'
import type { Lanes } from './lanes.ts'

/** Quotients below this leave q * b and a - q * b exact in float64. */
const exactQuotient = 2 ** 28

/** The exact remainder of a / b with the sign of a, as JavaScript's %. */
export function remainder(l: Lanes, a: Value, b: Value): Value {
  const g = l.g
  const size = throughDoubles(g, [l.abs(a), l.abs(b)], (d, x, y) => {
    const u = x as Value
    const v = y as Value
    const r = d.sub(u, d.mul(g.v('f64x2.trunc', d.div(u, v)), v))
    // The rounded quotient may be one too large.
    return d.select(g.v('f64x2.lt', r, d.c(0)), d.add(r, v), r)
  })
  const infinity = l.c(Number.POSITIVE_INFINITY)
  const whole = l.and(l.eq(l.abs(b), infinity), l.lt(l.abs(a), infinity))
  const fast = l.select(whole, a, l.copySign(size, a))
  const large = l.and(
    l.and(l.gt(l.abs(a), l.mul(l.abs(b), l.c(exactQuotient))), l.lt(l.abs(a), infinity)),
    l.gt(l.abs(b), l.c(0)),
  )
  return g.patch(slow(g.context.module), large, fast, a, b)
}

/** (fast, a, b) -> the remainder by steps that are exact, for every lane. */
function slow(m: ModuleBuilder): FunctionRef {
  const scalar = m.helper('remainder', ['f64', 'f64'], ['f64'], (f, a, b) => emitScalar(f, a as Local, b as Local))
  return m.helper('remainders', ['v128', 'v128', 'v128'], ['v128'], (f, fast, a, b) => {
    for (let lane = 0; lane < 4; lane++) {
      f.get(fast as Local)
      for (const x of [a, b]) {
        f.get(x as Local)
        f.lane('f32x4.extract_lane', lane)
        f.op('f64.promote_f32')
      }
      f.call(scalar)
      f.op('f32.demote_f64')
      f.lane('f32x4.replace_lane', lane)
      f.set(fast as Local)
    }
    f.get(fast as Local)
  })
}

/** Subtracts multiples of b * 2^k, largest k first, each with a quotient of at most 29 bits. */
function emitScalar(f: FunctionBuilder, a: Local, b: Local): void {
  const r = f.local('f64')
  const size = f.local('f64')
  const step = f.local('f64')
  const small = f.local('f64')
  f.push(b, 'f64.abs')
  f.set(size)
  f.push(a, 'f64.abs')
  f.set(r)
  // Infinite or NaN operands and b = 0.
  f.get(r)
  f.f64(Number.POSITIVE_INFINITY)
  f.push('f64.lt', size)
  f.f64(0)
  f.push('f64.gt', 'i32.and', 'i32.eqz')
  f.if(() => {
    f.f64(Number.NaN)
    f.return()
  })
  f.get(size)
  f.f64(Number.POSITIVE_INFINITY)
  f.op('f64.eq')
  f.if(() => {
    f.get(a)
    f.return()
  })
  f.block((done) => {
    f.loop((again) => {
      f.push(r, size, 'f64.lt')
      f.brIf(done)
      f.get(size)
      f.set(step)
      f.get(r)
      f.f64(2 ** -28)
      f.op('f64.mul')
      f.tee(small)
      f.push(size, 'f64.gt')
      f.if(() => {
        // b's fraction with the exponent of r * 2^-28.
        f.push(size, 'i64.reinterpret_f64')
        f.i64(0x000fffffffffffffn)
        f.push('i64.and', small, 'i64.reinterpret_f64')
        f.i64(0x7ff0000000000000n)
        f.push('i64.and', 'i64.or', 'f64.reinterpret_i64')
        f.set(step)
      })
      f.push(r, r, step, 'f64.div', 'f64.trunc', step, 'f64.mul', 'f64.sub')
      f.tee(r)
      f.f64(0)
      f.op('f64.lt')
      f.if(() => {
        f.push(r, step, 'f64.add')
        f.set(r)
      })
      f.br(again)
    })
  })
  f.push(r, a, 'f64.copysign')
}
