import { grad, valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { adamw, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, OpError, type Tensor, tensor, useBackend, Variable, zeros } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { constrain, decoupledDecay, elasticNet, l1, l2, maxNorm, nonNegative, unitNorm } from '../src/index.ts'

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.cast('float32').data(), (v) => v + 0)
const model = () => ({
  first: {
    weight: new Variable(
      tensor([
        [1, -2],
        [3, 0],
      ]),
    ),
    bias: new Variable(tensor([5, 6])),
  },
  norm: { weight: new Variable(tensor([7, 8])), running: new Variable(tensor([[9]]), { trainable: false }) },
  bias: new Variable(tensor([[10, 11]])),
  biased: { weight: new Variable(tensor([[-4]])) },
})

describe.each([
  ['reference', () => reference()],
  ['cpu', () => cpu()],
])('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  describe('penalties', () => {
    it.each([
      ['l2', (m: unknown) => l2(m, 0.5), 0.25 * (1 + 4 + 9 + 16), (w: number) => 0.5 * w],
      ['l1', (m: unknown) => l1(m, 0.5), 0.5 * (1 + 2 + 3 + 4), (w: number) => 0.5 * Math.sign(w)],
      [
        'elasticNet',
        (m: unknown) => elasticNet(m, 0.5, 0.25),
        0.5 * (1 + 2 + 3 + 4) + 0.25 * (1 + 4 + 9 + 16),
        (w: number) => 0.5 * Math.sign(w) + 0.5 * w,
      ],
    ])('%s sums over the weights, biases and vectors left out', async (_name, penalty, value, slope) => {
      const m = model()
      const [loss, grads] = valueAndGrad(() => penalty(m), m)
      expect(await loss.item()).toBeCloseTo(value, 6)
      expect(await numbers(grads['first.weight'] as Tensor)).toEqual([1, -2, 3, 0].map(slope))
      expect(await numbers(grads['biased.weight'] as Tensor)).toEqual([slope(-4)])
      for (const name of ['first.bias', 'norm.weight', 'bias'])
        expect((await numbers(grads[name] as Tensor)).every((g) => g === 0)).toBe(true)
    })

    it('take what is selected, and a single Variable whatever it is', async () => {
      const m = model()
      expect(await l1(m, 1, { select: (name) => name.endsWith('bias') }).item()).toBe(5 + 6 + 10 + 11)
      expect(await l2(m.norm.weight, 2).item()).toBe(49 + 64)
    })
  })

  describe('constraints', () => {
    const matrix = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 6, maxLength: 6 })
    const rows = (v: readonly number[]): number[][] => [v.slice(0, 3), v.slice(3)]
    const columns = (v: readonly number[]): number[][] => [0, 1, 2].map((i) => [v[i] as number, v[i + 3] as number])

    it('maxNorm shortens long rows to the limit, leaves the others, and a second time changes nothing', async () => {
      await fc.assert(
        fc.asyncProperty(matrix, fc.float({ min: 0.5, max: 20, noNaN: true }), async (v, limit) => {
          const w = tensor(v, [2, 3])
          for (const [axis, parts] of [
            [0, rows],
            [-1, columns],
          ] as const) {
            const project = maxNorm(limit, { axis })
            const once = await numbers(project(w))
            for (const [i, part] of parts(once).entries()) {
              const before = parts(v)[i] as number[]
              expect(Math.hypot(...part)).toBeLessThanOrEqual(limit * (1 + 1e-6))
              if (Math.hypot(...before) <= limit * (1 - 1e-6)) expect(part).toEqual(before.map((x) => x + 0))
            }
            const twice = await numbers(project(project(w)))
            for (const [i, x] of twice.entries()) expect(x).toBeCloseTo(once[i] as number, 4)
          }
        }),
        { numRuns: 20 },
      )
    })

    it('maxNorm treats filters whole and vectors by element', async () => {
      expect(await numbers(maxNorm(1)(tensor([3, 4, 0, 0.5], [2, 2, 1, 1])))).toEqual(
        [0.6, 0.8, 0, 0.5].map(Math.fround),
      )
      expect(await numbers(maxNorm(1)(tensor([3, -0.5, -2])))).toEqual([1, -0.5, -1])
    })

    it('unitNorm makes rows of norm 1 and leaves zeros; nonNegative cuts', async () => {
      expect(
        await numbers(
          unitNorm()(
            tensor([
              [3, 4],
              [0, 0],
            ]),
          ),
        ),
      ).toEqual([0.6, 0.8, 0, 0].map(Math.fround))
      expect(await numbers(nonNegative()(tensor([-1, 0, 2])))).toEqual([0, 0, 2])
    })

    it('constrain projects the selected parameters inside a compiled step', async () => {
      const m = model()
      const step = compile(() => constrain(m, maxNorm(1)))
      step()
      expect(await numbers(m.first.weight.value)).toEqual(
        [1 / Math.sqrt(5), -2 / Math.sqrt(5), 1, 0].map((x) => expect.closeTo(x, 6)),
      )
      expect(await numbers(m.bias.value)).toEqual([10, 11])
    })
  })

  it('decoupled decay before the update is adamw', async () => {
    const run = async (inside: boolean): Promise<number[]> => {
      const w = new Variable(
        tensor([
          [1, -2],
          [3, 4],
        ]),
      )
      const opt = optimizer(adamw(0.1, { weightDecay: inside ? 0.3 : 0 }), { w })
      for (let i = 0; i < 5; i++) {
        const grads = grad(() => w.value.square().square().sum(), { w })
        if (!inside) decoupledDecay({ w }, 0.1, 0.3)
        opt.update(grads)
      }
      return numbers(w.value)
    }
    const [chained, apart] = [await run(true), await run(false)]
    for (const [i, x] of chained.entries()) expect(x).toBeCloseTo(apart[i] as number, 5)
  })
})

describe('bad input', () => {
  const vectors = { weight: new Variable(zeros([3])) }
  it.each<[string, () => unknown, RegExp]>([
    ['nothing selected', () => l2(vectors, 1), /l2.*selected none of 1 trainable Variables.*pass `select`/],
    ['no Variables', () => constrain({}, nonNegative()), /constrain.*selected none of 0/],
    ['a negative strength', () => l1(model(), -1), /l1.*>= 0, got -1/],
    ['an infinite strength', () => elasticNet(model(), 1, Number.POSITIVE_INFINITY), /elasticNet.*got Infinity/],
    ['a negative rate', () => decoupledDecay(model(), -0.1, 1), /decoupledDecay.*got -0.1/],
    ['a limit of 0', () => maxNorm(0), /maxNorm.*above 0/],
    ['an axis that is not there', () => maxNorm(1, { axis: 2 })(zeros([2, 3])), /no axis 2.*\[2, 3\]/],
    ['an axis from the end that is not there', () => unitNorm({ axis: -3 })(zeros([2, 3])), /no axis -3/],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })
})
