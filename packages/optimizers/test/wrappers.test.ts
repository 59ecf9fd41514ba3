/** Forms and wrappers, each against its formula on the host. */
import { valueAndGrad } from '@tessella/autograd'
import { compile, disposeBackend, namedVariables, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as o from '../src/index.ts'
import { strongWolfe } from '../src/wolfe.ts'
import { backends } from './support/backends.ts'
import { rosenbrock } from './support/rosenbrock.ts'

type Scalar = Tensor<[], 'float32'>
const slopes = [2, 0.2] as const
const start = [2, -3] as const
const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)
const bowl = (w: Variable) => () =>
  w.value
    .square()
    .mul(tensor([1, 0.1]))
    .sum() as Scalar

/** The path of a transform on sum(w^2 [1, 0.1]), compiled. */
async function path(transform: o.Transform, steps: number): Promise<number[][]> {
  const w = new Variable(tensor([...start]))
  const opt = o.optimizer(transform, { w })
  const step = compile(() => {
    const [, grads] = valueAndGrad(bowl(w), { w })
    opt.update(grads)
  })
  const found: number[][] = []
  for (let i = 0; i < steps; i++) {
    step()
    found.push(await numbers(w.value))
  }
  expect(step.programs()).toHaveLength(1)
  return found
}

/** The same by hand: `rule` moves one coordinate in place. */
function byHand<S>(
  steps: number,
  init: () => S,
  rule: (w: number, g: number, state: S, t: number) => number,
): number[][] {
  const w: number[] = [...start]
  const states = w.map(init)
  return Array.from({ length: steps }, (_, t) => {
    for (const [i, x] of w.entries()) w[i] = rule(x, (slopes[i] as number) * x, states[i] as S, t + 1)
    return [...w]
  })
}

function expectPath(found: readonly number[][], expected: readonly number[][]): void {
  for (const [t, point] of expected.entries())
    for (const [i, x] of point.entries()) expect(found[t]?.[i], `step ${t + 1}, coordinate ${i}`).toBeCloseTo(x, 4)
}

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  describe('forms', () => {
    it('the lectures’ momentum is a moving average', async () => {
      expectPath(
        await path(o.momentum(0.3, 0.8), 10),
        byHand(
          10,
          () => ({ v: 0 }),
          (w, g, s) => {
            s.v = 0.8 * s.v + 0.2 * g
            return w - 0.3 * s.v
          },
        ),
      )
    })

    it('nag takes the gradient at the point looked ahead to', async () => {
      const w = new Variable(tensor([...start]))
      const opt = o.nag({ w }, { rate: 0.3, momentum: 0.8 })
      const step = compile(() => opt.step(() => valueAndGrad(bowl(w), { w })))
      const found: number[][] = []
      for (let i = 0; i < 10; i++) {
        step()
        found.push(await numbers(w.value))
      }
      const expected = byHand(
        10,
        () => ({ v: 0 }),
        (x, g, s) => {
          const slope = g / x
          s.v = 0.8 * s.v + 0.2 * slope * (x - 0.3 * 0.8 * s.v)
          return x - 0.3 * s.v
        },
      )
      expectPath(found, expected)
      expect(Object.keys(namedVariables(opt.state))).toEqual(['w'])
    })

    it('the lectures’ RMSProp', async () => {
      expectPath(
        await path(o.rmsprop(0.1, { alpha: 0.9 }), 10),
        byHand(
          10,
          () => ({ v: 0 }),
          (w, g, s) => {
            s.v = 0.9 * s.v + 0.1 * g * g
            return w - (0.1 * g) / (Math.sqrt(s.v) + 1e-8)
          },
        ),
      )
    })

    it('the lectures’ AdaDelta steps before its average of gradients moves on', async () => {
      const eps = 0.01
      expectPath(
        await path(o.adadelta(0.2, { form: 'lectures', rho: [0.9, 0.8], eps }), 12),
        byHand(
          12,
          () => ({ v: 0, d: 0 }),
          (w, g, s) => {
            const step = (g * (Math.sqrt(s.d) + eps)) / (Math.sqrt(s.v) + eps)
            s.d = 0.8 * s.d + 0.2 * step * step
            s.v = 0.9 * s.v + 0.1 * g * g
            return w - 0.2 * step
          },
        ),
      )
    })

    it('lion takes signs, and decays apart', async () => {
      expectPath(
        await path(o.lion(0.05, { beta1: 0.8, beta2: 0.9, weightDecay: 0.1 }), 12),
        byHand(
          12,
          () => ({ m: 0 }),
          (w, g, s) => {
            const c = 0.8 * s.m + 0.2 * g
            s.m = 0.9 * s.m + 0.1 * g
            return w - 0.05 * (Math.sign(c) + 0.1 * w)
          },
        ),
      )
    })
  })

  describe('wrappers', () => {
    it('accumulate steps once for the mean of every three gradients', async () => {
      const w = new Variable(tensor([1, 1]))
      const opt = o.optimizer(o.accumulate(o.sgd(0.5, { momentum: 0.5 }), 3), { w })
      const step = compile((g: Tensor) => opt.update({ w: g }))
      const seen: number[][] = []
      for (let i = 1; i <= 7; i++) {
        step(tensor([i, -i]))
        seen.push(await numbers(w.value))
      }
      // Means 2 and 5; velocities 2 and 6.
      expect(seen.map(([a]) => a)).toEqual([1, 1, 0, 0, 0, -3, -3])
      expect(seen.at(-1)).toEqual([-3, 5])
    })

    it('lookahead pulls the weights back to the slow ones', async () => {
      const found = await path(o.lookahead(o.sgd(0.1), { every: 3, share: 0.5 }), 6)
      const w: number[] = [...start]
      const slow: number[] = [...start]
      const expected: number[][] = []
      for (let t = 1; t <= 6; t++) {
        for (const [i, x] of w.entries()) {
          w[i] = x - 0.1 * (slopes[i] as number) * x
          if (t % 3 === 0) {
            slow[i] = (slow[i] as number) + 0.5 * ((w[i] as number) - (slow[i] as number))
            w[i] = slow[i] as number
          }
        }
        expected.push([...w])
      }
      expectPath(found, expected)
    })

    it('groups give every parameter its own transform and state', async () => {
      const model = { weight: new Variable(tensor([[1, 2]])), bias: new Variable(tensor([3])) }
      const transform = o.groups((name) => (name === 'bias' ? 'free' : 'decayed'), {
        decayed: o.sgd(0.1, { weightDecay: 0.5 }),
        free: o.momentum(1, 0.5),
      })
      const opt = o.optimizer(transform, model)
      for (let i = 0; i < 2; i++) opt.update({ weight: tensor([[0, 0]]), bias: tensor([1]) })
      const decay = 0.95 ** 2
      expect(await numbers(model.weight.value)).toEqual([expect.closeTo(decay, 5), expect.closeTo(2 * decay, 5)])
      expect(await numbers(model.bias.value)).toEqual([expect.closeTo(3 - 0.5 - 0.75, 5)])
      expect(Object.keys(namedVariables(opt.state))).toEqual(['free.1.velocity.bias'])
      expect(() =>
        o.optimizer(
          o.groups((name) => name as 'a', { a: o.sgd(1) }),
          model,
        ),
      ).toThrow("a group 'weight' that there is not")
    })

    it('ema averages the weights without the start, and lends them', async () => {
      const w = new Variable(tensor([1]))
      const average = o.ema({ w }, { decay: 0.8 })
      expect(await numbers(average.values().w as Tensor)).toEqual([1])
      const step = compile((x: Tensor<[1], 'float32'>) => {
        w.assign(x)
        average.update()
      })
      const seen = [4, -2, 7]
      let [sum, weight] = [0, 0]
      for (const x of seen) {
        step(tensor([x]))
        sum = 0.8 * sum + 0.2 * x
        weight = 0.8 * weight + 0.2
      }
      const lent = average.use(() => w.value.mul(10) as Tensor)
      expect((await numbers(lent))[0]).toBeCloseTo((10 * sum) / weight, 4)
      expect(await numbers(w.value)).toEqual([7])
    })

    it('sam steps by the gradient at the worst point near by', async () => {
      const w = new Variable(tensor([...start]))
      const opt = o.sam({ w }, o.optimizer(o.sgd(0.1), { w }), { rho: 0.5 })
      const step = compile(() => opt.step(() => valueAndGrad(bowl(w), { w })))
      const x: number[] = [...start]
      for (let i = 0; i < 5; i++) {
        const loss = Number(await step().item())
        expect(loss).toBeCloseTo((x[0] as number) ** 2 + 0.1 * (x[1] as number) ** 2, 4)
        const g = x.map((v, k) => (slopes[k] as number) * v)
        const norm = Math.hypot(...g)
        for (const [k, v] of x.entries()) x[k] = v - 0.1 * (slopes[k] as number) * (v + (0.5 * (g[k] as number)) / norm)
      }
      expectPath([await numbers(w.value)], [x])
    })
  })

  describe('lbfgs', () => {
    it.each(['fixed', 'strongWolfe'] as const)('solves least squares in a few steps, %s', async (lineSearch) => {
      const w = new Variable(tensor([5, -7]))
      const opt = o.lbfgs({ w }, { lineSearch })
      const evaluate = compile(() => valueAndGrad(bowl(w), { w }))
      const before = await opt.step(evaluate)
      expect(before).toBeCloseTo(25 + 4.9, 4)
      expect(Number(await bowl(w)().item())).toBeLessThan(1e-8)
    })

    it('with a line search walks down Rosenbrock’s valley, over several parameters', async () => {
      const [x, y] = [new Variable(tensor([-1.2])), new Variable(tensor([1]))]
      const loss = () => y.value.sub(x.value.square()).square().mul(100).add(x.value.sub(1).square()).sum() as Scalar
      const opt = o.lbfgs({ x, y }, { lineSearch: 'strongWolfe', maxIterations: 60, maxEvaluations: 200 })
      await opt.step(compile(() => valueAndGrad(loss, { x, y })))
      expect(Number(await loss().item())).toBeLessThan(1e-6)
    })

    it('goes on where it stopped', async () => {
      const w = new Variable(tensor([-1.2, 1]))
      const opt = o.lbfgs(w, { lineSearch: 'strongWolfe', maxIterations: 5, historySize: 4 })
      const evaluate = compile(() => valueAndGrad(() => rosenbrock(w.value) as Scalar, w))
      const losses: number[] = []
      for (let i = 0; i < 12; i++) losses.push(await opt.step(evaluate))
      for (const [i, l] of losses.slice(1).entries()) expect(l).toBeLessThanOrEqual(losses[i] as number)
      expect(losses.at(-1)).toBeLessThan(1e-6)
    })
  })
})

describe('strongWolfe', () => {
  const line = (f: (t: number) => number, df: (t: number) => number) => {
    let count = 0
    const at = async (step: number) => {
      count++
      return { step, value: f(step), slope: df(step) }
    }
    return { at, start: { step: 0, value: f(0), slope: df(0) }, count: () => count }
  }
  // Moré and Thuente's first function and others: steps too short, too long, and steep walls.
  const cases: [string, (t: number) => number, (t: number) => number][] = [
    ['-t / (t^2 + 2)', (t) => -t / (t * t + 2), (t) => (t * t - 2) / (t * t + 2) ** 2],
    ['(t - 3)^2', (t) => (t - 3) ** 2, (t) => 2 * (t - 3)],
    ['t^4 - t', (t) => t ** 4 - t, (t) => 4 * t ** 3 - 1],
    ['sin', (t) => -Math.sin(t), (t) => -Math.cos(t)],
    [
      'log wall',
      (t) => (t < 1 ? -t - 0.1 * Math.log(1 - t) : Number.POSITIVE_INFINITY),
      (t) => (t < 1 ? -1 + 0.1 / (1 - t) : Number.NaN),
    ],
  ]
  it.each(cases.flatMap((c) => [1e-3, 0.1, 1, 10, 1000].map((first) => [...c, first] as const)))(
    '%s from a first step',
    async (_name, f, df, first) => {
      const { at, start: s, count } = line(f, df)
      const p = await strongWolfe(at, s, first, { c2: 0.5, evaluations: 60 })
      expect(p.value).toBeLessThanOrEqual(s.value + 1e-4 * p.step * s.slope)
      expect(Math.abs(p.slope)).toBeLessThanOrEqual(0.5 * Math.abs(s.slope) * (1 + 1e-9))
      expect(count()).toBeLessThanOrEqual(60)
    },
  )
})

describe('options', () => {
  beforeAll(async () => useBackend(await (backends[0] as (typeof backends)[number])[1]()))

  it('are checked', () => {
    const w = new Variable(tensor([1]))
    expect(() => o.accumulate(o.sgd(1), 0)).toThrow('[accumulate] count must be a positive integer')
    expect(() => o.lookahead(o.sgd(1), { every: 1.5 })).toThrow('[lookahead] every')
    expect(() => o.lion(0.1, { beta1: 1 })).toThrow('beta1')
    expect(() => o.nag({}, { rate: 1 })).toThrow('found no trainable Variables')
    expect(() => o.ema({ w }, { decay: 1 })).toThrow('decay')
    expect(() => o.lbfgs(w, { historySize: 0 })).toThrow('historySize')
    expect(() => o.nag({ w }, { rate: 1 }).step(() => [tensor(0), {}])).toThrow("no gradient for 'w'")
  })
})
