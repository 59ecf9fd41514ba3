import type { Affine, Expr, Kernel } from '@tessella/compiler'
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
