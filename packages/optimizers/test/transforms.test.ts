import { grad } from '@tessella/autograd'
import {
  compile,
  disposeBackend,
  flattenTree,
  OpError,
  type Tensor,
  type Tree,
  tensor,
  useBackend,
  Variable,
  zeros,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as o from '../src/index.ts'

beforeAll(() => useBackend(reference()))
afterAll(disposeBackend)

const norm = (values: readonly number[]): number => Math.hypot(...values)
const numbers = async (tree: Tree): Promise<number[]> =>
  (await Promise.all(flattenTree(tree).map(async (t) => [...(await t.cast('float32').data())]))).flat()
const apply = (transform: o.Transform, grads: Tree, params: Tree = grads): Tree =>
  transform.update(grads, transform.init(params), params)[0]

describe('clipping', () => {
  const gradients = fc.array(fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 3,
  })
  const limits = fc.float({ min: Math.fround(0.01), max: 50, noNaN: true })

  it('leaves what is within the limit and shortens the rest to it, in the same direction', async () => {
    await fc.assert(
      fc.asyncProperty(gradients, limits, async (values, limit) => {
        const tree = values.map((v) => tensor(v))
        const all = values.flat()
        const clipped = await numbers(apply(o.clipByGlobalNorm(limit), tree))
        const expected = Math.min(norm(all), limit)
        expect(norm(clipped)).toBeLessThanOrEqual(limit * (1 + 1e-6))
        expect(norm(clipped)).toBeCloseTo(expected, 3)
        for (const [i, v] of clipped.entries()) expect(v * norm(all)).toBeCloseTo((all[i] as number) * expected, 1)

        const each = apply(o.clipByNorm(limit), tree) as Tensor[]
        for (const [i, t] of each.entries())
          expect(norm(await numbers(t))).toBeCloseTo(Math.min(norm(values[i] as number[]), limit), 3)

        const bounded = await numbers(apply(o.clipByValue(limit), tree))
        expect(bounded.map((v) => v + 0)).toEqual(all.map((v) => Math.fround(Math.min(Math.max(v, -limit), limit)) + 0))
      }),
      { numRuns: 30 },
    )
  })

  it('keeps a gradient of zeros, and the lectures’ g beta / max(|g|, beta) exactly', async () => {
    expect(await numbers(apply(o.clipByGlobalNorm(1), [zeros([2])]))).toEqual([0, 0])
    expect(await numbers(apply(o.clipByNorm(1), [tensor([3, 4])]))).toEqual([3 / 5, 4 / 5].map(Math.fround))
    expect(await numbers(apply(o.clipByNorm(5), [tensor([3, 4])]))).toEqual([3, 4])
  })

  it('measures the norm over the whole tree', async () => {
    expect(await o.globalNorm({ a: tensor([3]), b: [tensor([[4]])] }).item()).toBe(5)
  })
})

describe('momentum', () => {
  it('of the lectures is PyTorch’s with the rate divided by 1 - m', async () => {
    const run = async (transform: o.Transform): Promise<number[]> => {
      const w = new Variable(tensor([2, -3]))
      const opt = o.optimizer(transform, w)
      const step = compile(() =>
        opt.update(
          grad(
            () =>
              w.value
                .square()
                .mul(tensor([1, 0.1]))
                .sum(),
            w,
          ),
        ),
      )
      for (let i = 0; i < 20; i++) step()
      return numbers(w.value)
    }
    const [lectures, torch] = [await run(o.momentum(0.1, 0.8)), await run(o.sgd(0.1 * (1 - 0.8), { momentum: 0.8 }))]
    for (const [i, x] of lectures.entries()) expect(x).toBeCloseTo(torch[i] as number, 5)
  })

  it('with the lectures’ look ahead is Nesterov’s, whose parameters are the points looked at', async () => {
    const [rate, m, slopes] = [0.3, 0.8, [1, 0.1]] as const
    const w = new Variable(tensor([2, -3]))
    const opt = o.optimizer(o.nesterov(rate * (1 - m), m), w)
    const [at, velocity] = [
      [2, -3],
      [0, 0],
    ]
    for (let step = 0; step < 15; step++) {
      opt.update(
        grad(
          () =>
            w.value
              .square()
              .mul(tensor([...slopes]))
              .sum(),
          w,
        ),
      )
      for (const [i, slope] of slopes.entries()) {
        const ahead = (at[i] as number) - rate * m * (velocity[i] as number)
        velocity[i] = m * (velocity[i] as number) + (1 - m) * 2 * slope * ahead
        at[i] = (at[i] as number) - rate * velocity[i]
      }
    }
    const found = await numbers(w.value)
    for (const [i, x] of found.entries())
      expect(x).toBeCloseTo((at[i] as number) - rate * m * (velocity[i] as number), 5)
  })
})

describe('trees', () => {
  const tree = () => ({
    layers: [{ w: tensor([[1, 2]]), b: tensor([3]) }, { w: tensor([[4], [5]]) }],
    scale: tensor(6),
  })

  it('of any nesting go through every transform', async () => {
    for (const transform of [o.adam(0.1), o.rmsprop(0.1, { centered: true, momentum: 0.5 }), o.asgd(), o.rprop()]) {
      const params = tree()
      const [updates] = transform.update(params, transform.init(params), params)
      expect(Object.keys(updates)).toEqual(['layers', 'scale'])
      expect(updates.layers[1]?.w.shape).toEqual([2, 1])
      expect((await numbers(updates)).every((x) => x < 0)).toBe(true)
    }
  })

  it('must fit each other', () => {
    const transform = o.adam(0.1)
    const state = transform.init(tree())
    const { layers, ...rest } = tree()
    expect(() => transform.update(tree(), state, rest as unknown as ReturnType<typeof tree>)).toThrow(
      /no tensor at 'layers\.0\.w'/,
    )
    expect(() => o.applyUpdates(tree(), rest as unknown as ReturnType<typeof tree>)).toThrow(
      /no tensor at 'layers\.0\.w'/,
    )
    expect(() => o.applyUpdates({ a: [layers[0]?.b as Tensor] }, { a: [zeros([2])] })).toThrow(
      /'a\.0' differ in shape.*\[1\] and \[2\]/,
    )
    expect(() => o.applyUpdates({ a: 3 } as never, {} as never)).toThrow(/'a' is not a tensor/)
  })
})

describe('dtypes', () => {
  it.each(['float16', 'float32', 'float64'] as const)('%s parameters stay so', async (dtype) => {
    const w = new Variable(tensor([1, 2], dtype))
    const opt = o.optimizer(o.chain(o.clipByGlobalNorm(1), o.adamw(0.5)), { w })
    for (let i = 0; i < 2; i++) opt.update({ w: tensor([1, 1], dtype) })
    const [first] = await w.value.cast('float32').data()
    expect(first).toBeCloseTo(1 - 0.5 * 2 - 0.5 * 0.01 * (1 + 0.495), 2)
  })
})

describe('optimizer', () => {
  const model = () => ({ a: new Variable(tensor([1, 2])), fixed: new Variable(tensor([9]), { trainable: false }) })

  it('trains the trainable Variables and keeps its state in others', async () => {
    const m = model()
    const opt = o.optimizer(o.sgd(0.5, { momentum: 0.9 }), m)
    opt.update({ a: tensor([1, 1]) })
    opt.update({ a: tensor([1, 1]) })
    expect(await m.a.value.array()).toEqual([1 - 0.5 - 0.95, 2 - 0.5 - 0.95].map(Math.fround))
    expect(await m.fixed.value.array()).toEqual([9])
    const [, { velocity }] = opt.state as [unknown, { velocity: { a: Variable } }]
    expect(await velocity.a.value.array()).toEqual([Math.fround(1.9), Math.fround(1.9)])
  })

  it('keeps the parts of a state apart, whatever order a transform names them in', async () => {
    const swapping: o.Transform<{ readonly one: Tree; readonly two: Tree }> = {
      init: () => ({ one: tensor([1]), two: tensor([2]) }),
      update: (grads, { one, two }) => [grads, { two, one }],
    }
    const opt = o.optimizer(swapping, model())
    opt.update({ a: zeros([2]) })
    const state = opt.state as { one: Variable; two: Variable }
    expect([await state.one.value.array(), await state.two.value.array()]).toEqual([[1], [2]])
  })

  it.each([
    ['nothing to train', () => o.optimizer(o.sgd(1), [model().fixed]), /found no trainable Variables/],
    ['a missing gradient', () => o.optimizer(o.sgd(1), model()).update({}), /no gradient for 'a'.*valueAndGrad/],
    [
      'a gradient of another shape',
      () => o.optimizer(o.sgd(1), model()).update({ a: zeros([3]) }),
      /'a' differ in shape.*\[3\] and \[2\]/,
    ],
    [
      'a state that loses a part',
      () => {
        const forgetful: o.Transform<Tree> = { init: (params) => [params], update: (grads) => [grads, []] }
        o.optimizer(forgetful, model()).update({ a: zeros([2]) })
      },
      /no tensor at '0\.a'/,
    ],
  ])('%s is an error', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })
})

describe('options', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a negative rate', () => o.sgd(-0.1), /sgd.*>= 0, got -0.1/],
    [
      'the rate among the options',
      () => o.adam({ lr: 1e-3 } as never),
      /adam.*a number or a schedule, got object.*rate comes first/,
    ],
    ['a rate in quotes', () => o.adam('0.1' as never), /adam.*a number or a schedule, got string/],
    ['a bare rate transform', () => o.scaleByLearningRate('0.1' as never), /scaleByLearningRate.*got string/],
    ['a misspelt option', () => o.adamw(0.1, { decay: 1 } as never), /adamw.*no option 'decay'.*weightDecay/],
    ['an option of another', () => o.sgd(0.1, { beta1: 0.9 } as never), /sgd.*no option 'beta1'/],
    ['an option of a transform', () => o.scaleByAdam({ beta3: 1 } as never), /scaleByAdam.*no option 'beta3'/],
    [
      'an option of a schedule',
      () => o.stepDecay(1, { stepSize: 1, factor: 2 } as never),
      /stepDecay.*no option 'factor'/,
    ],
    [
      'no gradients',
      () => o.optimizer(o.sgd(1), new Variable(tensor([1]))).update(undefined as never),
      /optimizer.*update takes the gradients, got undefined/,
    ],
    ['a rate that is no number', () => o.adam(Number.NaN), /got NaN/],
    ['a momentum above 1', () => o.sgd(1, { momentum: 1.5 }), /trace.*between 0 and 1/],
    ['nesterov without momentum', () => o.sgd(1, { nesterov: true }), /momentum above 0/],
    ['nesterov with dampening', () => o.sgd(1, { momentum: 0.9, nesterov: true, dampening: 0.1 }), /no dampening/],
    ['a negative decay', () => o.sgd(1, { weightDecay: -1 }), /decay must be a finite number >= 0/],
    ['beta1 of 1', () => o.adam(1, { beta1: 1 }), /beta1 must be at least 0 and below 1/],
    ['a negative eps', () => o.adam(1, { eps: -1 }), /eps/],
    ['alpha of 1', () => o.rmsprop(1, { alpha: 1 }), /alpha/],
    ['rho of 2', () => o.adadelta(1, { rho: 2 }), /rho/],
    ['etas the wrong way round', () => o.rprop(1, { etas: [1.2, 0.5] }), /etas/],
    ['step sizes the wrong way round', () => o.rprop(1, { stepSizes: [2, 1] }), /ascending/],
    ['a limit of 0', () => o.clipByNorm(0), /clipByNorm.*above 0/],
    ['an infinite limit', () => o.clipByGlobalNorm(Number.POSITIVE_INFINITY), /finite number above 0/],
  ])('%s is refused', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })
})

describe('asgd', () => {
  it('keeps the mean of the parameters after its start', async () => {
    const w = new Variable(tensor([1]))
    const opt = o.optimizer(o.asgd(1, { lambda: 0, start: 2 }), { w })
    for (const g of [1, 1, 1, 3]) opt.update({ w: tensor([g]) })
    const [, , { average }] = opt.state as [unknown, unknown, { average: { w: Variable } }]
    expect(await w.value.array()).toEqual([-5])
    expect(await average.w.value.array()).toEqual([(-2 + -5) / 2])
  })
})
