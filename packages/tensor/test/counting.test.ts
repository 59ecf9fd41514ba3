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
const ints = (values: number[]) => t.tensor(values, 'int32') as t.Tensor<[number], 'int32'>
const sorted = t.tensor([
  [1, 3, 5],
  [2, 2, 6],
])
const wanted = t.tensor([
  [3, 9],
  [2, 0],
])

describe('the values of PyTorch', () => {
  it.each<[string, t.Tensor, unknown]>([
    ['bincount', t.bincount(ints([0, 2, 2, 7, -1]), 4), [1, 0, 2, 0]],
    ['bincount of weights', t.bincount(ints([1, 0, 1]), 2, t.tensor([0.5, 2, 1])), [2, 1.5]],
    ['bincount of nothing', t.bincount(ints([]), 2), [0, 0]],
    [
      'searchsorted',
      t.searchsorted(sorted, wanted),
      [
        [1, 3],
        [0, 0],
      ],
    ],
    [
      'searchsorted right',
      t.searchsorted(sorted, wanted, { right: true }),
      [
        [2, 3],
        [2, 0],
      ],
    ],
    [
      'searchsorted in one sequence',
      t.searchsorted(t.tensor([1, 3, 5]), wanted),
      [
        [1, 3],
        [1, 0],
      ],
    ],
    ['searchsorted of numbers of two kinds', t.searchsorted(ints([1, 3]), t.tensor([2.5])), [1]],
    [
      'median of all',
      t.median(
        t.tensor([
          [4, 1],
          [3, 2],
        ]),
      ),
      2,
    ],
    [
      'median along an axis, NaN',
      t.median(
        t.tensor([
          [3, 1, 2, 9],
          [4, nan, 0, 0],
        ]),
        1,
      ),
      [2, nan],
    ],
    ['median of integers', t.median(ints([5, 1, 9]), 0, { keepdim: true }), [5]],
    ['logspace', t.logspace(0, 3, 4, 2), [1, 2, 4, 8]],
    ['copysign', t.copysign(t.tensor([1, -1, 2, 0]), t.tensor([-0, 3, 0, -1])), [-1, 1, 2, -0]],
    ['copysign of infinity', t.copysign(t.tensor([inf, nan]), -1), [-inf, nan]],
    ['heaviside', t.heaviside(t.tensor([-2, 0, 3, nan]), 0.5), [0, 0.5, 1, nan]],
    ['heaviside of integers', t.heaviside(ints([-2, 0, 3]), 7), [0, 7, 1]],
    [
      'tensordot of the last with the first',
      t.tensordot(t.ones([2, 3]), t.ones([3, 2]), 1),
      [
        [3, 3],
        [3, 3],
      ],
    ],
    [
      'tensordot over named axes',
      t.tensordot(t.arange(6).reshape([1, 2, 3]), t.arange(12).reshape([3, 2, 2]), [
        [1, 2],
        [2, 0],
      ]),
      [[88, 118]],
    ],
    [
      'tensordot over none',
      t.tensordot(t.tensor([1, 2]), t.tensor([3, 4]), 0),
      [
        [3, 4],
        [6, 8],
      ],
    ],
    [
      'cdist',
      t.cdist(
        t.tensor([[0, 0]]),
        t.tensor([
          [3, 4],
          [0, 1],
        ]),
      ),
      [[5, 1]],
    ],
    [
      'cdist of order 1',
      t.cdist(
        t.tensor([
          [0, 0],
          [1, 1],
        ]),
        t.tensor([
          [3, 4],
          [0, 1],
        ]),
        1,
      ),
      [
        [7, 1],
        [5, 1],
      ],
    ],
    ['cdist of stacks', t.cdist(t.zeros([2, 1, 2]), t.ones([2, 2]), 1), [[[2, 2]], [[2, 2]]]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})

describe('multinomial', () => {
  it('draws each index once, never those without weight', async () => {
    const weights = t.expand(t.tensor([0.2, 0, 3, 1]), [50, 4])
    const drawn = (await t.multinomial(t.key(1), weights, 3).array()) as number[][]
    for (const row of drawn) expect([...row].sort()).toEqual([0, 2, 3])
  })
  it('draws by weight with replacement', async () => {
    const drawn = await t.multinomial(t.key(2), t.tensor([1, 3]), 20_000, { replacement: true }).data()
    const share = [...drawn].reduce((a, b) => a + b, 0) / drawn.length
    // Five standard deviations.
    expect(Math.abs(share - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / drawn.length))
  })
  it('has the shape of the weights but for the last size', () => {
    expect(t.multinomial(t.key(1), t.ones([2, 3, 4]), 2, { replacement: true }).shape).toEqual([2, 3, 2])
  })
})

describe('their gradients agree with differences', () => {
  it.each<[string, (x: t.Tensor, y: t.Tensor) => t.Tensor, number[][]]>([
    ['bincount', (x) => t.bincount(untyped(t.remainder(t.arange(1, 4), 2)), 2, untyped(x)), [[3]]],
    ['median', (x) => t.median(x, 1), [[2, 4]]],
    ['copysign', (x, y) => t.copysign(x, untyped(y)), [[4], [4]]],
    [
      'tensordot',
      (x, y) => t.tensordot(x, y, [[0], [1]]),
      [
        [2, 3],
        [2, 2],
      ],
    ],
    [
      'cdist',
      (x, y) => t.cdist(x, y),
      [
        [2, 3],
        [2, 3],
      ],
    ],
    ['frac', (x) => t.frac(x), [[3]]],
    ['nansum', (x) => t.nansum(x, 0), [[2, 3]]],
    [
      'bmm',
      (x, y) => t.bmm(untyped(x), untyped(y)),
      [
        [2, 1, 3],
        [2, 3, 2],
      ],
    ],
    [
      'cat',
      (x, y) => t.cat([x, y], 0),
      [
        [1, 2],
        [2, 2],
      ],
    ],
    ['moveaxis', (x) => t.moveaxis(x, 0, 2), [[2, 1, 3]]],
    ['swapaxes', (x) => t.swapaxes(x, 0, untyped(1)), [[2, 3]]],
    ['meshgrid', (x, y) => t.add(...(t.meshgrid(untyped([x, y])) as [t.Tensor, never])), [[2], [3]]],
  ])('%s', async (_, fn, shapes) => {
    await gradcheck(
      ([x, y = x]) => t.nodeOf(fn(t.fromNode(x as Node), t.fromNode(y as Node))),
      shapes.map((shape) => ({ shape })),
      { vjp: (output, inputs, seed) => vjpNodes([output], [seed], inputs) },
    )
  })
  it('cdist has none at distance 0', async () => {
    const x = t.tensor([[1, 2]])
    const [dx] = vjpNodes([t.nodeOf(t.cdist(x, t.tensor([[1, 2]])))], [t.nodeOf(t.ones([1, 1]))], [t.nodeOf(x)])
    expect(await t.fromNode(dx as never).array()).toEqual([[0, 0]])
  })
})

describe('mistakes are named', () => {
  it.each<[string, () => unknown, string]>([
    ['bincount of floats', () => t.bincount(untyped(t.ones([2])), 2), 'an index must hold integers'],
    ['bincount of a matrix', () => t.bincount(untyped(t.zeros([2, 2], 'int32')), 2), '[bincount] needs a vector'],
    ['weights', () => t.bincount(ints([1]), 2, t.ones([2])), '[bincount] needs one weight for each number'],
    ['searchsorted', () => t.searchsorted(sorted, t.zeros([3, 1])), '[searchsorted] needs one sequence'],
    ['searchsorted option', () => t.searchsorted(sorted, wanted, untyped({ side: 1 })), "there is no option 'side'"],
    ['median of nothing', () => t.median(t.zeros([0])), '[median] an empty dimension has no median'],
    ['tensordot', () => t.tensordot(t.ones([2, 3]), t.ones([2, 3]), 1), '[tensordot] axes [1] and [0] differ'],
    ['too many axes', () => t.tensordot(t.ones([2]), t.ones([2]), 2), '2 axes are more than both have'],
    ['cdist', () => t.cdist(t.ones([2, 3]), t.ones([2, 2])), '[cdist] needs rows of equal length'],
    ['logspace', () => t.logspace(0, 1, 2, -1), '[logspace] the base -1 is not a positive number'],
    ['multinomial', () => t.multinomial(t.key(1), t.ones([2]), 3), '[multinomial] cannot draw 3 of 2'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(t.OpError)
    expect(call).toThrow(message)
  })
})
