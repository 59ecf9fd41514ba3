import { checkOptions, OpError, scalar, type Tensor, where } from '@tessella/tensor'
import { checkPositiveInteger, checkRate } from './checks.ts'
import type { Schedule } from './learningRate.ts'

type Scalar = Tensor<[], 'float32'>

/** base^exponent for a host base of at least 0; 1 at exponent 0 whatever the base. */
const power = (base: number, exponent: Scalar): Scalar =>
  base > 0 ? exponent.mul(Math.log(base)).exp() : where(exponent.eq(0), 1, scalar(0))

/** From `high` to `low` along half a cosine as x goes from 0 to 1. */
const cosineFall = (x: Scalar, high: number, low: number): Scalar =>
  x
    .mul(Math.PI)
    .cos()
    .add(1)
    .mul((high - low) / 2)
    .add(low)

/** The share of `steps` done: from 0 to 1 and 1 afterwards. */
const shareDone = (step: Scalar, steps: number): Scalar => step.div(steps).clip(0, 1)

/** The same rate at every step. */
export function constantSchedule(rate: number): Schedule {
  checkRate('constantSchedule', 'the rate', rate)
  return () => scalar(rate)
}

/** rate * gamma^floor(step / stepSize). Default gamma 0.1. */
export function stepDecay(rate: number, options: { readonly stepSize: number; readonly gamma?: number }): Schedule {
  checkOptions('stepDecay', options, ['stepSize', 'gamma'])
  const { stepSize, gamma = 0.1 } = options
  checkRate('stepDecay', 'the rate', rate)
  checkRate('stepDecay', 'gamma', gamma)
  checkPositiveInteger('stepDecay', 'stepSize', stepSize)
  return (step) => power(gamma, step.div(stepSize).floor()).mul(rate)
}

/** rate * gamma^(milestones reached). Default gamma 0.1. */
export function multiStepDecay(
  rate: number,
  options: { readonly milestones: readonly number[]; readonly gamma?: number },
): Schedule {
  checkOptions('multiStepDecay', options, ['milestones', 'gamma'])
  const { milestones, gamma = 0.1 } = options
  checkRate('multiStepDecay', 'the rate', rate)
  checkRate('multiStepDecay', 'gamma', gamma)
  for (const m of milestones) checkRate('multiStepDecay', 'a milestone', m)
  return (step) => {
    const reached = milestones.reduce((count: Scalar, m) => count.add(step.ge(m).cast('float32')), scalar(0))
    return power(gamma, reached).mul(rate)
  }
}

/** rate * gamma^step. */
export function exponentialDecay(rate: number, gamma: number): Schedule {
  checkRate('exponentialDecay', 'the rate', rate)
  checkRate('exponentialDecay', 'gamma', gamma)
  return (step) => power(gamma, step).mul(rate)
}

/** From startFactor * rate (default 1/3) to endFactor * rate (default 1) over totalSteps; constant afterwards. */
export function linearSchedule(
  rate: number,
  options: { readonly startFactor?: number; readonly endFactor?: number; readonly totalSteps: number },
): Schedule {
  checkOptions('linearSchedule', options, ['startFactor', 'endFactor', 'totalSteps'])
  const { startFactor = 1 / 3, endFactor = 1, totalSteps } = options
  checkRate('linearSchedule', 'the rate', rate)
  checkRate('linearSchedule', 'startFactor', startFactor)
  checkRate('linearSchedule', 'endFactor', endFactor)
  checkPositiveInteger('linearSchedule', 'totalSteps', totalSteps)
  return (step) =>
    shareDone(step, totalSteps)
      .mul(rate * (endFactor - startFactor))
      .add(rate * startFactor)
}

/** rate * (1 - step / totalSteps)^power, 0 afterwards. Default power 1. */
export function polynomialDecay(
  rate: number,
  options: { readonly totalSteps: number; readonly power?: number },
): Schedule {
  checkRate('polynomialDecay', 'the rate', rate)
  checkOptions('polynomialDecay', options, ['totalSteps', 'power'])
  checkRate('polynomialDecay', 'power', options.power ?? 1)
  checkPositiveInteger('polynomialDecay', 'totalSteps', options.totalSteps)
  return (step) =>
    shareDone(step, options.totalSteps)
      .neg()
      .add(1)
      .pow(options.power ?? 1)
      .mul(rate)
}

/**
 * Half a cosine from rate to minimum (default 0) over totalSteps (Loshchilov and Hutter, 2017), and the minimum
 * afterwards, where PyTorch's CosineAnnealingLR would climb again.
 */
export function cosineDecay(
  rate: number,
  options: { readonly totalSteps: number; readonly minimum?: number },
): Schedule {
  checkOptions('cosineDecay', options, ['totalSteps', 'minimum'])
  const { totalSteps, minimum = 0 } = options
  checkRate('cosineDecay', 'the rate', rate)
  checkRate('cosineDecay', 'minimum', minimum)
  checkPositiveInteger('cosineDecay', 'totalSteps', totalSteps)
  return (step) => cosineFall(shareDone(step, totalSteps), rate, minimum)
}

/** Cosine falls of period, period * factor, period * factor^2, ... steps, each from rate to minimum (SGDR). */
export function cosineWarmRestarts(
  rate: number,
  options: { readonly period: number; readonly factor?: number; readonly minimum?: number },
): Schedule {
  checkOptions('cosineWarmRestarts', options, ['period', 'factor', 'minimum'])
  const { period, factor = 1, minimum = 0 } = options
  checkRate('cosineWarmRestarts', 'the rate', rate)
  checkRate('cosineWarmRestarts', 'minimum', minimum)
  checkPositiveInteger('cosineWarmRestarts', 'period', period)
  checkPositiveInteger('cosineWarmRestarts', 'factor', factor)
  if (factor === 1)
    return (step) => {
      const units = step.div(period)
      return cosineFall(units.sub(units.floor()), rate, minimum)
    }
  return (step) => {
    const units = step.div(period)
    // Restart n comes after (f^n - 1) / (f - 1) periods; the small shift keeps it on its own step.
    const n = units
      .mul(factor - 1)
      .log1p()
      .div(Math.log(factor))
      .add(1e-5)
      .floor()
    const length = power(factor, n)
    const start = length.sub(1).div(factor - 1)
    return cosineFall(units.sub(start).div(length), rate, minimum)
  }
}

/** One cycle with cosine sides (Smith and Topin, 2019): up to maximum, then down to maximum / divFactor / finalDivFactor. */
export function oneCycle(options: {
  readonly maximum: number
  readonly totalSteps: number
  /** Share of the steps that climb. Default 0.3. */
  readonly pctStart?: number
  /** maximum / first rate. Default 25. */
  readonly divFactor?: number
  /** first rate / last rate. Default 1e4. */
  readonly finalDivFactor?: number
}): Schedule {
  checkOptions('oneCycle', options, ['maximum', 'totalSteps', 'pctStart', 'divFactor', 'finalDivFactor'])
  const { maximum, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options
  checkRate('oneCycle', 'maximum', maximum)
  checkPositiveInteger('oneCycle', 'totalSteps', totalSteps)
  const up = pctStart * totalSteps - 1
  const down = totalSteps - 1 - up
  if (!(up > 0 && down > 0))
    throw new OpError('oneCycle', `pctStart ${pctStart} of ${totalSteps} steps leaves no step to climb or none to fall`)
  if (!(divFactor > 0 && finalDivFactor > 0))
    throw new OpError('oneCycle', `the factors must be above 0, got ${divFactor} and ${finalDivFactor}`)
  const first = maximum / divFactor
  return (step) =>
    where(
      step.le(up),
      cosineFall(shareDone(step, up), first, maximum),
      cosineFall(shareDone(step.sub(up), down), maximum, first / finalDivFactor),
    )
}

/** Steps since `start`, 0 before. */
const since = (step: Scalar, start: number): Scalar => step.sub(start).clip(0)

/** A linear rise to `rate` over `steps` steps, the first of which has rate / steps; then `after`, from its own step 0. */
export function warmup(steps: number, rate: number, after: Schedule): Schedule {
  checkPositiveInteger('warmup', 'steps', steps)
  checkRate('warmup', 'the rate', rate)
  return (step) => where(step.lt(steps), step.add(1).mul(rate / steps), after(since(step, steps)))
}

/** One schedule after the other: schedules[i] runs up to boundaries[i], counting its own steps. */
export function joinSchedules(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  const [first, ...others] = schedules
  if (first === undefined || others.length !== boundaries.length)
    throw new OpError(
      'joinSchedules',
      `boundaries lie between schedules, got ${schedules.length} schedules and ${boundaries.length} boundaries`,
    )
  if (boundaries.some((b, i) => !(b > (boundaries[i - 1] ?? 0))))
    throw new OpError('joinSchedules', `boundaries must be positive and ascending, got [${boundaries.join(', ')}]`)
  return (step) =>
    others.reduce((rate: Scalar, schedule, i) => {
      const boundary = boundaries[i] as number
      return where(step.ge(boundary), schedule(since(step, boundary)), rate)
    }, first(step))
}
