import { describe, expect, it } from 'vitest'
import { cast } from '../src/wasm/casts.ts'
import { binaryOf, unaryOf } from '../src/wasm/functions.ts'
import { lanesFunction } from './support/lanesHarness.ts'

/** Distance in units of the last place of the exact float32 result; 0 for equal special values. */
function ulps(got: number, exact: number): number {
  if (Number.isNaN(got) || Number.isNaN(exact))
    return Number.isNaN(got) && Number.isNaN(exact) ? 0 : Number.POSITIVE_INFINITY
  const want = Math.fround(exact)
  if (got === want) return Object.is(got, want) ? 0 : Number.POSITIVE_INFINITY
  const spacing = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(exact))), -126) - 23)
  return Math.abs(got - exact) / spacing
}

/** erf to float64 by its series and, far out, the continued fraction of erfc. */
function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x) || x === 0) return x
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let f = 0
  for (let n = 60; n > 0; n--) f = n / 2 / (a + f)
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + f)))
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const specials = [
  0,
  -0,
  1,
  -1,
  inf,
  -inf,
  nan,
  1e-45,
  -1e-45,
  1e-39,
  1.17549435e-38,
  3.4028234e38,
  -3.4028234e38,
  0.5,
  -0.5,
  88.72,
  -87.4,
  -103.9,
]

/** All exponents and signs, then the given range densely. */
function samples(low: number, high: number): Float32Array {
  const dense = 1 << 16
  const data = new Float32Array(dense + (1 << 14) + 20)
  const bits = new Uint32Array(data.buffer)
  for (let i = 0; i < 1 << 14; i++) bits[i] = (i << 18) | (Math.imul(i, 2654435761) >>> 14)
  for (let i = 0; i < dense; i++) data[(1 << 14) + i] = low + ((high - low) * (i + 0.37)) / dense
  data.set(specials, dense + (1 << 14))
  return data
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Function, exact value, range looked at closely, bound with fused multiply-add and without. */
const rows = [
  ['exp', Math.exp, -104, 89, 1.05, 1.05],
  ['exp2', (x: number) => 2 ** x, -150, 128, 1.1, 1.1],
  ['expm1', Math.expm1, -20, 20, 2, 2],
  ['log', Math.log, 0, 4, 1, 1],
  ['log1p', Math.log1p, -1, 4, 2, 2],
  ['log2', Math.log2, 0, 4, 2, 2],
  ['sin', Math.sin, -1e4, 1e4, 2.5, 2.5],
  ['cos', Math.cos, -1e4, 1e4, 2.5, 2.5],
  ['tan', Math.tan, -100, 100, 4.5, 4.5],
  ['tanh', Math.tanh, -9, 9, 5, 5.5],
  ['erf', erf, -4, 4, 2.5, 2.5],
  ['atan', Math.atan, -4, 4, 2.5, 2.5],
  ['sigmoid', sigmoid, -20, 20, 2.5, 2.5],
  ['sqrt', Math.sqrt, 0, 100, 0.51, 0.51],
  ['rsqrt', (x: number) => 1 / Math.sqrt(x), 0, 100, 1.6, 1.6],
  ['reciprocal', (x: number) => 1 / x, -10, 10, 0.51, 0.51],
  ['floor', Math.floor, -10, 10, 0, 0],
  ['ceil', Math.ceil, -10, 10, 0, 0],
  ['trunc', Math.trunc, -10, 10, 0, 0],
  ['sign', Math.sign, -1, 1, 0, 0],
] as const

describe('float32 functions', () => {
  for (const relaxed of [true, false])
    for (const [fn, exact, low, high, fused, plain] of rows)
      it(`${fn} ${relaxed ? 'with' : 'without'} fused multiply-add`, () => {
        const run = lanesFunction(1, (l, x) => unaryOf('float32', fn)(l, x!), { simd: true, relaxed })
        const xs = samples(low, high)
        const got = run(xs)
        let worst = 0
        let at = 0
        for (const [i, x] of xs.entries()) {
          const e = ulps(got[i]!, exact(x))
          if (!(e <= worst)) {
            worst = e
            at = i
          }
        }
        expect(worst, `${fn}(${xs[at]}) = ${got[at]}, not ${exact(xs[at]!)}`).toBeLessThanOrEqual(
          relaxed ? fused : plain,
        )
      })

  it('rounds half to even', () => {
    const run = lanesFunction(1, (l, x) => unaryOf('float32', 'round')(l, x!))
    expect([...run(Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, 2.4999998, 8388609, nan))]).toEqual([
      0,
      2,
      2,
      -0,
      -2,
      2,
      8388609,
      nan,
    ])
  })
})

describe('float32 functions of two operands', () => {
  const pairs = (values: readonly number[]) => {
    const all = values.flatMap((a) => values.map((b) => [a, b] as const))
    while (all.length % 4 !== 0) all.push([1, 1])
    return [Float32Array.from(all, ([a]) => a), Float32Array.from(all, ([, b]) => b)] as const
  }
  const grid = [...specials, 2, 3, -2, -3, 1.5, -2.5, 0.1, 7, 1e10, 1e-10, 100.25, 1 / 3, 16777216, 33554432]

  const check = (
    fn: 'pow' | 'rem' | 'atan2' | 'max' | 'min',
    exact: (a: number, b: number) => number,
    bound: number,
  ) => {
    const run = lanesFunction(2, (l, a, b) => binaryOf('float32', fn)(l, a!, b!))
    const random = Array.from(
      { length: 4096 },
      (_, i) => [((i * 7919) % 4001) / 80, ((i * 104729) % 4003) / 200 - 10] as const,
    )
    for (const [a, b] of [
      pairs(grid),
      [Float32Array.from(random, ([x]) => x), Float32Array.from(random, ([, y]) => y)] as const,
    ]) {
      const got = run(a, b)
      for (const [i, g] of got.entries()) {
        const want = exact(a[i]!, b[i]!)
        expect(ulps(g, want), `${fn}(${a[i]}, ${b[i]}) = ${g}, not ${want}`).toBeLessThanOrEqual(bound)
      }
    }
  }

  it('pow', () => check('pow', (a, b) => a ** b, 1))
  it('rem', () => check('rem', (a, b) => a % b, 0))
  it('atan2', () => check('atan2', Math.atan2, 3))
  it('max and min let NaN win and order zeros', () => {
    check('max', Math.max, 0)
    check('min', Math.min, 0)
  })
})

describe('integer functions', () => {
  const values = [0, 1, -1, 2, -2, 7, -7, 100, 2 ** 31 - 1, -(2 ** 31), 123456789, -987654321]
  const all = values.flatMap((a) => values.map((b) => [a, b] as const))
  const check = (
    dtype: 'int32' | 'uint32',
    fn: 'div' | 'rem' | 'shl' | 'shr',
    exact: (a: number, b: number) => number,
  ) => {
    const array = (values: readonly number[]) =>
      dtype === 'int32' ? Int32Array.from(values) : Uint32Array.from(values)
    const a = array(all.map(([x]) => x))
    const b = array(all.map(([, y]) => y))
    const out = lanesFunction(2, (l, x, y) => binaryOf(dtype, fn)(l, x!, y!))(a, b)
    const want = array([...a].map((x, i) => exact(x, b[i]!)))
    expect([...new Uint32Array(out.buffer)]).toEqual([...new Uint32Array(want.buffer)])
  }
  for (const dtype of ['int32', 'uint32'] as const)
    it(`divide, take remainders and shift ${dtype}`, () => {
      check(dtype, 'div', (a, b) => (b === 0 ? 0 : Math.trunc(a / b)))
      check(dtype, 'rem', (a, b) => (b === 0 ? 0 : a % b))
      check(dtype, 'shl', (a, b) => a << b)
      check(dtype, 'shr', (a, b) => (dtype === 'int32' ? a >> b : a >>> b))
    })
})

describe('float16', () => {
  it('every half comes back, and float32 rounds to the nearest even half', () => {
    const halves = Uint32Array.from({ length: 65536 }, (_, i) => i)
    const floats = lanesFunction(1, (l, x) => cast(l, 'float16', 'float32', x!))(halves)
    const value = (bits: number) => {
      const [sign, e, m] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
      return e === 31 ? (m ? nan : sign * inf) : sign * (e ? (1 + m / 1024) * 2 ** (e - 15) : m * 2 ** -24)
    }
    for (const h of halves) expect(Object.is(floats[h], value(h)) || Number.isNaN(value(h))).toBe(true)
    const back = new Uint32Array(lanesFunction(1, (l, x) => cast(l, 'float32', 'float16', x!))(floats).buffer)
    for (const h of halves) expect(back[h]).toBe(Number.isNaN(value(h)) ? 0x7e00 : h)
    const toHalf = (...xs: number[]) =>
      [
        ...new Uint32Array(lanesFunction(1, (l, x) => cast(l, 'float32', 'float16', x!))(Float32Array.from(xs)).buffer),
      ].map(value)
    expect(toHalf(2049, 2051, 65519, 65520, -65520, 2 ** -25, 2 ** -24 * 1.5, 1e-10)).toEqual([
      2048,
      2052,
      65504,
      inf,
      -inf,
      0,
      2 ** -23,
      0,
    ])
  })
})
