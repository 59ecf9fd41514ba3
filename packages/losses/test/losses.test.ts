import { grad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { disposeBackend, OpError, ones, type Tensor, tensor, useBackend, zeros } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as l from '../src/index.ts'

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.cast('float32').data(), (v) => v + 0)
const labels = (...classes: number[]): Tensor => tensor(classes, 'int32')

describe.each([
  ['reference', () => reference()],
  ['cpu', () => cpu()],
])('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  describe('extreme logits', () => {
    it('cross entropy stays finite, and so does its gradient', async () => {
      const x = tensor([
        [1e4, -1e4, 0],
        [-1e4, 1e4, 1e4],
        [1e4, 1e4, 1e4],
      ])
      const loss = (z: Tensor): Tensor => l.crossEntropy(z, labels(0, 0, 2), { reduction: 'none' })
      const [right, wrong, undecided] = await numbers(loss(x))
      expect(right).toBe(0)
      expect(wrong).toBeCloseTo(2e4 + Math.log(2), 1)
      expect(undecided).toBeCloseTo(Math.log(3), 6)
      const [, , , ...rest] = await numbers(grad((z: Tensor) => loss(z).sum())(x))
      expect(rest.map((g) => Math.round(g * 1000) / 1000)).toEqual([-1, 0.5, 0.5, 0.333, 0.333, -0.667])
    })

    it('binary cross entropy with logits stays finite; its slope at 0 is sigmoid(0) - t', async () => {
      const x = tensor([1e4, -1e4, 1e4, -1e4, 0, 0])
      const t = tensor([1, 0, 0, 1, 1, 0])
      const loss = (z: Tensor): Tensor => l.binaryCrossEntropyWithLogits(z, t, { reduction: 'none' })
      expect(await numbers(loss(x))).toEqual([0, 0, 1e4, 1e4, Math.LN2, Math.LN2].map(Math.fround))
      expect(await numbers(grad((z: Tensor) => loss(z).sum())(x))).toEqual([0, 0, 1, -1, -0.5, 0.5].map((g) => g))
    })

    it('binary cross entropy holds its logarithms at -100 and its slope finite', async () => {
      const x = tensor([0, 0, 1, 1, 0.5])
      const t = tensor([0, 1, 1, 0, 0.5])
      const loss = (z: Tensor): Tensor => l.binaryCrossEntropy(z, t, { reduction: 'none' })
      expect(await numbers(loss(x))).toEqual([0, 100, 0, 100, Math.fround(Math.LN2)])
      expect((await numbers(grad((z: Tensor) => loss(z).sum())(x))).every(Number.isFinite)).toBe(true)
      expect(await l.binaryCrossEntropy(tensor([1.5]), tensor([1])).item()).toBeNaN()
    })

    it('masked logits count for nothing', async () => {
      const x = tensor([[0, Number.NEGATIVE_INFINITY, 0]])
      expect(await l.crossEntropy(x, labels(2)).item()).toBeCloseTo(Math.LN2, 6)
    })
  })

  describe('the lectures’ deltas of the output layer', () => {
    const sizes = { minLength: 6, maxLength: 6 }
    const values = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), sizes)

    it('(a - y) f’(z) for half the squared error, a - y for cross entropy', async () => {
      await fc.assert(
        fc.asyncProperty(
          values,
          fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 2 }),
          async (v, t) => {
            const z = tensor(v, [2, 3])
            const y = tensor(
              t.flatMap((c) => [0, 1, 2].map((k) => Number(c === k))),
              [2, 3],
            )
            const near = async (a: Tensor, b: Tensor) => {
              const [x, expected] = [await numbers(a), await numbers(b)]
              for (const [i, e] of expected.entries()) expect(x[i]).toBeCloseTo(e, 5)
            }
            const a = z.sigmoid()
            const half = (u: Tensor): Tensor => l.mse(u.sigmoid(), y, { reduction: 'sum' }).div(2)
            await near(grad(half)(z), a.sub(y).mul(a).mul(a.neg().add(1)))
            const binary = (u: Tensor): Tensor => l.binaryCrossEntropyWithLogits(u, y, { reduction: 'sum' })
            await near(grad(binary)(z), a.sub(y))
            const softmax = (u: Tensor): Tensor => l.crossEntropy(u, labels(...t), { reduction: 'sum' })
            await near(grad(softmax)(z), z.softmax(1).sub(y))
          },
        ),
        { numRuns: 10 },
      )
    })
  })

  describe('classes', () => {
    const x = tensor([
      [1, 2, 3],
      [3, 2, 1],
    ])

    it.each([
      ['crossEntropy', (t: Tensor) => l.crossEntropy(x, t, { reduction: 'none' })],
      ['crossEntropy with smoothing', (t: Tensor) => l.crossEntropy(x, t, { reduction: 'none', labelSmoothing: 0.1 })],
      ['nll', (t: Tensor) => l.nll(x, t, { reduction: 'none' })],
      ['multiMargin', (t: Tensor) => l.multiMargin(x, t, { reduction: 'none' })],
    ])('%s of a class that is not there is NaN', async (_, loss) => {
      for (const bad of [3, -1]) {
        const [first, second] = await numbers(loss(labels(bad, 1)))
        expect(first).toBeNaN()
        expect(second).toBeGreaterThan(-10)
      }
    })

    it.each([l.crossEntropy, l.nll])('%o ignores an index, chosen or -100', async (loss) => {
      const only = await loss(x.slice([1, 2]), labels(2)).item()
      expect(await loss(x, labels(-100, 2)).item()).toBeCloseTo(only, 6)
      expect(await loss(x, labels(0, 2), { ignoreIndex: 0 }).item()).toBeCloseTo(only, 6)
      expect(await loss(x, labels(-1, 2)).item()).toBeNaN()
      expect(await loss(x, labels(-100, -100)).item()).toBeNaN()
      expect(await loss(x, labels(-100, -100), { reduction: 'sum' }).item()).toBe(0)
    })

    it('come as any integers, for one example, and for many per example', async () => {
      const expected = await l.crossEntropy(x, labels(2, 0)).item()
      expect(await l.crossEntropy(x, tensor([2, 0], 'uint8')).item()).toBe(expected)
      expect(await l.crossEntropy(tensor([1, 2, 3]), tensor(2, 'int32')).item()).toBeCloseTo(expected, 6)
      const pixels = x.unsqueeze(2).expand([2, 3, 4])
      expect(await l.crossEntropy(pixels, labels(2, 0).unsqueeze(1).expand([2, 4])).item()).toBeCloseTo(expected, 6)
      const soft = tensor([
        [0, 0, 1],
        [1, 0, 0],
      ])
      expect(await l.crossEntropy(x, soft).item()).toBeCloseTo(expected, 6)
    })

    it('weights of classes agree between numbers and probabilities', async () => {
      const weight = tensor([0.5, 2, 3])
      const smooth = { weight, labelSmoothing: 0.2, reduction: 'none' } as const
      const hard = await numbers(l.crossEntropy(x, labels(2, 0), smooth))
      const soft = await numbers(
        l.crossEntropy(
          x,
          tensor([
            [0, 0, 1],
            [1, 0, 0],
          ]),
          smooth,
        ),
      )
      for (const [i, h] of hard.entries()) expect(h).toBeCloseTo(soft[i] as number, 5)
    })
  })

  describe('distances', () => {
    it('klDiv is 0 for a target of itself, with zeros and logarithms', async () => {
      const p = tensor([[0.5, 0.5, 0]])
      const logP = tensor([[Math.log(0.5), Math.log(0.5), -50]])
      expect(await l.klDiv(logP, p).item()).toBeCloseTo(0, 6)
      expect(await l.klDiv(logP, logP, { logTarget: true, reduction: 'batchmean' }).item()).toBeCloseTo(0, 6)
    })

    it('of zero vectors stay finite', async () => {
      const loss = (a: Tensor): Tensor => l.cosineEmbedding(a, zeros([1, 3]), ones([1]))
      expect((await numbers(grad(loss)(zeros([1, 3])))).every(Number.isFinite)).toBe(true)
      const triplet = (a: Tensor): Tensor => l.tripletMargin(a, zeros([1, 3]), ones([1, 3]), { swap: true })
      expect((await numbers(grad(triplet)(zeros([1, 3])))).every(Number.isFinite)).toBe(true)
    })

    it('triplets may swap for the nearer pair', async () => {
      const [a, p, n] = [tensor([[0, 0]]), tensor([[1, 0]]), tensor([[2, 0]])]
      expect(await l.tripletMargin(a, p, n).item()).toBeCloseTo(0, 5)
      expect(await l.tripletMargin(a, p, n, { swap: true }).item()).toBeCloseTo(1, 5)
    })
  })

  describe('likelihoods', () => {
    it('a variance below eps is held there, and can recover', async () => {
      const loss = (v: Tensor): Tensor => l.gaussianNll(tensor([1]), tensor([0]), v, { eps: 0.5 })
      expect(await loss(tensor([0.1])).item()).toBeCloseTo((Math.log(0.5) + 2) / 2, 6)
      expect(await numbers(grad(loss)(tensor([0.1])))).toEqual([(2 - 4) / 2])
    })

    it('poisson without logarithms', async () => {
      expect(await l.poissonNll(tensor([2]), tensor([3]), { logInput: false }).item()).toBeCloseTo(2 - 3 * Math.LN2, 5)
    })
  })

  describe('metrics', () => {
    const logits = tensor([
      [0, 1],
      [3, 1],
      [0, 2],
    ])
    it('count the rows that are wrong, and the share that is right', async () => {
      expect(await l.errorCount(logits, labels(1, 1, 1)).item()).toBe(1)
      expect(await l.accuracy(logits, tensor([1, 0, 0], 'uint8')).item()).toBeCloseTo(2 / 3, 6)
      expect(await l.errorCount(zeros([0, 2]), labels()).item()).toBe(0)
    })
  })
})

describe('bad input', () => {
  const x = zeros([2, 3])
  it.each<[string, () => unknown, RegExp]>([
    [
      'shapes that differ',
      () => l.mse(x, zeros([3, 2])),
      /mse.*differ in shape.*\[2, 3\] and \[3, 2\].*do not broadcast/,
    ],
    ['a target that would broadcast', () => l.l1Loss(x, zeros([3])), /do not broadcast/],
    ['no elements to average', () => l.mse(zeros([0]), zeros([0])), /the batch is empty.*reduction: 'sum'/],
    ['an empty batch of logits', () => l.crossEntropy(zeros([0, 3]), labels()), /crossEntropy.*the batch is empty/],
    ['a scalar for logits', () => l.crossEntropy(zeros([]), labels(1)), /needs a dimension of classes/],
    ['labels as floats', () => l.crossEntropy(x, zeros([2])), /float32 targets are probabilities.*cast\('int32'\)/],
    ['labels as floats, nll', () => l.nll(x, zeros([2])), /class numbers must be integers, got float32/],
    ['too many labels', () => l.crossEntropy(x, labels(0, 1, 2)), /without the dimension of classes.*Expected \[2\]/],
    ['one-hot integers', () => l.crossEntropy(x, zeros([2, 3], 'int32')), /Expected \[2\]/],
    [
      'too few class weights',
      () => l.crossEntropy(x, labels(0, 1), { weight: ones([2]) }),
      /one weight per class, \[3\]/,
    ],
    ['smoothing above 1', () => l.crossEntropy(x, labels(0, 1), { labelSmoothing: 1.1 }), /between 0 and 1, got 1.1/],
    ['an unknown reduction', () => l.mse(x, x, { reduction: 'avg' as 'sum' }), /'mean', 'sum' or 'none', got 'avg'/],
    ['delta of 0', () => l.huber(x, x, { delta: 0 }), /huber.*delta must be .*above 0/],
    ['beta of 0', () => l.smoothL1(x, x, { beta: 0 }), /smoothL1.*beta must be .*above 0/],
    ['batchmean of a scalar', () => l.klDiv(zeros([]), zeros([]), { reduction: 'batchmean' }), /batchmean needs/],
    ['cosine targets that do not fit', () => l.cosineEmbedding(x, x, zeros([3])), /cosineEmbedding.*\[2\] and \[3\]/],
    ['labels that do not fit', () => l.errorCount(x, labels(1)), /errorCount.*logits \[N, C\] and labels \[N\]/],
    ['accuracy of nothing', () => l.accuracy(zeros([0, 2]), labels()), /accuracy.*empty/],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })
})
