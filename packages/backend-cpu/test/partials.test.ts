import type { Affine, Expr, Kernel, Write } from '@tessella/compiler'
import { type Dims, sizeOf, stridesOf } from '@tessella/ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitReductions } from '../src/threads/partials.ts'
import { interpret } from './support/interpret.ts'
import { load, runKernels } from './support/program.ts'

const f32 = 'float32' as const

/** The sum and the maximum over `inner` of x[domain, inner] + position, and the sum plus a value per result. */
function kernel(domain: Dims, inner: Dims): Extract<Kernel, { kind: 'reduce' }> {
  const at: Affine = { offset: 0, strides: stridesOf([...domain, ...inner]) }
  const row: Affine = { offset: 0, strides: stridesOf(domain) }
  const x = load(f32, 0, at)
  const shifted: Expr = { kind: 'binary', dtype: f32, fn: 'sub', a: x, b: { kind: 'constant', dtype: f32, value: 1 } }
  const sum: Expr = { kind: 'result', dtype: f32, index: 0 }
  return {
    kind: 'reduce',
    domain,
    inner,
    accumulators: [
      { fn: 'sum', value: shifted },
      { fn: 'max', value: x },
    ],
    writes: [
      { buffer: 1, at: row, value: { kind: 'binary', dtype: f32, fn: 'add', a: sum, b: load(f32, 0, row) } },
      { buffer: 2, at: row, value: { kind: 'result', dtype: f32, index: 1 } },
    ],
  }
}

describe('long reductions to few results', () => {
  const shapes = fc.record({
    domain: fc.array(fc.integer({ min: 2, max: 3 }), { maxLength: 1 }),
    inner: fc.oneof(
      fc.tuple(fc.integer({ min: 32768, max: 70001 })),
      fc.tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 20000, max: 40000 })),
      fc.tuple(fc.integer({ min: 200, max: 500 }), fc.integer({ min: 170, max: 190 })),
    ),
  })

  it('agree with plain loops, in parts of any length', () => {
    fc.assert(
      fc.property(shapes, ({ domain, inner }) => {
        const n = sizeOf([...domain, ...inner])
        const rows = sizeOf(domain)
        // Whole numbers: sums are exact in any order.
        const x = Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 23) - 11)
        const k = kernel(domain, inner)
        const memory = [x, new Float32Array(rows), new Float32Array(rows)] as const
        interpret(k, memory)
        const got = runKernels(
          [
            { dtype: f32, length: n, data: x },
            { dtype: f32, length: rows },
            { dtype: f32, length: rows },
          ],
          [k],
        )
        expect(got.map((g) => [...g])).toEqual(memory.slice(1).map((m) => [...m]))
      }),
      { numRuns: 5, seed: 8 },
    )
  })

  it('say where the first extreme is, in parts too', () => {
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0]
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 3 }),
      size: fc.integer({ min: 32768, max: 90001 }),
      // The same number at several places, in one part or several; or nothing but equals.
      value: fc.constantFrom(...special, 5),
      places: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      flat: fc.boolean(),
      // Elements of a row are neighbours, or those of a column.
      across: fc.boolean(),
    })
    fc.assert(
      fc.property(cases, ({ rows, size, value, places, flat, across }) => {
        const strides = across ? [1, rows] : [size, 1]
        const x = Float32Array.from({ length: rows * size }, (_, i) => (flat ? 3 : ((i * 7919) % 9) - 4))
        for (const [i, place] of places.entries()) x[((i * 31) % rows) * size + (place % size)] = value
        const value0 = load(f32, 0, { offset: 0, strides })
        const doubled: Expr = { kind: 'binary', dtype: f32, fn: 'add', a: value0, b: value0 }
        const at: Affine = { offset: 0, strides: [1] }
        const k: Extract<Kernel, { kind: 'reduce' }> = {
          kind: 'reduce',
          domain: [rows],
          inner: [size],
          accumulators: [
            { fn: 'argmax', value: value0 },
            { fn: 'argmin', value: doubled },
            { fn: 'max', value: value0 },
          ],
          writes: [
            ...[0, 1].map(
              (index): Write => ({ buffer: 1 + index, at, value: { kind: 'result', dtype: 'int32', index } }),
            ),
            { buffer: 3, at, value: { kind: 'result', dtype: f32, index: 2 } },
          ],
        }
        expect(
          splitReductions({ buffers: [], kernels: [k], inputs: [], outputs: [], temporaryBytes: 0 }).kernels,
        ).not.toEqual([k])
        const memory = [x, new Int32Array(rows), new Int32Array(rows), new Float32Array(rows)] as const
        interpret(k, memory)
        const got = runKernels(
          [
            { dtype: f32, length: rows * size, data: x },
            { dtype: 'int32', length: rows },
            { dtype: 'int32', length: rows },
            { dtype: f32, length: rows },
          ],
          [k],
        )
        expect(got.map((g) => [...g])).toEqual(memory.slice(1).map((m) => [...m]))
      }),
      { numRuns: 40, seed: 9 },
    )
  })

  it('become parts, what is left, and a combination; others stay as they are', () => {
    const program = (k: Kernel) => ({ buffers: [], kernels: [k], inputs: [], outputs: [], temporaryBytes: 100 })
    const split = splitReductions(program(kernel([], [100_001])))
    expect(split.kernels.map((k) => (k.kind === 'reduce' ? [k.domain, k.inner] : k.kind))).toEqual([
      [[6], [16666]],
      [[], [5]],
      [[], [7]],
    ])
    expect(split.temporaryBytes).toBe(128 + 2 * 64)
    for (const k of [kernel([], [1000]), kernel([64], [100_000])])
      expect(splitReductions(program(k)).kernels).toEqual([k])
  })
})
