import { vjpNodes } from '@tessella/autograd'
import type { Node } from '@tessella/ir'
import { gradcheck, reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

const nan = Number.NaN
const inf = Number.POSITIVE_INFINITY
const untyped = (x: unknown): never => x as never
const m = t.tensor([
  [1, 2, 3],
  [4, 5, 6],
])

describe('compositions have the values of PyTorch and NumPy', () => {
  it.each<[string, t.Tensor, unknown]>([
    ['log10', t.log10(t.tensor([1, 0])), [0, -inf]],
    ['frac keeps the sign', t.frac(t.tensor([1.5, -1.5, 2])), [0.5, -0.5, 0]],
    ['frac of integers', t.frac(t.tensor([3, -4], 'int32')), [0, 0]],
    ['logit', t.logit(t.tensor([0.5, 0, 1])), [0, -inf, inf]],
    [
      'logit with eps',
      t
        .logit(t.tensor([0, 0.5]), 0.5 - 2 ** -20)
        .abs()
        .lt(1e-5),
      [true, true],
    ],
    ['hypot', t.hypot(t.tensor([3, 0, -5]), t.tensor([4, 0, 12])), [5, 0, 13]],
    ['hypot of large legs', t.hypot(t.tensor([2 ** 127]), 0), [2 ** 127]],
    ['hypot of infinity', t.hypot(t.tensor([inf]), 1), [inf]],
    [
      'nansum',
      t.nansum(
        t.tensor([
          [1, nan],
          [nan, nan],
        ]),
        1,
      ),
      [1, 0],
    ],
    ['nansum of integers', t.nansum(t.tensor([1, 2], 'uint8')), 3],
    [
      'nanmean',
      t.nanmean(
        t.tensor([
          [1, nan, 3],
          [nan, nan, nan],
        ]),
        1,
      ),
      [2, nan],
    ],
    ['nanmean with keepdim', t.nanmean(m, 0, { keepdim: true }), [[2.5, 3.5, 4.5]]],
    [
      'kthvalue',
      t.kthvalue(
        t.tensor([
          [3, 1, 2],
          [9, 7, 8],
        ]),
        2,
      ).values,
      [2, 8],
    ],
    [
      'kthvalue along rows',
      t.kthvalue(
        t.tensor([
          [3, 1],
          [2, 9],
        ]),
        1,
        0,
      ).indices,
      [1, 0],
    ],
    ['quantile between', t.quantile(t.tensor([4, 1, 3, 2]), 0.5), 2.5],
    ['quantile at the ends', t.quantile(m, 1, 1), [3, 6]],
    ['quantile with keepdim', t.quantile(m, 0.25, 1, { keepdim: true }), [[1.5], [4.5]]],
    ['quantile of NaN', t.quantile(t.tensor([1, nan]), 0), nan],
    ['quantile at an infinity', t.quantile(t.tensor([-inf, 0, inf]), 0.5), 0],
    ['cat', t.cat([t.tensor([1]), t.tensor([2])]), [1, 2]],
    ['moveaxis', t.moveaxis(t.zeros([2, 3, 4]), 0, -1).sum([0, 1]), [0, 0]],
    [
      'swapaxes',
      t.swapaxes(m, 0, 1),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    ['diff', t.diff(t.tensor([1, 4, 9, 16])), [3, 5, 7]],
    ['the second diff', t.diff(t.tensor([1, 4, 9, 16]), 2), [2, 2]],
    ['diff along rows', t.diff(m, 1, 0), [[3, 3, 3]]],
    ['diff of too little', t.diff(t.tensor([1]), 3), []],
    [
      'takeAlongDim by argsort',
      t.takeAlongDim(
        t.tensor([
          [3, 1],
          [0, 2],
        ]),
        t.tensor(
          [
            [1, 0],
            [0, 1],
          ],
          'int32',
        ),
        1,
      ),
      [
        [1, 3],
        [0, 2],
      ],
    ],
    ['takeAlongDim broadcasts', t.takeAlongDim(m, t.tensor([[2]], 'int32'), 1), [[3], [6]]],
    [
      'meshgrid',
      t.meshgrid([t.arange(2), t.arange(3)])[1],
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
    ],
    [
      'meshgrid as pictures',
      t.meshgrid([t.arange(2), t.arange(3)], { indexing: 'xy' })[0],
      [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
    ],
    ['trace', t.trace(m), 6],
    ['bmm', t.bmm(t.ones([2, 1, 3]), t.ones([2, 3, 1])), [[[3]], [[3]]]],
    ['cross', t.cross(t.tensor([1, 0, 0]), t.tensor([0, 1, 0])), [0, 0, 1]],
    [
      'cross broadcasts',
      t.cross(
        t.tensor([
          [1, 2, 3],
          [0, 0, 1],
        ]),
        t.tensor([4, 5, 6]),
      ),
      [
        [-3, 6, -3],
        [-5, 4, 0],
      ],
    ],
    [
      'kron',
      t.kron(
        t.tensor([[1, 2]]),
        t.tensor([
          [1, 1],
          [0, 1],
        ]),
      ),
      [
        [1, 1, 2, 2],
        [0, 1, 0, 2],
      ],
    ],
    [
      'kron of ranks',
      t.kron(t.tensor([1, 10]), t.tensor([[1], [2]])),
      [
        [1, 10],
        [2, 20],
      ],
    ],
    [
      'normalize',
      t
        .normalize(
          t.tensor([
            [3, 4],
            [0, 0],
          ]),
        )
        .mul(5),
      [
        [3, 4],
        [0, 0],
      ],
    ],
    ['normalize by sums', t.normalize(t.tensor([1, 3]), 0, { p: 1 }), [0.25, 0.75]],
    [
      'cosineSimilarity',
      t.cosineSimilarity(
        t.tensor([
          [1, 0],
          [2, 0],
        ]),
        t.tensor([
          [0, 3],
          [4, 0],
        ]),
      ),
      [0, 1],
    ],
    ['cosineSimilarity of nothing', t.cosineSimilarity(t.zeros([1, 2]), t.ones([1, 2])), [0]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
  it('log10 of a thousand is 3 to the last digits', async () => {
    expect(await t.log10(t.tensor(1000)).item()).toBeCloseTo(3, 6)
  })
  it('moveaxis keeps the order of the others', () => {
    expect(t.moveaxis(t.zeros([2, 3, 4]), 0, -1).shape).toEqual([3, 4, 2])
  })
})

describe('their gradients agree with differences', () => {
  type Case = readonly [name: string, fn: (x: t.Tensor, y: t.Tensor) => t.Tensor, shapes: readonly number[][]]
  const cases: readonly Case[] = [
    ['log10', (x) => t.log10(t.add(t.abs(x), 1)), [[3]]],
    ['logit', (x) => t.logit(t.sigmoid(x)), [[3]]],
    ['hypot', (x, y) => t.hypot(x, y), [[3], [2, 3]]],
    ['nanmean', (x) => t.nanmean(x, 1), [[2, 3]]],
    ['kthvalue', (x) => t.kthvalue(x, 2).values, [[2, 4]]],
    ['quantile', (x) => t.quantile(x, 0.3, 0), [[4, 2]]],
    ['diff', (x) => t.diff(x, 2), [[2, 4]]],
    ['takeAlongDim', (x) => t.takeAlongDim(x, t.oneHot(t.zeros([1], 'int32'), 3, 'int32'), 1), [[2, 3]]],
    ['trace', (x) => t.trace(untyped(x)), [[3, 2]]],
    ['cross', (x, y) => t.cross(x, untyped(y)), [[2, 3], [3]]],
    [
      'kron',
      (x, y) => t.kron(x, y),
      [
        [2, 1],
        [2, 3],
      ],
    ],
    ['normalize', (x) => t.normalize(x), [[2, 3]]],
    [
      'cosineSimilarity',
      (x, y) => t.cosineSimilarity(x, y),
      [
        [2, 3],
        [2, 3],
      ],
    ],
  ]
  it.each(cases)('%s', async (_, fn, shapes) => {
    await gradcheck(
      ([x, y = x]) => t.nodeOf(fn(t.fromNode(x as Node), t.fromNode(y as Node))),
      shapes.map((shape) => ({ shape })),
      { vjp: (output, inputs, seed) => vjpNodes([output], [seed], inputs) },
    )
  })
  it('hypot has none at the origin', async () => {
    const x = t.tensor([0])
    const [dx] = vjpNodes([t.nodeOf(t.hypot(x, 0))], [t.nodeOf(t.ones([1]))], [t.nodeOf(x)])
    expect(await t.fromNode(dx as never).array()).toEqual([0])
  })
})

describe('their mistakes are named', () => {
  it.each<[string, () => unknown, string]>([
    ['logit', () => t.logit(m, 0.5), '[logit] eps 0.5 leaves nothing'],
    ['kthvalue', () => t.kthvalue(m, 0), '[kthvalue] k = 0 is not within the size 3 of axis 1'],
    ['quantile', () => t.quantile(m, 50), '[quantile] q 50 is not within 0 and 1'],
    ['quantile of nothing', () => t.quantile(t.zeros([0]), 0.5), '[quantile] an empty dimension has no quantile'],
    ['diff', () => t.diff(m, -1), '[diff] -1 is not a number of differences'],
    [
      'takeAlongDim',
      () => t.takeAlongDim(m, t.zeros([1], 'int32'), 0),
      '[takeAlongDim] the index must have 2 dimensions',
    ],
    ['meshgrid', () => t.meshgrid(untyped([m])), '[meshgrid] needs vectors (shapes [2, 3])'],
    [
      'meshgrid order',
      () => t.meshgrid([t.arange(2)], untyped({ indexing: 'yx' })),
      "[meshgrid] 'yx' is not an indexing",
    ],
    [
      'meshgrid option',
      () => t.meshgrid([t.arange(2)], untyped({ index: 'xy' })),
      "[meshgrid] there is no option 'index'",
    ],
    ['trace', () => t.trace(untyped(t.zeros([2]))), '[trace] needs a matrix'],
    ['bmm', () => t.bmm(t.zeros([2, 1, 3]), untyped(t.zeros([3, 3, 1]))), '[bmm] needs two stacks'],
    ['cross', () => t.cross(t.zeros([2]), t.zeros([2])), '[cross] axis 0 has size 2, not 3'],
    ['swapaxes', () => t.swapaxes(m, 0, untyped(2)), 'axis 2 is out of range'],
    ['normalize', () => t.normalize(m, 1, untyped({ order: 1 })), "[normalize] there is no option 'order'"],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(t.OpError)
    expect(call).toThrow(message)
  })
})
