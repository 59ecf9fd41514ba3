import type { FunctionBuilder, FunctionRef, Local, ModuleBuilder } from '../wasm/assembler.ts'
import type { Value } from '../wasm/dataflow.ts'
import type { Lanes } from './lanes.ts'

const magic = 12582912

/** pi/2 in four parts (Cody and Waite); products of the first three with any quadrant number are exact. */
const piHalves = [1.5703125, 4.837512969970703125e-4, 7.549533620476723e-8, 2.5633441515e-12] as const

/** Larger arguments go to the scalar slow path. */
const fastLimit = 8192

/** sin(r) = r + r^3 P(r^2), cos(r) = 1 - r^2/2 + r^4 Q(r^2) on |r| <= pi/4: Cephes sinf and cosf (Moshier). */
const sinTail = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
const cosTail = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]

interface Reduced {
  /** Quadrant in the low two bits. */
  readonly quadrant: Value
  readonly sine: Value
  readonly cosine: Value
}

function reduce(l: Lanes, x: Value): Reduced {
  const shifted = l.madd(x, l.c(2 / Math.PI), l.c(magic))
  const n = l.sub(shifted, l.c(magic))
  let r = x
  for (const part of piHalves) r = l.nmadd(n, l.c(part), r)
  const z = l.mul(r, r)
  const sine = l.madd(l.mul(l.polynomial(z, sinTail), z), r, r)
  const cosine = l.madd(l.mul(z, z), l.polynomial(z, cosTail), l.nmadd(l.c(0.5), z, l.c(1)))
  return { quadrant: shifted, sine, cosine }
}

/** Both quadrant parities by selection; bit 1 of the quadrant flips the sign. */
function compose(l: Lanes, reduced: Reduced, quadrant: Value): Value {
  const odd = l.shr(l.shl(quadrant, 31), 31)
  const sign = l.shl(l.shrU(quadrant, 1), 31)
  return l.xor(l.select(odd, reduced.cosine, reduced.sine), sign)
}

const isLarge = (l: Lanes, x: Value): Value => l.g.v('f32x4.ge', l.abs(x), l.c(fastLimit))

export function sin(l: Lanes, x: Value): Value {
  const reduced = reduce(l, x)
  const fast = compose(l, reduced, reduced.quadrant)
  // Keeps -0 and denormals.
  const result = l.select(l.lt(l.abs(x), l.c(1e-4)), x, fast)
  return l.g.patch(slow(l.g.context.module, 0), isLarge(l, x), result, x)
}

export function cos(l: Lanes, x: Value): Value {
  const reduced = reduce(l, x)
  const fast = compose(l, reduced, l.iadd(reduced.quadrant, l.bits(1)))
  return l.g.patch(slow(l.g.context.module, 1), isLarge(l, x), fast, x)
}

export function tan(l: Lanes, x: Value): Value {
  return l.div(sin(l, x), cos(l, x))
}

/** (fast, x) -> fast, but in lanes with |x| >= fastLimit the exact scalar function. */
function slow(m: ModuleBuilder, shift: 0 | 1): FunctionRef {
  const scalar = slowScalar(m)
  return m.helper(`trigonometric ${shift}`, ['v128', 'v128'], ['v128'], (f, fast, x) => {
    for (let lane = 0; lane < 4; lane++) {
      f.get(x as Local)
      f.lane('f32x4.extract_lane', lane)
      f.op('f32.abs')
      f.f32(fastLimit)
      f.op('f32.ge')
      f.if(() => {
        f.push(fast as Local, x as Local)
        f.lane('f32x4.extract_lane', lane)
        f.i32(shift)
        f.call(scalar)
        f.lane('f32x4.replace_lane', lane)
        f.set(fast as Local)
      })
    }
    f.get(fast as Local)
  })
}

/** 4/pi in windows of 32 bits, 8 bits apart, for the reduction of any float32 (as in glibc's and ARM's sinf). */
const inversePi: readonly number[] = [
  0xa2, 0xa2f9, 0xa2f983, 0xa2f9836e, 0xf9836e4e, 0x836e4e44, 0x6e4e4415, 0x4e441529, 0x441529fc, 0x1529fc27,
  0x29fc2757, 0xfc2757d1, 0x2757d1f5, 0x57d1f534, 0xd1f534dd, 0xf534ddc0, 0x34ddc0db, 0xddc0db62, 0xc0db6295,
  0xdb629599, 0x6295993c, 0x95993c43, 0x993c4390, 0x3c439041,
]

/** sin(x + shift pi/2) of a large x: Payne and Hanek's reduction in 64-bit integers, then float64 polynomials. */
function slowScalar(m: ModuleBuilder): FunctionRef {
  const window = m.helper('4/pi', ['i32'], ['i64'], (f, at) => {
    // A chain of tests is slow and small: this path is rare.
    for (const [i, word] of inversePi.entries()) {
      f.push(at as Local, i, 'i32.eq')
      f.if(() => {
        f.i64(BigInt(word))
        f.return()
      })
    }
    f.i64(0n)
  })
  return m.helper('large sine', ['f32', 'i32'], ['f32'], (f, x, shift) =>
    emitSlow(f, window, x as Local, shift as Local),
  )
}

function emitSlow(f: FunctionBuilder, window: FunctionRef, x: Local, shift: Local): void {
  const bits = f.local('i32')
  const first = f.local('i32')
  const m = f.local('i64')
  const product = f.local('i64')
  const n = f.local('i64')
  const r = f.local('f64')
  const z = f.local('f64')
  f.push(x, 'i32.reinterpret_f32')
  f.tee(bits)
  f.push(0x7f800000, 'i32.and', 0x7f800000, 'i32.eq')
  f.if(() => {
    f.f32(Number.NaN)
    f.return()
  })
  // m = mantissa << (exponent & 7); the windows start at (exponent >> 3) & 15.
  f.push(bits, 26, 'i32.shr_u', 15, 'i32.and')
  f.set(first)
  f.push(
    bits,
    0x7fffff,
    'i32.and',
    0x800000,
    'i32.or',
    bits,
    23,
    'i32.shr_u',
    7,
    'i32.and',
    'i32.shl',
    'i64.extend_i32_u',
  )
  f.set(m)
  const term = (step: number): void => {
    f.push(m, first, step, 'i32.add')
    f.call(window)
    f.op('i64.mul')
  }
  // product = (m w0 << 32) + m w4 + (m w8 >> 32): the fraction of x * 2/pi * 2^62, modulo 2^64.
  term(0)
  f.i64(32n)
  f.op('i64.shl')
  term(8)
  f.i64(32n)
  f.push('i64.shr_u', 'i64.or')
  term(4)
  f.op('i64.add')
  f.tee(product)
  f.i64(1n << 61n)
  f.op('i64.add')
  f.i64(62n)
  f.op('i64.shr_u')
  f.set(n)
  f.push(product, n)
  f.i64(62n)
  f.push('i64.shl', 'i64.sub', 'f64.convert_i64_s')
  f.f64(Math.PI / 2 / 2 ** 62)
  f.op('f64.mul')
  f.tee(r)
  f.push(r, 'f64.mul')
  f.set(z)
  // A negative x is the mirror image: sin(-x) = -sin(x), cos(-x) = cos(x). Count quadrants with the sign.
  f.push(bits, 0, 'i32.lt_s')
  f.if(() => {
    f.i64(0n)
    f.push(n, 'i64.sub')
    f.set(n)
    f.push(r, 'f64.neg')
    f.set(r)
  })
  f.push(n, shift, 'i64.extend_i32_u', 'i64.add')
  f.set(n)
  f.get(n)
  f.i64(1n)
  f.push('i64.and', 'i32.wrap_i64')
  f.if(
    () => horner(f, z, cos64),
    () => {
      f.get(r)
      horner(f, z, sin64)
      f.op('f64.mul')
    },
    'f64',
  )
  f.set(r)
  f.push(r, 'f64.neg', r, n)
  f.i64(2n)
  f.push('i64.and', 'i32.wrap_i64')
  f.select('f64')
  f.op('f32.demote_f64')
}

/** Taylor series to float64's needs for a float32 result on |r| <= pi/4. */
const sin64 = [1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]
const cos64 = [-1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1]

function horner(f: FunctionBuilder, z: Local, coefficients: readonly number[]): void {
  f.f64(coefficients[0] as number)
  for (const c of coefficients.slice(1)) {
    f.push(z, 'f64.mul')
    f.f64(c)
    f.op('f64.add')
  }
}
