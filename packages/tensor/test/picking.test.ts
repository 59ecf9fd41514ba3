import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

const m = t.arange(6).reshape([2, 3])

describe('picking and ordering', () => {
  const x = t.tensor([3, Number.NaN, 1, 3])
  it.each<[string, t.Tensor, unknown]>([
    [
      'take along the last axis',
      m.take(t.tensor([2, 0], 'uint8'), -1),
      [
        [2, 0],
        [5, 3],
      ],
    ],
    ['take one', m.take(t.scalar(1, 'int32')), [3, 4, 5]],
    ['take nothing', m.take(t.zeros([0], 'int32')), []],
    ['take outside', t.take(t.tensor([1, 2]), t.tensor([0, 7], 'int32')), [1, Number.NaN]],
    [
      'indexSelect',
      t.indexSelect(m, 1, t.tensor([1, 1], 'int32')),
      [
        [1, 1],
        [4, 4],
      ],
    ],
    ['gather of fewer rows', t.gather(m, 1, t.tensor([[2, 0]], 'int32')), [[2, 0]]],
    [
      'scatterAdd of a part',
      t.scatterAdd(t.zeros([2, 3]), 1, t.tensor([[0, 0]], 'int32'), t.ones([2, 3])),
      [
        [2, 0, 0],
        [0, 0, 0],
      ],
    ],
    [
      'indexAdd',
      t.indexAdd(t.zeros([3, 2]), 0, t.tensor([2, 2], 'int32'), t.ones([2, 2])),
      [
        [0, 0],
        [0, 0],
        [2, 2],
      ],
    ],
    ['argsort, stable with NaN last', t.argsort(x), [2, 0, 3, 1]],
    ['descending', t.sort(x, 0, { descending: true }).values, [Number.NaN, 3, 3, 1]],
    ['the smallest', t.topk(t.tensor([3, 1, 2]), 2, 0, { largest: false }).indices, [1, 2]],
    ['sorted bytes', t.sort(t.tensor([9, 200, 3], 'uint8')).values, [3, 9, 200]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})

describe('products', () => {
  it.each<[string, t.Tensor, unknown]>([
    ['a vector from the left', t.matmul(t.tensor([1, 2]), m.cast('float32')), [6, 9, 12]],
    [
      'a stack with one matrix',
      t.matmul(t.ones([2, 2, 3]), t.ones([3, 1])),
      [
        [[3], [3]],
        [[3], [3]],
      ],
    ],
    ['one matrix with a stack', t.matmul(t.ones([1, 3]), t.ones([2, 3, 1])), [[[3]], [[3]]]],
    ['a vector with a stack', t.matmul(t.ones([3]), t.ones([2, 3, 1])), [[3], [3]]],
    [
      'stacks that broadcast',
      t.matmul(t.ones([2, 1, 1, 2]), t.ones([2, 2, 1])).sum([-1, -2]),
      [
        [2, 2],
        [2, 2],
      ],
    ],
    [
      'integers',
      t.matmul(m, m.T),
      [
        [5, 14],
        [14, 50],
      ],
    ],
    [
      'outer',
      t.outer(t.tensor([1, 2], 'int32'), t.tensor([3, 4], 'int32')),
      [
        [3, 4],
        [6, 8],
      ],
    ],
    [
      'linear',
      t.linear(
        t.tensor([[1, 2]]),
        t.tensor([
          [3, 4],
          [5, 6],
        ]),
        t.tensor([0.5, 0]),
      ),
      [[11.5, 17]],
    ],
    [
      'no inner size',
      t.matmul(t.zeros([2, 0]), t.zeros([0, 2])),
      [
        [0, 0],
        [0, 0],
      ],
    ],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})

describe('windows', () => {
  const line = t.tensor([[[1, 2, 3, 4, 5]]])
  it.each<[string, t.Tensor, unknown]>([
    ["'same' keeps the size", t.conv1d(line, t.ones([1, 1, 2]), { padding: 'same' }), [[[3, 5, 7, 9, 5]]]],
    ["'same' with a stride", t.conv1d(line, t.ones([1, 1, 3]), { padding: 'same', stride: 2 }), [[[3, 9, 9]]]],
    ['average, dropping the rest', t.avgPool1d(line, 2), [[[1.5, 3.5]]]],
    ['average beyond the border', t.avgPool1d(line, 2, { ceilMode: true }), [[[1.5, 3.5, 5]]]],
    ['maximum beyond the border', t.maxPool1d(line, 2, { ceilMode: true }), [[[2, 4, 5]]]],
    ['a kernel larger than the input', t.maxPool1d(t.ones([1, 1, 1]), 2, { ceilMode: true }), [[[1]]]],
    [
      'padding that does not count',
      t.avgPool1d(line, 3, { stride: 2, padding: 1, countIncludePad: false }),
      [[[1.5, 3, 4.5]]],
    ],
    ['bins that overlap', t.adaptiveAvgPool1d(line, 2), [[[2, 4]]]],
    ['bins that divide', t.adaptiveMaxPool1d(t.arange(4).reshape([1, 1, 4]), 2), [[[1, 3]]]],
    ['bytes', t.avgPool1d(t.tensor([2, 4], [1, 1, 2], 'uint8'), 2), [[[3]]]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})

describe('Tensor', () => {
  it('is told from other values, and nodeOf refuses another copy of the package', () => {
    expect(t.isTensor(m)).toBe(true)
    for (const x of [null, 3, {}, [], 'x']) expect(t.isTensor(x)).toBe(false)
    const foreign = { [Symbol.for('tessella.tensor')]: t.nodeOf(m) }
    expect(t.isTensor(foreign)).toBe(true)
    expect(() => t.nodeOf(foreign as never)).toThrow(
      '[tensor] this tensor was made by another copy of @tessella/tensor.',
    )
  })
  it('knows its size', () => {
    expect([m.size, m.ndim, m.dtype, m.shape]).toEqual([6, 2, 'int32', [2, 3]])
  })
  it('reads items as numbers and truths', async () => {
    expect(await t.tensor(1.5, 'float16').item()).toBe(1.5)
    expect(await t.tensor([[true]]).item()).toBe(true)
  })
})
