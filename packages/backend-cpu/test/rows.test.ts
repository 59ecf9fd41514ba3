import type { Affine, Expr, Kernel } from '@tessella/compiler'
import { hostArray, sizeOf, stridesOf } from '@tessella/ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpret } from './support/interpret.ts'
import { load, runKernels } from './support/program.ts'

const f32 = 'float32' as const
const binary = (fn: 'add' | 'sub' | 'mul', a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: f32, fn, a, b })
const result = (index: number): Expr => ({ kind: 'result', dtype: f32, index })

/** max, then x - max stored and summed, then what was stored times the sum; the sum and position of the max per row. */
function kernel(domain: readonly number[], inner: readonly number[], at: Affine, out: Affine): Kernel {
  const row: Affine = { offset: 0, strides: stridesOf(domain) }
  const shifted = binary('sub', load(f32, 0, at), result(0))
  return {
    kind: 'rows',
    domain,
    inner,
    passes: [
      {
        accumulators: [
          { fn: 'max', value: load(f32, 0, at) },
          { fn: 'argmax', value: load(f32, 0, at) },
        ],
        writes: [],
      },
      { accumulators: [{ fn: 'sum', value: shifted }], writes: [{ buffer: 1, at: out, value: shifted }] },
      { accumulators: [], writes: [{ buffer: 1, at: out, value: binary('mul', load(f32, 1, out), result(2)) }] },
    ],
    writes: [
      { buffer: 2, at: row, value: result(2) },
      { buffer: 3, at: row, value: { kind: 'result', dtype: 'int32', index: 1 } },
    ],
  }
}

describe('rows kernels', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(10, 16, 33))
  const shapes = fc.record({
    domain: fc.array(size, { maxLength: 2 }),
    inner: fc.array(size, { minLength: 1, maxLength: 2 }),
    first: fc.boolean(),
  })

  it('agree with plain loops, the reduced axes last or first', () => {
    fc.assert(
      fc.property(shapes, ({ domain, inner, first }) => {
        const shape = first ? [...inner, ...domain] : [...domain, ...inner]
        const packed = stridesOf(shape)
        const split = first ? inner.length : domain.length
        const strides = first ? [...packed.slice(split), ...packed.slice(0, split)] : packed
        const at: Affine = { offset: 0, strides }
        const n = sizeOf(shape)
        const rows = sizeOf(domain)
        const x = Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 23) - 11)
        const memory = [x, hostArray(f32, n), hostArray(f32, rows), hostArray('int32', rows)] as const
        const k = kernel(domain, inner, at, at) as Extract<Kernel, { kind: 'rows' }>
        interpret(k, memory)
        const got = runKernels(
          [
            { dtype: f32, length: n, data: x },
            { dtype: f32, length: n },
            { dtype: f32, length: rows },
            { dtype: 'int32', length: rows },
          ],
          [k],
        )
        for (const [i, g] of got.entries()) expect([...g]).toEqual([...memory[i + 1]!])
      }),
      { numRuns: 120, seed: 6 },
    )
  })

  it('keeps long sums exact between passes', () => {
    const n = 5000
    const x = Float32Array.from({ length: n }, (_, i) => (i % 7) + 1)
    const at: Affine = { offset: 0, strides: [n, 1] }
    const out = runKernels(
      [
        { dtype: f32, length: n, data: x },
        { dtype: f32, length: n },
      ],
      [
        {
          kind: 'rows',
          domain: [1],
          inner: [n],
          passes: [
            { accumulators: [{ fn: 'sum', value: load(f32, 0, at) }], writes: [] },
            { accumulators: [], writes: [{ buffer: 1, at, value: binary('sub', result(0), load(f32, 0, at)) }] },
          ],
          writes: [],
        },
      ],
    )[0]!
    const sum = x.reduce((a, b) => a + b, 0)
    expect([...out]).toEqual([...x].map((v) => sum - v))
  })
})
