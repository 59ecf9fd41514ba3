import { checkOptions, OpError, scalar, Variable } from '@tessella/tensor'
import { checkPositiveInteger, checkRate } from './checks.ts'
import type { Schedule } from './learningRate.ts'

export interface PlateauOptions {
  /** The rate times this when the metric no longer improves. Default 0.1. */
  readonly factor?: number
  /** Updates without improvement that are waited for; the next one lowers the rate. Default 10. */
  readonly patience?: number
  /** Share of the best value by which a metric must be better. Default 1e-4. */
  readonly threshold?: number
  /** Updates after a change that do not count. Default 0. */
  readonly cooldown?: number
  /** The rate never falls below. Default 0. */
  readonly minimum?: number
  /** Whether less or more is better. Default 'min'. */
  readonly mode?: 'min' | 'max'
}

/** A rate that falls when a metric stops improving. */
export interface Plateau {
  /** Takes the metric of an epoch and answers the rate from now on. Repeat the metrics so far to resume. */
  update(metric: number): number
  /** The rate for an optimizer; a compiled step follows it without recompiling. */
  readonly schedule: Schedule
}

/**
 * PyTorch's ReduceLROnPlateau, on the host: `update` after every epoch with the metric to watch.
 *
 * @example
 * const plateau = reduceOnPlateau(0.1, { patience: 3 })
 * const opt = optimizer(sgd(plateau.schedule), model)
 * plateau.update(validationLoss) // after each epoch
 */
export function reduceOnPlateau(rate: number, options: PlateauOptions = {}): Plateau {
  checkOptions('reduceOnPlateau', options, ['factor', 'patience', 'threshold', 'cooldown', 'minimum', 'mode'])
  const { factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, minimum = 0, mode = 'min' } = options
  const op = 'reduceOnPlateau'
  checkRate(op, 'the rate', rate)
  checkRate(op, 'threshold', threshold)
  checkRate(op, 'minimum', minimum)
  if (!(factor > 0 && factor < 1)) throw new OpError(op, `factor must be between 0 and 1, got ${factor}`)
  checkPositiveInteger(op, 'patience + 1', patience + 1)
  checkPositiveInteger(op, 'cooldown + 1', cooldown + 1)
  const cell = new Variable(scalar(rate), { trainable: false, name: 'rate' })
  let now = rate
  let best = mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  let waited = 0
  let cooling = 0
  const isBetter = (metric: number): boolean =>
    mode === 'min' ? metric < best * (1 - threshold) : metric > best * (1 + threshold)
  return {
    update(metric) {
      if (isBetter(metric)) {
        best = metric
        waited = 0
      } else waited++
      if (cooling > 0) {
        cooling--
        waited = 0
      }
      if (waited > patience) {
        now = Math.max(now * factor, minimum)
        cell.assign(scalar(now))
        cooling = cooldown
        waited = 0
      }
      return now
    },
    schedule: () => cell.value,
  }
}
