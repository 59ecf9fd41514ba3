import { checkOptions } from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'

export interface EarlyStoppingOptions {
  /** Epochs without improvement before it stops. Default 5. */
  readonly patience?: number
  /** Smaller changes are no improvement. Default 0. */
  readonly minDelta?: number
  /** Whether less or more is better. Default 'min'. */
  readonly mode?: 'min' | 'max'
}

/** Follows one metric: tells whether a value is the best so far and when to stop. */
export interface EarlyStopping {
  /** Takes the metric of an epoch; true when it is the best so far. NaN is never an improvement. */
  update(value: number): boolean
  readonly best: number
  /** Number of updates since the best. */
  readonly waited: number
  readonly shouldStop: boolean
}

/**
 * @example
 * const stopping = earlyStopping({ patience: 3 })
 * fit({ ..., shouldStop: e => { stopping.update(e.metrics.loss); return stopping.shouldStop } })
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  checkOptions('earlyStopping', options, ['patience', 'minDelta', 'mode'])
  const { patience = 5, minDelta = 0, mode = 'min' } = options
  checkPositiveInteger('earlyStopping', 'patience', patience)
  if (!(minDelta >= 0)) throw new TrainingError('bad-option', `[earlyStopping] minDelta must be >= 0, got ${minDelta}`)
  const sign = mode === 'min' ? 1 : -1
  let best = sign * Number.POSITIVE_INFINITY
  let waited = 0
  return {
    update(value) {
      const better = sign * value < sign * best - minDelta
      if (better) best = value
      waited = better ? 0 : waited + 1
      return better
    },
    get best() {
      return best
    },
    get waited() {
      return waited
    },
    get shouldStop() {
      return waited >= patience
    },
  }
}
