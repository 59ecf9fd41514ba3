import { vjpNodes } from '@tessella/autograd'
import { reference } from '@tessella/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

/** d sum(f(x)) / dx. */
async function slope(f: (x: t.Tensor) => t.Tensor, at: number[]): Promise<number[]> {
  const x = t.tensor(at)
  const y = f(x)
  const [dx] = vjpNodes([t.nodeOf(y)], [t.nodeOf(t.onesLike(y))], [t.nodeOf(x)])
  return Array.from(await t.fromNode(dx!).data(), Number)
}
const inf = Number.POSITIVE_INFINITY

describe('division of integers', () => {
  const whole = fc.integer({ min: -20, max: 20 })
  const pairs = fc.array(
    fc.tuple(
      whole,
      whole.filter((n) => n !== 0),
    ),
    { minLength: 1, maxLength: 20 },
  )
  it('rounds down and leaves a remainder with the sign of the divisor', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (list) => {
        const a = t.tensor(
          list.map((p) => p[0]),
          'int32',
        )
        const b = t.tensor(
          list.map((p) => p[1]),
          'int32',
        )
        const down = list.map(([x, y]) => Math.floor(x / y))
        expect(Array.from(await t.floorDiv(a, b).data())).toEqual(down)
        expect(Array.from(await a.cast('float32').floorDiv(b).data(), (v) => v + 0)).toEqual(down.map((v) => v + 0))
        const rest = list.map(([x, y], i) => x - y * down[i]!)
        expect(Array.from(await t.remainder(a, b).data())).toEqual(rest)
        expect(Array.from(await t.remainder(a.cast('float32'), b).data(), (v) => v + 0)).toEqual(rest.map((v) => v + 0))
        expect(Array.from(await t.fmod(a, b).data(), (v) => v + 0)).toEqual(list.map(([x, y]) => (x % y) + 0))
      }),
      { numRuns: 20, seed: 3 },
    )
  })
})

describe('functions of one or two tensors', () => {
  const x = t.tensor([-1.5, -0, 0.5, Number.NaN, inf, -inf])
  const ints = t.tensor([6, -5], 'int32')
  it.each<[string, t.Tensor, unknown]>([
    ['numbers on the left', t.sub(1, t.tensor([3])), [-2]],
    ['integer powers', t.pow(ints, 3), [216, -125]],
    ['float powers', t.pow(t.tensor([4, 9]), 0.5), [2, 3]],
    ['the power 0', t.pow(t.tensor([0, 5]), 0), [1, 1]],
    ['negative powers', t.pow(t.tensor([2, 4]), -1), [0.5, 0.25]],
    ['a power of a number', t.pow(2, t.tensor([3, -1])), [8, 0.5]],
    ['integer quotients', t.div(ints, 4), [1.5, -1.25]],
    ['halves to even', t.round(t.tensor([0.5, 1.5, 2.5])), [0, 2, 2]],
    ['NaN', t.isNan(x), [false, false, false, true, false, false]],
    ['infinities', t.isInf(x), [false, false, false, false, true, true]],
    ['finite numbers', t.isFinite(x), [true, true, true, false, false, false]],
    ['finite integers', t.isFinite(ints), [true, true]],
    ['nanToNum', t.nanToNum(x, { nan: 7, posinf: 8 }), [-1.5, -0, 0.5, 7, 8, -3.4028234663852886e38]],
    ['clip to numbers', t.clip(t.tensor([-2, 0.5, 2, Number.NaN]), -1, 1), [-1, 0.5, 1, Number.NaN]],
    ['clip from below only', t.clip(ints, 0), [6, 0]],
    [
      'clip to tensors',
      t.clip(t.tensor([1, 5]), undefined, t.tensor([[2], [0]])),
      [
        [1, 2],
        [0, 0],
      ],
    ],
    ['maximum keeps NaN', t.maximum(t.tensor([Number.NaN, 1]), 0), [Number.NaN, 1]],
    ['lerp', t.lerp(t.tensor([0, 10]), t.tensor([10, 20]), 0.25), [2.5, 12.5]],
    ['where of numbers', t.where(t.tensor([1, 0]), 2, -1), [2, -1]],
    [
      'maskedFill',
      t.maskedFill(
        t.tensor([
          [1, 2],
          [3, 4],
        ]),
        t.tensor([true, false]),
        -inf,
      ),
      [
        [-inf, 2],
        [-inf, 4],
      ],
    ],
    ['logic of numbers', t.logicalAnd(t.tensor([2, 0]), 1), [true, false]],
    ['bits', t.bitwiseXor(ints, 3), [5, -8]],
    ['shifts', t.rightShift(ints, 1), [3, -3]],
    ['bits of bool', t.bitwiseNot(t.tensor([true, false])), [false, true]],
    [
      'closeness',
      t.isClose(t.tensor([1, inf, Number.NaN, 1.1]), t.tensor([1 + 1e-7, inf, Number.NaN, 1])),
      [true, true, false, false],
    ],
    ['closeness of NaN', t.allClose(t.tensor([Number.NaN]), t.tensor([Number.NaN]), { equalNan: true }), true],
    ['uint8 arithmetic', t.sub(t.tensor([1], 'uint8'), t.tensor([2], 'uint8')), [-1]],
    ['casts of halves', t.tensor([1.5, -2], 'float16').mul(2), [3, -4]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})

describe('activations keep NaN and infinities apart', () => {
  it.each<[string, (x: t.Tensor) => t.Tensor]>([
    ['relu', t.relu],
    ['leakyRelu', t.leakyRelu],
    ['elu', t.elu],
    ['selu', t.selu],
    ['softplus', t.softplus],
    ['hardtanh', t.hardtanh],
    ['hardswish', t.hardswish],
    ['hardsigmoid', t.hardsigmoid],
    ['softshrink', t.softshrink],
    ['gelu', t.gelu],
  ])('%s', async (_, f) => {
    expect(await f(t.tensor([Number.NaN])).item()).toBeNaN()
    const [g] = await slope(f, [300])
    expect(g === 0 || g! > 0.99).toBe(true)
  })
  it('has no gradient at the kink of relu', async () => {
    expect(await slope(t.relu, [-1, 0, 2])).toEqual([0, 0, 1])
  })
  it('passes the gradient at the bounds of clip', async () => {
    expect(await slope((x) => t.clip(x, -1, 1), [-2, -1, 0, 1, 2])).toEqual([0, 1, 1, 1, 0])
  })
  it('stays exact where exp would overflow', async () => {
    expect(await t.logsumexp(t.tensor([1000, 1000])).item()).toBeCloseTo(1000 + Math.LN2, 3)
    expect(await t.logsumexp(t.tensor([-inf, -inf])).item()).toBe(-inf)
    expect(await t.softmax(t.tensor([1e4, 0]), 0).array()).toEqual([1, 0])
    expect(await t.logSoftmax(t.tensor([1e4, 0]), 0).array()).toEqual([0, -1e4])
    expect(await t.logSigmoid(t.tensor([-1e4, 1e4])).array()).toEqual([-1e4, -0])
  })
})

describe('reductions', () => {
  const m = t.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const empty = t.zeros([0, 2])
  it.each<[string, t.Tensor, unknown]>([
    ['all elements', t.sum(m), 21],
    ['a negative axis that stays', m.sum(-1, { keepdim: true }), [[6], [15]]],
    [
      'no axes',
      t.sum(m, []),
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    ['bool in int32', t.tensor([true, true]).sum(), 2],
    ['the mean of integers', m.cast('int32').mean(0), [2.5, 3.5, 4.5]],
    ['variance', m.var(1), [1, 1]],
    ['variance of the population', m.var(1, { correction: 0 }), [2 / 3, 2 / 3].map(Math.fround)],
    ['variance of one element', t.tensor([1]).var(), Number.NaN],
    ['std', m.std(0), [4.5, 4.5, 4.5].map((v) => Math.fround(Math.sqrt(v)))],
    ['norm', t.norm(t.tensor([3, -4])), 5],
    ['norm of order 1', t.norm(t.tensor([3, -4]), undefined, { p: 1 }), 7],
    ['norm of order infinity', t.norm(t.tensor([3, -4]), 0, { p: inf }), 4],
    ['norm of order 0', t.norm(t.tensor([3, 0]), 0, { p: 0 }), 1],
    ['argmax of all', m.argmax(), 5],
    ['argmin that stays', m.argmin(1, { keepdim: true }), [[0], [0]]],
    ['any', m.gt(5).any(1), [false, true]],
    ['all', m.gt(0).all(), true],
    ['any of nothing', t.any(empty, 0), [false, false]],
    ['all of nothing', t.all(empty, 0, { keepdim: true }), [[true, true]]],
    ['the sum of nothing', t.sum(empty, 0), [0, 0]],
    ['the product of nothing', t.prod(empty), 1],
    ['countNonzero', t.countNonzero(t.tensor([0, 2, Number.NaN])), 2],
    ['cummax', t.cummax(t.tensor([1, 3, 2]), 0), [1, 3, 3]],
    ['cumprod', t.cumprod(t.tensor([1, 2, 3]), 0), [1, 2, 6]],
    ['the maximum of bytes', t.max(t.tensor([3, 200], 'uint8')), 200],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
  it('has finite gradients of lengths at 0', async () => {
    expect(await slope((x) => t.norm(x), [0, 0])).toEqual([0, 0])
    expect(await slope((x) => t.std(x), [2, 2])).toEqual([0, 0])
  })
})
