import type { Affine, Kernel } from '@tessella/compiler'
import { type DType, type HostArray, hostArray, sizeOf, stridesOf } from '@tessella/ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpret } from './support/interpret.ts'
import { at, constant, load, runKernels, type TestBuffer } from './support/program.ts'

/** Runs a kernel both ways: buffers without data are outputs. */
function compare(buffers: readonly TestBuffer[], kernel: Extract<Kernel, { kind: 'map' | 'reduce' }>): void {
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

const ramp = (n: number, dtype: DType = 'float32') => {
  const data = hostArray(dtype, n)
  for (let i = 0; i < n; i++)
    data[i] = dtype === 'bool' ? Number((i * 7) % 3 === 0) : ((i * 37) % 101) - (dtype === 'uint8' ? 0 : 50)
  return data
}

/** A layout of `domain`: permuted, with gaps, possibly backwards. */
const layout = (domain: readonly number[], gaps: boolean) =>
  fc
    .record({
      order: fc.shuffledSubarray(
        domain.map((_, i) => i),
        { minLength: domain.length },
      ),
      gap: gaps ? fc.integer({ min: 1, max: 3 }) : fc.constant(1),
      back: fc.array(fc.boolean(), { minLength: domain.length, maxLength: domain.length }),
      drop: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: domain.length, maxLength: domain.length }),
    })
    .map(({ order, gap, back, drop }) => {
      const sizes = order.map((d) => domain[d]!)
      const packed = stridesOf(sizes)
      const strides = new Array<number>(domain.length).fill(0)
      let offset = 0
      for (const [k, d] of order.entries()) {
        const s = packed[k]! * gap
        strides[d] = back[d] ? -s : s
        if (back[d]) offset += s * (domain[d]! - 1)
      }
      const read: Affine = { offset, strides: strides.map((s, d) => (drop[d] === 0 ? 0 : s)) }
      return { write: { offset, strides } as Affine, read, length: sizeOf(domain) * gap }
    })

const domains = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 4, 8, 13)), { maxLength: 4 })

describe('map kernels', () => {
  it('agree with plain loops for any layout', () => {
    const arbitrary = domains.chain((domain) =>
      fc.record({
        domain: fc.constant(domain),
        a: layout(domain, true),
        b: layout(domain, false),
        out: layout(domain, true),
        dtype: fc.constantFrom<DType>('float32', 'int32', 'uint32'),
      }),
    )
    fc.assert(
      fc.property(arbitrary, ({ domain, a, b, out, dtype }) => {
        compare(
          [
            { dtype, length: a.length, data: ramp(a.length, dtype) as never },
            { dtype, length: b.length, data: ramp(b.length, dtype) as never },
            { dtype, length: out.length },
            { dtype: 'bool', length: sizeOf(domain) },
          ],
          {
            kind: 'map',
            domain,
            writes: [
              {
                buffer: 2,
                at: out.write,
                value: {
                  kind: 'binary',
                  dtype,
                  fn: 'add',
                  a: load(dtype, 0, a.read),
                  b: { kind: 'binary', dtype, fn: 'mul', a: load(dtype, 1, b.read), b: constant(dtype, 3) },
                },
              },
              {
                buffer: 3,
                at: { offset: 0, strides: stridesOf(domain) },
                value: {
                  kind: 'binary',
                  dtype: 'bool',
                  fn: 'lt',
                  a: load(dtype, 0, a.read),
                  b: { kind: 'index', dtype, at: { offset: 1, strides: domain.map((_, d) => d - 1) } },
                },
              },
            ],
          },
        )
      }),
      { numRuns: 150, seed: 1 },
    )
  })

  it('moves every storage dtype in any layout', () => {
    const arbitrary = domains.chain((domain) =>
      fc.record({
        domain: fc.constant(domain),
        a: layout(domain, true),
        out: layout(domain, true),
        dtype: fc.constantFrom<DType>('float32', 'float16', 'uint8', 'bool', 'int32'),
      }),
    )
    fc.assert(
      fc.property(arbitrary, ({ domain, a, out, dtype }) => {
        compare(
          [
            { dtype, length: a.length, data: ramp(a.length, dtype) as never },
            { dtype, length: out.length },
          ],
          { kind: 'map', domain, writes: [{ buffer: 1, at: out.write, value: load(dtype, 0, a.read) }] },
        )
      }),
      { numRuns: 100, seed: 2 },
    )
  })

  it('gathers rows and elements, with NaN or 0 outside', () => {
    for (const dtype of ['float32', 'int32', 'uint8'] as const)
      for (const inner of [1, 3, 8])
        compare(
          [
            { dtype, length: 5 * inner, data: ramp(5 * inner, dtype) as never },
            { dtype: 'int32', length: 6, data: [4, 0, -1, 5, 2, 2] },
            { dtype, length: 6 * inner },
          ],
          {
            kind: 'map',
            domain: [6, inner],
            writes: [
              {
                buffer: 2,
                at: at(0, inner, 1),
                value: {
                  kind: 'gather',
                  dtype,
                  buffer: 0,
                  at: at(0, 0, 1),
                  index: load('int32', 1, at(0, 1, 0)),
                  stride: inner,
                  size: 5,
                },
              },
            ],
          },
        )
  })

  it('updates in place: every value is read before the first store', () => {
    const x = ramp(37)
    compare(
      [
        { dtype: 'float32', length: 37, data: x as never },
        { dtype: 'float32', length: 37 },
        { dtype: 'float32', length: 37 },
      ],
      {
        kind: 'map',
        domain: [37],
        writes: [
          { buffer: 1, at: at(0, 1), value: load('float32', 0, at(0, 1)) },
          {
            buffer: 2,
            at: at(0, 1),
            value: { kind: 'unary', dtype: 'float32', fn: 'neg', x: load('float32', 0, at(36, -1)) },
          },
        ],
      },
    )
  })

  it('covers long rows in segments, and a deep expression', () => {
    let value = load('float32', 0, at(0, 0, 1))
    for (let i = 0; i < 700; i++)
      value = { kind: 'binary', dtype: 'float32', fn: 'add', a: constant('float32', i % 5), b: value }
    compare(
      [
        { dtype: 'float32', length: 20003, data: ramp(20003) as never },
        { dtype: 'float32', length: 2 * 20003 },
      ],
      { kind: 'map', domain: [2, 20003], writes: [{ buffer: 1, at: at(0, 20003, 1), value }] },
    )
  })

  it('does nothing on an empty domain', () => {
    expect(
      runKernels(
        [{ dtype: 'float32', length: 0 }],
        [{ kind: 'map', domain: [3, 0], writes: [{ buffer: 0, at: at(0, 0, 1), value: constant('float32', 1) }] }],
      )[0]!.length,
    ).toBe(0)
  })
})
