import { OpError, scalar, type Tensor, where } from '@tessella/tensor'
import { checkRate, type Schedule } from './learningRate.ts'

type Scalar = Tensor<readonly [], 'float32'>
const as = (t: Tensor): Scalar => t as Scalar

function checkCount(name: string, what: string, n: number): void {
  if (!Number.isInteger(n) || n < 1) throw new OpError(name, `${what} must be a positive integer, got ${n}`)
}

/** base^exponent for a host base above 0; 1 at exponent 0 whatever the base. */
const power = (base: number, exponent: Tensor): Tensor =>
  (base > 0 ? exponent.mul(Math.log(base)).exp() : where(exponent.eq(0), scalar(1), scalar(0))) as Tensor

/** (1 + cos(pi x)) / 2 falls from 1 to 0 as x goes from 0 to 1. */
const cosineFall = (x: Tensor): Tensor => x.mul(Math.PI).cos().add(1).mul(0.5) as Tensor

/** The same rate at every step. */
export const constantSchedule =
  (rate: number): Schedule =>
  (step) =>
    as(step.mul(0).add(rate))

/** rate * gamma^floor(step / stepSize). */
export function stepDecay(rate: number, options: { readonly stepSize: number; readonly gamma?: number }): Schedule {
  checkRate('stepDecay', rate)
  checkCount('stepDecay', 'stepSize', options.stepSize)
  return (step) => as(power(options.gamma ?? 0.1, step.div(options.stepSize).floor() as Tensor).mul(rate))
}

/** rate * gamma^(milestones reached). */
export function multiStepDecay(
  rate: number,
  options: { readonly milestones: readonly number[]; readonly gamma?: number },
): Schedule {
  checkRate('multiStepDecay', rate)
  return (step) => {
    let reached = step.mul(0) as Tensor
    for (const m of options.milestones) reached = reached.add(step.ge(m).cast('float32')) as Tensor
    return as(power(options.gamma ?? 0.1, reached).mul(rate))
  }
}

/** rate * gamma^step. */
export function exponentialDecay(rate: number, gamma: number): Schedule {
  checkRate('exponentialDecay', rate)
  return (step) => as(power(gamma, step).mul(rate))
}

/** From rate to endFactor * rate over totalSteps, starting at startFactor * rate; constant afterwards. */
export function linearSchedule(
  rate: number,
  options: { readonly startFactor?: number; readonly endFactor?: number; readonly totalSteps: number },
): Schedule {
  const { startFactor = 1 / 3, endFactor = 1, totalSteps } = options
  checkRate('linearSchedule', rate)
  checkCount('linearSchedule', 'totalSteps', totalSteps)
  return (step) => {
    const t = step.clip(0, totalSteps).div(totalSteps)
    return as(
      t
        .mul(endFactor - startFactor)
        .add(startFactor)
        .mul(rate),
    )
  }
}

/** rate * (1 - step / totalSteps)^power, 0 afterwards. */
export function polynomialDecay(
  rate: number,
  options: { readonly totalSteps: number; readonly power?: number },
): Schedule {
  checkRate('polynomialDecay', rate)
  checkCount('polynomialDecay', 'totalSteps', options.totalSteps)
  return (step) => {
    const left = step.clip(0, options.totalSteps).div(-options.totalSteps).add(1)
    return as(left.pow(options.power ?? 1).mul(rate))
  }
}

/** Half a cosine from rate to minimum over totalSteps and back, again and again (Loshchilov and Hutter, 2017). */
export function cosineDecay(
  rate: number,
  options: { readonly totalSteps: number; readonly minimum?: number },
): Schedule {
  const { totalSteps, minimum = 0 } = options
  checkRate('cosineDecay', rate)
  checkCount('cosineDecay', 'totalSteps', totalSteps)
  return (step) =>
    as(
      cosineFall(step.div(totalSteps) as Tensor)
        .mul(rate - minimum)
        .add(minimum),
    )
}

/** Cosine falls of period, period * factor, period * factor^2, ... steps, each from rate (SGDR). */
export function cosineWarmRestarts(
  rate: number,
  options: { readonly period: number; readonly factor?: number; readonly minimum?: number },
): Schedule {
  const { period, factor = 1, minimum = 0 } = options
  checkRate('cosineWarmRestarts', rate)
  checkCount('cosineWarmRestarts', 'period', period)
  checkCount('cosineWarmRestarts', 'factor', factor)
  return (step) => {
    const units = step.div(period) as Tensor
    // Restarts happen after (f^n - 1) / (f - 1) periods; the small shift keeps a restart on its own step.
    const n = (
      factor === 1
        ? units.floor()
        : units
            .mul(factor - 1)
            .add(1)
            .log()
            .div(Math.log(factor))
            .add(1e-5)
            .floor()
    ) as Tensor
    const length = power(factor, n)
    const start = (factor === 1 ? n : length.sub(1).div(factor - 1)) as Tensor
    return as(
      cosineFall(units.sub(start).div(length) as Tensor)
        .mul(rate - minimum)
        .add(minimum),
    )
  }
}

/** One cycle with cosine sides (Smith and Topin, 2019): up to maximum, then down to maximum / divFactor / finalDivFactor. */
export function oneCycle(options: {
  readonly maximum: number
  readonly totalSteps: number
  readonly pctStart?: number
  readonly divFactor?: number
  readonly finalDivFactor?: number
}): Schedule {
  const { maximum, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options
  checkRate('oneCycle', maximum)
  checkCount('oneCycle', 'totalSteps', totalSteps)
  const initial = maximum / divFactor
  const final = initial / finalDivFactor
  const up = pctStart * totalSteps - 1
  const down = totalSteps - 1 - up
  return (step) => {
    const rising = cosineFall(step.div(up) as Tensor)
      .mul(initial - maximum)
      .add(maximum)
    const falling = cosineFall(step.sub(up).clip(0, down).div(down) as Tensor)
      .mul(maximum - final)
      .add(final)
    return as(where(step.le(up), rising, falling))
  }
}

/** A linear rise from 0 over `steps` steps, then `after` as if it started there. */
export function warmup(steps: number, rate: number, after: Schedule): Schedule {
  checkCount('warmup', 'steps', steps)
  return (step) =>
    as(where(step.lt(steps), step.add(1).div(steps).clip(0, 1).mul(rate), after(as(step.sub(steps).clip(0, 1e9)))))
}

/** One schedule after the other: schedules[i] runs up to boundaries[i], counting its own steps. */
export function joinSchedules(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  if (schedules.length !== boundaries.length + 1)
    throw new OpError(
      'joinSchedules',
      `${schedules.length} schedules need ${schedules.length - 1} boundaries, got ${boundaries.length}`,
    )
  return (step) => {
    let result = (schedules[0] as Schedule)(step)
    for (const [i, boundary] of boundaries.entries()) {
      const next = (schedules[i + 1] as Schedule)(as(step.sub(boundary).clip(0, 1e9)))
      result = as(where(step.ge(boundary), next, result))
    }
    return result
  }
}
