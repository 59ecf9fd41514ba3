/** How far training got. */
export interface TrainingProgress {
  /** Seconds that the newest epochs took which are done. */
  readonly durations: readonly number[]
  /** The running epoch, from 0, and how many there are. */
  readonly epoch: number
  readonly epochs: number
  /** The share of the running epoch that is done, from 0 to 1, and its seconds so far. */
  readonly share: number
  readonly seconds: number
}

/**
 * Seconds that training still takes: every epoch as long as the mean of `durations`, or, in the first one, as long as its
 * share says. Infinite or NaN before anything is done.
 *
 * @example
 * secondsLeft({ durations: [4, 6], epoch: 2, epochs: 4, share: 0.2, seconds: 1 }) // 5 - 1 and another 5: 9
 */
export function secondsLeft({ durations, epoch, epochs, share, seconds }: TrainingProgress): number {
  const each = durations.length > 0 ? durations.reduce((a, b) => a + b, 0) / durations.length : seconds / share
  return each * (epochs - epoch - 1) + Math.max(0, each - seconds)
}
