import { valueAndGrad } from '@tessella/autograd'
import * as optimizers from '@tessella/optimizers'
import { compile, type Tensor, tensor, Variable } from '@tessella/tensor'
import type { GoldenCase, GoldenTensor } from '@tessella/testing'
import { type Results, type Row, type Rows, tensorOf } from './row.ts'

/** What the cases of optimizers may set. */
interface OptimizerAttrs {
  readonly lr: number
  readonly steps: number
  readonly clipNorm?: number
  readonly maxIter: number
  readonly historySize: number
  /** The smoothing of rmsprop, which we call alpha as PyTorch does. */
  readonly decay: number
  readonly rho: number
  readonly etas: readonly [number, number]
  readonly stepSizes: readonly [number, number]
}

/** The rest of the attributes has PyTorch's names, which are ours. */
const optionsOf = (c: GoldenCase): object => {
  const { lr, steps, objective, form, clipNorm, decay, ...options } = c.attrs
  return decay === undefined ? options : { alpha: decay, ...options }
}

/** The cases' objective and where it starts. */
function problemOf(c: GoldenCase) {
  const w = new Variable(tensorOf(c.inputs.w0 as GoldenTensor))
  const [a, target] = [c.inputs.A, c.inputs.c].map((t) => tensorOf(t as GoldenTensor)) as [Tensor, Tensor]
  const objective = () => w.value.sub(target).square().mul(a).div(2).sum().add(w.value.mul(3).sin().sum().mul(0.1))
  return { w, objective }
}

/** The parameters before and after each step. */
async function path(w: Variable, steps: number, step: () => unknown): Promise<Results> {
  const values = [...(await w.value.data())]
  for (let i = 0; i < steps; i++) {
    await step()
    values.push(...(await w.value.data()))
  }
  return { outputs: { trajectory: tensor(values, [steps + 1, ...w.shape]) }, grads: {} }
}

/** The parameters after each step on the case's objective, compiled. */
function trained(make: (rate: number, options: object) => optimizers.Transform): Row {
  return (c) => async () => {
    const { lr, steps, clipNorm } = c.attrs as unknown as OptimizerAttrs
    const { w, objective } = problemOf(c)
    const direction = make(lr, optionsOf(c))
    const clipped =
      clipNorm === undefined ? direction : optimizers.chain(optimizers.clipByGlobalNorm(clipNorm), direction)
    const opt = optimizers.optimizer(clipped, { w })
    const step = compile(() => {
      const [, grads] = valueAndGrad(objective, { w })
      opt.update(grads)
    })
    const results = await path(w, steps, step)
    if (step.programs().length !== 1) throw new Error(`traced ${step.programs().length} times`)
    return results
  }
}

/** L-BFGS is no transform: it decides on the host how often to evaluate. */
const lbfgs: Row = (c) => async () => {
  const { lr, steps, maxIter, historySize } = c.attrs as unknown as OptimizerAttrs
  const { w, objective } = problemOf(c)
  const opt = optimizers.lbfgs({ w }, { rate: lr, maxIterations: maxIter, historySize })
  const evaluate = compile(() => valueAndGrad(objective, { w }))
  return path(w, steps, () => opt.step(evaluate))
}

export const optimizerRows: Rows = {
  sgd: trained(optimizers.sgd),
  adam: trained(optimizers.adam),
  adamw: trained(optimizers.adamw),
  adamax: trained(optimizers.adamax),
  radam: trained(optimizers.radam),
  rmsprop: trained(optimizers.rmsprop),
  adagrad: trained(optimizers.adagrad),
  adadelta: trained(optimizers.adadelta),
  rprop: trained(optimizers.rprop),
  asgd: trained(optimizers.asgd),
  lbfgs,
}

/** What the cases of schedules may set. */
interface ScheduleAttrs {
  readonly lr: number
  readonly endFactor: number
  readonly divFactor: number
  readonly factor: number
  readonly finalDivFactor: number
  readonly gamma: number
  readonly maxLr: number
  readonly metric: readonly number[]
  readonly milestones: readonly number[]
  readonly minLr: number
  readonly patience: number
  readonly pctStart: number
  readonly power: number
  readonly startFactor: number
  readonly stepSize: number
  readonly t0: number
  readonly tMax: number
  readonly tMult: number
  readonly threshold: number
  readonly totalIters: number
  readonly totalSteps: number
}

/** The rate at each step, from one compiled program. */
function scheduled(make: (attrs: ScheduleAttrs) => optimizers.Schedule): Row {
  return (c) => async () => {
    const rate = compile(make(c.attrs as unknown as ScheduleAttrs))
    const rates: number[] = []
    for (const step of (c.outputs.lr as GoldenTensor).data.keys()) rates.push(await rate(step).item())
    return { outputs: { lr: tensor(rates) }, grads: {} }
  }
}

export const scheduleRows: Rows = {
  step: scheduled(({ lr, stepSize, gamma }) => optimizers.stepDecay(lr, { stepSize, gamma })),
  multiStep: scheduled(({ lr, milestones, gamma }) => optimizers.multiStepDecay(lr, { milestones, gamma })),
  exponential: scheduled(({ lr, gamma }) => optimizers.exponentialDecay(lr, gamma)),
  cosine: scheduled(({ lr, tMax, minLr }) => optimizers.cosineDecay(lr, { totalSteps: tMax, minimum: minLr })),
  cosineWarmRestarts: scheduled(({ lr, t0, tMult }) =>
    optimizers.cosineWarmRestarts(lr, { period: t0, factor: tMult }),
  ),
  linear: scheduled(({ lr, startFactor, endFactor, totalIters }) =>
    optimizers.linearSchedule(lr, { startFactor, endFactor, totalSteps: totalIters }),
  ),
  oneCycle: scheduled(({ maxLr, totalSteps, pctStart, divFactor, finalDivFactor }) =>
    optimizers.oneCycle({ maximum: maxLr, totalSteps, pctStart, divFactor, finalDivFactor }),
  ),
  polynomial: scheduled(({ lr, totalIters, power }) =>
    optimizers.polynomialDecay(lr, { totalSteps: totalIters, power }),
  ),
  reduceOnPlateau: (c) => async () => {
    const { lr, factor, patience, threshold, metric } = c.attrs as unknown as ScheduleAttrs
    const plateau = optimizers.reduceOnPlateau(lr, { factor, patience, threshold })
    const rate = compile(plateau.schedule)
    const rates = [await rate(0).item()]
    for (const [epoch, value] of metric.entries()) {
      plateau.update(value)
      rates.push(await rate(epoch + 1).item())
    }
    return { outputs: { lr: tensor(rates) }, grads: {} }
  },
}
