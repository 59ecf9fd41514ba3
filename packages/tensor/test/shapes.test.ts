import { reference } from '@tessella/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

const m = t.arange(6).reshape([2, 3])

describe('creation', () => {
  it.each<[string, t.Tensor, unknown]>([
    [
      'nested arrays',
      t.tensor([
        [1, 2],
        [3, 4],
      ]),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['empty rows', t.tensor([[], []]), [[], []]],
    [
      'flat data in a shape',
      t.tensor([1, 2, 3, 4], [2, 2], 'int32'),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['a typed array of another kind', t.tensor(new Float64Array([1, 2]), [2], 'int32'), [1, 2]],
    ['bool from numbers', t.tensor([0, 2], 'bool'), [false, true]],
    ['scalar', t.scalar(3, 'int32'), 3],
    ['full of bool', t.full([2], 5, 'bool'), [true, true]],
    [
      'fullLike',
      t.fullLike(m, 7),
      [
        [7, 7, 7],
        [7, 7, 7],
      ],
    ],
    ['arange', t.arange(1, 2, 0.25), [1, 1.25, 1.5, 1.75]],
    ['arange down', t.arange(3, 0, -1), [3, 2, 1]],
    ['an empty arange', t.arange(3, 0), []],
    ['linspace', t.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1]],
    ['linspace of one', t.linspace(2, 3, 1), [2]],
    [
      'eye',
      t.eye(2, 3),
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ],
    [
      'oneHot',
      t.oneHot(t.tensor([2, 0, 5], 'int32'), 3, 'int32'),
      [
        [0, 0, 1],
        [1, 0, 0],
        [0, 0, 0],
      ],
    ],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
  it('copies what tensor takes', async () => {
    const data = new Float32Array([1])
    const x = t.tensor(data, [1])
    data[0] = 2
    expect(await x.item()).toBe(1)
  })
  it('ends linspace exactly', async () => {
    for (const n of [3, 7, 10]) expect((await t.linspace(0.1, 0.7, n).data()).at(-1)).toBe(Math.fround(0.7))
  })
  it('rounds to halves, ties to even', async () => {
    const bits = await t
      .tensor([1, -2.5, 65504, 65520, 2 ** -24, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -0, 1e-9], 'float16')
      .data()
    expect(Array.from(bits)).toEqual([0x3c00, 0xc100, 0x7bff, 0x7c00, 1, 0x3c00, 0x3c02, 0x8000, 0])
  })
})

describe('slices', () => {
  /** Python's slice of a list. */
  function python<T>(xs: readonly T[], start: number | null, stop: number | null, step: number): T[] {
    const n = xs.length
    const clamp = (v: number): number => Math.min(Math.max(v < 0 ? v + n : v, step < 0 ? -1 : 0), step < 0 ? n - 1 : n)
    const from = start === null ? (step < 0 ? n - 1 : 0) : clamp(start)
    const to = stop === null ? (step < 0 ? -1 : n) : clamp(stop)
    const out: T[] = []
    for (let i = from; step < 0 ? i > to : i < to; i += step) out.push(xs[i]!)
    return out
  }
  it("follow Python's rules", async () => {
    const end = fc.option(fc.integer({ min: -7, max: 7 }))
    const step = fc.constantFrom(-3, -2, -1, 1, 2, 3)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 5 }), end, end, step, async (n, start, stop, by) => {
        const xs = Array.from({ length: n }, (_, i) => i)
        expect(await t.arange(n).slice([start, stop, by]).array()).toEqual(python(xs, start, stop, by))
      }),
      { numRuns: 100, seed: 5 },
    )
  })
  it.each<[string, t.Tensor, unknown]>([
    ['a number drops its dimension', m.slice(-1), [3, 4, 5]],
    [
      'null takes all',
      m.slice(null, [1]),
      [
        [1, 2],
        [4, 5],
      ],
    ],
    ['all at once', m.slice(1, [null, null, -2]), [5, 3]],
    ['at', m.at(1, -1), [2, 5]],
    [
      'narrow',
      m.narrow(1, -2, 2),
      [
        [1, 2],
        [4, 5],
      ],
    ],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})

describe('movement', () => {
  const v = t.arange(4)
  it.each<[string, t.Tensor, unknown]>([
    [
      'reshape',
      m.reshape([3, -1]),
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    ],
    ['flatten', t.zeros([2, 3, 0, 4]).flatten(1, 2), [[], []]],
    [
      'transpose',
      m.T,
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    [
      'moveAxis',
      m.unsqueeze(0).moveAxis(0, -1),
      [
        [[0], [1], [2]],
        [[3], [4], [5]],
      ],
    ],
    ['squeeze', t.zeros([1, 2, 1]).squeeze(), [0, 0]],
    [
      'expand',
      t.tensor([[1], [2]]).expand([2, -1, 2]),
      [
        [
          [1, 1],
          [2, 2],
        ],
        [
          [1, 1],
          [2, 2],
        ],
      ],
    ],
    ['roll', v.roll(-1), [1, 2, 3, 0]],
    [
      'roll along an axis',
      m.roll(4, 1),
      [
        [2, 0, 1],
        [5, 3, 4],
      ],
    ],
    [
      'roll of the flattened',
      m.roll(1),
      [
        [5, 0, 1],
        [2, 3, 4],
      ],
    ],
    [
      'tile',
      t.tile(t.tensor([1, 2]), [2, 2]),
      [
        [1, 2, 1, 2],
        [1, 2, 1, 2],
      ],
    ],
    [
      'tile of fewer',
      t.tile(m, [2]),
      [
        [0, 1, 2, 0, 1, 2],
        [3, 4, 5, 3, 4, 5],
      ],
    ],
    ['repeatInterleave', t.repeatInterleave(t.tensor([1, 2]), 2), [1, 1, 2, 2]],
    [
      'repeatInterleave along an axis',
      t.repeatInterleave(m, 2, 0),
      [
        [0, 1, 2],
        [0, 1, 2],
        [3, 4, 5],
        [3, 4, 5],
      ],
    ],
    [
      'triu',
      m.triu(1),
      [
        [0, 1, 2],
        [0, 0, 5],
      ],
    ],
    [
      'tril',
      t.ones([2, 3]).tril(-1),
      [
        [0, 0, 0],
        [1, 0, 0],
      ],
    ],
    [
      'diag of a vector',
      t.diag(t.tensor([1, 2]), 1),
      [
        [0, 1, 0],
        [0, 0, 2],
        [0, 0, 0],
      ],
    ],
    ['diag of a matrix', t.diag(m, 1), [1, 5]],
    ['diag below', t.diag(m, -1), [3]],
    ['diag outside', t.diag(m, 3), []],
    [
      'stacks of diagonals',
      t.diagonal(t.arange(8).reshape([2, 2, 2])),
      [
        [0, 3],
        [4, 7],
      ],
    ],
    [
      'stack at the end',
      t.stack([v, v], -1),
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    ],
    ['concat of dtypes', t.concat([v, t.tensor([0.5])]), [0, 1, 2, 3, 0.5]],
    ['pad', t.pad(v, 1, { value: 9 }), [9, 0, 1, 2, 3, 9]],
    ['pad reflect', t.pad(v, [[2, 3]], { mode: 'reflect' }), [2, 1, 0, 1, 2, 3, 2, 1, 0]],
    ['pad replicate', t.pad(v, [[2, 1]], { mode: 'replicate' }), [0, 0, 0, 1, 2, 3, 3]],
    ['pad circular', t.pad(v, [[1, 2]], { mode: 'circular' }), [3, 0, 1, 2, 3, 0, 1]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
  it.each<[string, t.Tensor[], unknown]>([
    ['split by a size', t.arange(5).split(2), [[0, 1], [2, 3], [4]]],
    ['split by sizes', t.arange(5).split([1, 0, 4]), [[0], [], [1, 2, 3, 4]]],
    ['chunk', t.arange(5).chunk(3), [[0, 1], [2, 3], [4]]],
    ['fewer chunks than asked for', t.arange(5).chunk(4), [[0, 1], [2, 3], [4]]],
    [
      'unbind',
      m.unbind(1),
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
  ])('%s', async (_, parts, expected) => {
    expect(await Promise.all(parts.map((p) => p.array()))).toEqual(expected)
  })
})
