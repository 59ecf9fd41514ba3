import { type BinaryFn, build, parameter, type UnaryFn } from '@tessella/ir'
import { evaluate, reference, ulpOf } from '@tessella/testing'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type WgpuBackend, wgpu } from '../src/index.ts'

/* Functions of the prelude over many values, against float64: no more than these units in the last place. */

let backend: WgpuBackend
beforeAll(async () => {
  await useSwiftshader()
  backend = await wgpu()
})
afterAll(() => backend.dispose())

const count = 1 << 16
/** Weyl's sequence: evenly spread, and the same every time. */
const spread = (low: number, high: number, step = Math.SQRT2): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => low + (high - low) * ((i * step) % 1))

/** Float32 values of every exponent and both signs; infinities and NaN among them. */
const everywhere = ((): Float32Array<ArrayBuffer> => {
  const words = Uint32Array.from({ length: count }, (_, i) => (i * 65536 + ((i * 40503) & 0xffff)) >>> 0)
  return new Float32Array(words.buffer)
})()

const sets: readonly Float32Array<ArrayBuffer>[] = [
  everywhere,
  spread(-2, 2),
  spread(-100, 100),
  spread(0.5, 1.5),
  spread(-1e6, 1e6),
]

const smallest = 2 ** -126

/** The largest error in units of the last place, or the first value that is wrong in kind. */
function worstOf(got: Float32Array, want: Float64Array, args: readonly Float32Array[]): number | string {
  let worst = 0
  for (const [i, exact] of want.entries()) {
    const value = got[i] as number
    const operands = args.map((a) => a[i] as number)
    // Devices may flush subnormal operands and results.
    if (operands.some((a) => a !== 0 && Math.abs(a) < smallest)) continue
    const flushed = Math.abs(exact) < smallest && Math.abs(value) <= smallest
    const bothOver = Math.abs(exact) >= 3.4028235e38 && Math.abs(value) >= 3.4028234e38 && exact > 0 === value > 0
    if (flushed || bothOver || (Number.isNaN(exact) && Number.isNaN(value))) continue
    const error = Math.abs(value - exact) / ulpOf(exact, 'float32')
    if (!(error < 1e6)) return `of ${operands.join(', ')}: got ${value}, want ${exact}`
    worst = Math.max(worst, error)
  }
  return worst
}

const unaryBounds: { readonly [F in UnaryFn]?: number } = {
  exp: 1.3,
  expm1: 1.8,
  log: 1,
  log1p: 2,
  sin: 3,
  cos: 3,
  tan: 4.5,
  atan: 2.2,
  tanh: 1.5,
  erf: 1.5,
  sigmoid: 2.5,
  exp2: 1.3,
  log2: 1.6,
  sqrt: 1,
  rsqrt: 2,
  reciprocal: 2.5,
  floor: 0,
  ceil: 0,
  round: 0,
  trunc: 0,
  sign: 0,
  neg: 0,
  abs: 0,
}

for (const [name, bound] of Object.entries(unaryBounds)) {
  const fn = name as UnaryFn
  it(`${fn} is within ${bound} ULP`, async () => {
    const [x, y] = [parameter([count], 'float32'), parameter([count], 'float64')]
    const own = { inputs: [x], outputs: [build.unary(fn, x)] }
    const exact = { inputs: [y], outputs: [build.unary(fn, y)] }
    for (const data of sets) {
      const [got] = await evaluate(backend, own, [data])
      const [want] = await evaluate(reference(), exact, [Float64Array.from(data)])
      expect(worstOf(got as Float32Array, want as Float64Array, [data])).toBeLessThanOrEqual(bound)
    }
  })
}

const binaryBounds: { readonly [F in BinaryFn]?: number } = { pow: 1.5, atan2: 2.2, rem: 0, div: 2.5, max: 0, min: 0 }

for (const [name, bound] of Object.entries(binaryBounds)) {
  const fn = name as BinaryFn
  it(`${fn} is within ${bound} ULP`, async () => {
    const make = (dtype: 'float32' | 'float64') => {
      const inputs = [parameter([count], dtype), parameter([count], dtype)] as const
      return { inputs, outputs: [build.binary(fn, ...inputs)] }
    }
    const shuffled = everywhere.map((_, i) => everywhere[(i * 7919 + 13) % count] as number)
    const pairs: readonly (readonly [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>])[] = [
      [everywhere, shuffled],
      [spread(0, 50), spread(-20, 20, Math.PI)],
      [spread(0.9, 1.1), spread(-900, 900, Math.PI)],
      [spread(-8, 8), Float32Array.from({ length: count }, (_, i) => (i % 15) - 7)],
    ]
    for (const data of pairs) {
      const [got] = await evaluate(backend, make('float32'), data)
      const wide = data.map((d) => Float64Array.from(d))
      const [want] = await evaluate(reference(), make('float64'), wide)
      expect(worstOf(got as Float32Array, want as Float64Array, data)).toBeLessThanOrEqual(bound)
    }
  })
}
