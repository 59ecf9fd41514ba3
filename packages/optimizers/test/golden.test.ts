import { valueAndGrad } from '@tessella/autograd'
import { compile, disposeBackend, scalar, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { type GoldenCase, type GoldenTensor, golden, goldenMismatch } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as o from '../src/index.ts'
import { backends } from './support/backends.ts'

type Attrs = Readonly<Record<string, unknown>>
const number = (a: Attrs, name: string): number => a[name] as number
/** Attributes have the names of the options, but for these. */
const options = (a: Attrs): object => ({ ...a, ...('decay' in a ? { alpha: a.decay } : {}) })

const optimizers: Readonly<Record<string, (rate: number, a: Attrs) => o.Transform>> = {
  sgd: (rate, a) => o.chain(clip(a), o.sgd(rate, options(a))),
  adam: (rate, a) => o.adam(rate, options(a)),
  adamw: (rate, a) => o.adamw(rate, options(a)),
  adamax: (rate, a) => o.adamax(rate, options(a)),
  nadam: (rate, a) => o.nadam(rate, options(a)),
  radam: (rate, a) => o.radam(rate, options(a)),
  rmsprop: (rate, a) => o.rmsprop(rate, options(a)),
  adagrad: (rate, a) => o.adagrad(rate, options(a)),
  adadelta: (rate, a) => o.adadelta(rate, options(a)),
  rprop: (rate, a) => o.rprop(rate, options(a)),
  asgd: (rate) => o.asgd(rate),
}
const clip = (a: Attrs): o.Transform => ('clipNorm' in a ? o.clipByGlobalNorm(number(a, 'clipNorm')) : o.identity())

/** In the file, but not implemented: line search and history do not fit a pure gradient transform. */
const missing = ['lbfgs']

const tensorOf = (t: GoldenTensor): Tensor => tensor([...t.data], [...t.shape])
const at = (c: GoldenCase, name: string): Tensor => tensorOf(c.inputs[name] as GoldenTensor)

const cases = await golden('optimizers')

describe.each(backends)('golden optimizers on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it('covers every case but those listed', () => {
    const uncovered = cases.filter((c) => !(c.op in optimizers)).map((c) => c.name)
    console.log(`golden optimizers without an implementation: ${uncovered.join(', ')}`)
    expect(uncovered).toEqual(missing)
  })

  it.each(cases.filter((c) => c.op in optimizers).map((c) => [c.name, c] as const))('%s', async (name, c) => {
    const w = new Variable(at(c, 'w0'))
    const [a, center] = [at(c, 'A'), at(c, 'c')]
    const objective = (): Tensor => {
      const curve = w.value.mul(3).sin().sum().mul(0.1)
      return w.value.sub(center).square().mul(a).sum().div(2).add(curve)
    }
    const transform = optimizers[c.op]?.(number(c.attrs, 'lr'), c.attrs) as o.Transform
    const opt = o.optimizer(transform, { w })
    const step = compile(() => {
      opt.update(valueAndGrad(objective, { w })[1])
      return w.value.mul(1)
    })
    const path: number[] = [...(await w.value.cast('float32').data())]
    for (let i = 0; i < number(c.attrs, 'steps'); i++) path.push(...(await step().cast('float32').data()))
    const expected = c.outputs.trajectory as GoldenTensor
    if (name === 'nadam') {
      // The file was made before https://github.com/pytorch/pytorch/pull/92699, with a momentum too many.
      expect(goldenMismatch(nadamPath(c, 'as PyTorch 1.13'), expected)).toBeUndefined()
      expect(goldenMismatch(path, { ...expected, data: nadamPath(c, 'as published') })).toBeUndefined()
    } else expect(goldenMismatch(path, expected)).toBeUndefined()
    expect(step.programs().length).toBe(1)
  })
})

/** NAdam on the golden objective in plain arithmetic. */
function nadamPath(c: GoldenCase, form: 'as published' | 'as PyTorch 1.13'): number[] {
  const [w, a, center] = ['w0', 'A', 'c'].map((n) => [...(c.inputs[n] as GoldenTensor).data]) as [
    number[],
    number[],
    number[],
  ]
  const m = w.map(() => 0)
  const v = w.map(() => 0)
  const path = [...w]
  const momentumAt = (t: number): number => 0.9 * (1 - 0.5 * 0.96 ** (t * number(c.attrs, 'momentumDecay')))
  let product = 1
  for (let t = 1; t <= number(c.attrs, 'steps'); t++) {
    const [mu, next] = [momentumAt(t), momentumAt(t + 1)]
    product *= mu
    const ahead = product * next * (form === 'as published' ? 1 : mu)
    for (const [i, x] of [...w].entries()) {
      const g = (a[i] as number) * (x - (center[i] as number)) + 0.3 * Math.cos(3 * x)
      m[i] = 0.9 * (m[i] as number) + 0.1 * g
      v[i] = 0.999 * (v[i] as number) + 0.001 * g * g
      const direction = ((1 - mu) / (1 - product)) * g + (next / (1 - ahead)) * m[i]
      w[i] = x - (number(c.attrs, 'lr') * direction) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8)
    }
    path.push(...w)
  }
  return path
}

const schedules: Readonly<Record<string, (rate: number, a: Attrs) => o.Schedule>> = {
  step: (rate, a) => o.stepDecay(rate, { stepSize: number(a, 'stepSize'), gamma: number(a, 'gamma') }),
  multiStep: (rate, a) => o.multiStepDecay(rate, { milestones: a.milestones as number[], gamma: number(a, 'gamma') }),
  exponential: (rate, a) => o.exponentialDecay(rate, number(a, 'gamma')),
  cosine: (rate, a) => o.cosineDecay(rate, { totalSteps: number(a, 'tMax'), minimum: number(a, 'minLr') }),
  cosineWarmRestarts: (rate, a) => o.cosineWarmRestarts(rate, { period: number(a, 't0'), factor: number(a, 'tMult') }),
  linear: (rate, a) =>
    o.linearSchedule(rate, {
      startFactor: number(a, 'startFactor'),
      endFactor: number(a, 'endFactor'),
      totalSteps: number(a, 'totalIters'),
    }),
  oneCycle: (_, a) =>
    o.oneCycle({
      maximum: number(a, 'maxLr'),
      totalSteps: number(a, 'totalSteps'),
      pctStart: number(a, 'pctStart'),
      divFactor: number(a, 'divFactor'),
      finalDivFactor: number(a, 'finalDivFactor'),
    }),
  polynomial: (rate, a) => o.polynomialDecay(rate, { totalSteps: number(a, 'totalIters'), power: number(a, 'power') }),
}

describe.each(backends)('golden schedules on %s', async (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it.each((await golden('schedules')).map((c) => [c.name, c] as const))('%s', async (name, c) => {
    const expected = c.outputs.lr as GoldenTensor
    const rate = number(c.attrs, 'lr')
    if (name === 'reduceOnPlateau') {
      const plateau = o.reduceOnPlateau(rate, c.attrs)
      const rates = [rate, ...(c.attrs.metric as number[]).map((m) => plateau.update(m))]
      expect(goldenMismatch(rates, expected)).toBeUndefined()
      return
    }
    const schedule = schedules[c.op]?.(rate, c.attrs) as o.Schedule
    const at = compile((step: Tensor<[], 'float32'>) => schedule(step))
    const rates: number[] = []
    for (let i = 0; i < expected.data.length; i++) rates.push(await at(i).item())
    expect(goldenMismatch(rates, expected)).toBeUndefined()
    expect(await schedule(scalar(3)).item()).toBeCloseTo(expected.data[3] as number, 6)
  })
})
