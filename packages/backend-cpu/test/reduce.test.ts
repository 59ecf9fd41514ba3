import type { Accumulator, Affine, Kernel, Write } from '@tessella/compiler'
import { type DType, type HostArray, hostArray, sizeOf, stridesOf } from '@tessella/ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpret } from './support/interpret.ts'
import { at, load, runKernels, type TestBuffer } from './support/program.ts'

type Reduce = Extract<Kernel, { kind: 'reduce' }>

function compare(buffers: readonly TestBuffer[], kernel: Reduce): void {
  const memory: HostArray[] = buffers.map((b) => {
    const host = hostArray(b.dtype, b.length)
    if (b.data) host.set(b.data as ArrayLike<number>)
    return host
  })
  interpret(kernel, memory)
  const results = runKernels(buffers, [kernel])
  let k = 0
  for (const [i, b] of buffers.entries()) if (!b.data) expect([...results[k++]!]).toEqual([...memory[i]!])
}

/** Small integers, so that float32 sums are exact in any order; with ties, and NaN on request. */
const values = (n: number, dtype: DType, nan: boolean) => {
  const data = hostArray(dtype, n)
  for (let i = 0; i < n; i++) {
    const v = ((i * 7919) % 23) - 11
    data[i] = dtype === 'bool' ? Number(v > 8) : nan && v === 5 ? Number.NaN : v
  }
  return data
}

const sizes = fc.oneof(fc.integer({ min: 1, max: 7 }), fc.constantFrom(4, 16, 19, 33))

describe('reduce kernels', () => {
  it('agree with plain loops for any order of axes', () => {
    const arbitrary = fc
      .record({
        domain: fc.array(sizes, { maxLength: 2 }),
        inner: fc.array(sizes, { maxLength: 3 }),
        dtype: fc.constantFrom<DType>('float32', 'int32', 'uint32'),
        nan: fc.boolean(),
        two: fc.boolean(),
        fn: fc.constantFrom<Accumulator['fn']>('sum', 'max', 'min', 'argmax', 'argmin'),
        seed: fc.nat(),
        epilogue: fc.boolean(),
      })
      .filter(({ domain, inner }) => sizeOf(domain) * sizeOf(inner) < 20000)
    fc.assert(
      fc.property(arbitrary, ({ domain, inner, dtype, nan, two, fn, seed, epilogue }) => {
        const all = [...domain, ...inner]
        // A permuted source.
        const order = all.map((_, d) => d).sort((a, b) => (((a + 1) * (seed + 3)) % 7) - (((b + 1) * (seed + 3)) % 7))
        const packed = stridesOf(order.map((d) => all[d]!))
        const strides = all.map((_, d) => packed[order.indexOf(d)]!)
        const x = load(dtype, 0, { offset: 0, strides })
        const out: Affine = { offset: 0, strides: stridesOf(domain) }
        const arg = fn === 'argmax' || fn === 'argmin'
        const type: DType = arg ? 'int32' : dtype
        const accumulators: Accumulator[] = [{ fn, value: x }]
        if (two) accumulators.push({ fn: 'sum', value: { kind: 'binary', dtype, fn: 'mul', a: x, b: x } })
        const first: Write['value'] = { kind: 'result', dtype: type, index: 0 }
        const writes: Write[] = [
          {
            buffer: 1,
            at: out,
            value:
              epilogue && !arg ? { kind: 'binary', dtype: type, fn: 'add', a: first, b: load(type, 2, out) } : first,
          },
        ]
        if (two) writes.push({ buffer: 3, at: out, value: { kind: 'result', dtype, index: 1 } })
        const n = sizeOf(domain)
        const buffers: TestBuffer[] = [
          { dtype, length: sizeOf(all), data: values(sizeOf(all), dtype, nan && dtype === 'float32') as never },
          { dtype: type, length: n },
          { dtype: type, length: n, data: values(n, type, false) as never },
        ]
        if (two) buffers.push({ dtype, length: n })
        compare(buffers, { kind: 'reduce', domain, inner, accumulators, writes })
      }),
      { numRuns: 250, seed: 3 },
    )
  })

  it('folds bool with max and min, and finds the first true', () => {
    for (const fn of ['max', 'min', 'argmax', 'argmin'] as const)
      for (const [rows, columns] of [
        [5, 37],
        [37, 5],
        [1, 9],
      ] as const)
        for (const byRow of [true, false]) {
          const n = byRow ? rows : columns
          compare(
            [
              { dtype: 'bool', length: rows * columns, data: values(rows * columns, 'bool', false) as never },
              { dtype: fn.startsWith('arg') ? 'int32' : 'bool', length: n },
            ],
            {
              kind: 'reduce',
              domain: [n],
              inner: [byRow ? columns : rows],
              accumulators: [{ fn, value: load('bool', 0, byRow ? at(0, columns, 1) : at(0, 1, columns)) }],
              writes: [
                {
                  buffer: 1,
                  at: at(0, 1),
                  value: { kind: 'result', dtype: fn.startsWith('arg') ? 'int32' : 'bool', index: 0 },
                },
              ],
            },
          )
        }
  })

  it('gives the neutral element for nothing and NaN order for arg reductions', () => {
    const sum = (fn: 'sum' | 'prod') =>
      runKernels(
        [
          { dtype: 'float32', length: 0, data: [] },
          { dtype: 'float32', length: 6 },
        ],
        [
          {
            kind: 'reduce',
            domain: [6],
            inner: [0],
            accumulators: [{ fn, value: load('float32', 0, at(0, 0, 1)) }],
            writes: [{ buffer: 1, at: at(0, 1), value: { kind: 'result', dtype: 'float32', index: 0 } }],
          },
        ],
      )[0]!
    expect([...sum('sum')]).toEqual([0, 0, 0, 0, 0, 0])
    expect([...sum('prod')]).toEqual([1, 1, 1, 1, 1, 1])
    const arg = (fn: 'argmax' | 'argmin', data: number[]) =>
      runKernels(
        [
          { dtype: 'float32', length: data.length, data },
          { dtype: 'int32', length: 1 },
        ],
        [
          {
            kind: 'reduce',
            domain: [],
            inner: [data.length],
            accumulators: [{ fn, value: load('float32', 0, at(0, 1)) }],
            writes: [{ buffer: 1, at: at(0), value: { kind: 'result', dtype: 'int32', index: 0 } }],
          },
        ],
      )[0]![0]
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number
    expect(arg('argmax', [1, nan, inf, nan])).toBe(1)
    expect(arg('argmin', [1, -inf, nan, -inf, nan])).toBe(2)
    expect(arg('argmax', [-inf, -inf])).toBe(0)
    expect(arg('argmin', [0, -0, 1, 0, 5])).toBe(0)
    expect(arg('argmax', [-1, -0, 0, -0, 0])).toBe(1)
  })

  it('sums a million elements to 1e-6 of the sum, by rows, by columns and in pieces', () => {
    const n = 1 << 20
    const x = new Float32Array(n)
    for (let i = 0; i < n; i++) {
      // Murmur3's finaliser: a linear generator's low bits would repeat along power-of-two strides.
      let h = Math.imul(i ^ (i >>> 16), 0x85ebca6b)
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
      x[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
    }
    const layouts: [number[], number[], Affine][] = [
      [[], [n], at(0, 1)],
      [[8], [n / 8], at(0, 1, 8)],
      [[8], [n / 8], at(0, n / 8, 1)],
      [[2], [2, n / 32, 8], at(0, 8, n / 2, 16, 1)],
      [[40], [n / 64], at(0, 1, 64)],
    ]
    for (const [domain, inner, where] of layouts) {
      const [got] = runKernels(
        [
          { dtype: 'float32', length: n, data: x },
          { dtype: 'float32', length: sizeOf(domain) },
        ],
        [
          {
            kind: 'reduce',
            domain,
            inner,
            accumulators: [{ fn: 'sum', value: load('float32', 0, where) }],
            writes: [
              {
                buffer: 1,
                at: { offset: 0, strides: stridesOf(domain) },
                value: { kind: 'result', dtype: 'float32', index: 0 },
              },
            ],
          },
        ],
      )
      const want = Array.from({ length: sizeOf(domain) }, (_, d) => {
        const along = (axis: number, address: number): number => {
          const size = inner[axis]
          if (size === undefined) return x[address]!
          let sum = 0
          for (let i = 0; i < size; i++) sum += along(axis + 1, address + i * where.strides[domain.length + axis]!)
          return sum
        }
        return along(0, domain.length > 0 ? d * where.strides[0]! : 0)
      })
      for (const [i, w] of want.entries()) expect(Math.abs(got![i]! / w - 1)).toBeLessThan(3e-7)
    }
  })
})
