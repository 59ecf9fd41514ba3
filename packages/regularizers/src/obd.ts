import { checkOptions, OpError } from '@tessella/tensor'
import type { ByName, Pruning } from './pruning.ts'

/** What pruning by rounds needs; functions that train and measure come from the caller. */
export interface BrainDamageOptions {
  readonly pruning: Pruning
  /** Scores of all weights as they are now: `saliences`, or `magnitudes` to compare with. */
  readonly scores: () => ByName | Promise<ByName>
  /** How many weights to remove in a round, of those left. */
  readonly count: number | ((remaining: number) => number)
  /** Trains on; it must keep removed weights at 0. */
  readonly retrain: (round: number) => void | Promise<void>
  /** What must not get worse, on the training set and on the validation set for instance; less is better. */
  readonly criterion: () => readonly number[] | Promise<readonly number[]>
  /** Whether values are too much worse than those before the first round. Default: any is more than 5 % above. */
  readonly worsened?: (before: readonly number[], now: readonly number[]) => boolean
  /** Most rounds. Default 100. */
  readonly rounds?: number
}

/** What became of a round. */
export interface BrainDamageRound {
  /** From 1. */
  readonly round: number
  readonly removed: number
  /** Weights left, after taking back where that happened. */
  readonly remaining: number
  /** After retraining. */
  readonly criterion: readonly number[]
  /** The criterion got too much worse, so the round was taken back and is the last. */
  readonly undone: boolean
}

const muchWorse = (before: readonly number[], now: readonly number[]): boolean =>
  now.some((value, i) => !(value <= (before[i] as number) + 0.05 * Math.abs(before[i] as number)))

/**
 * Optimal Brain Damage (LeCun, Denker and Solla, 1990), as the lectures have it, from a trained model: removes the weights of
 * the least salience, trains on, and when the criterion got too much worse takes the last round back and stops. It tells
 * every round; ends too when nothing is left to remove. The model and the masks are taken back, an optimizer's state
 * is not.
 *
 * @example
 * const kept = pruning(model)
 * const scores = () => saliences(kept, curvatureOfMyNet())
 * for await (const { remaining, criterion } of optimalBrainDamage({ pruning: kept, scores, count: 100, retrain, criterion }))
 *   console.log(remaining, criterion)
 */
export async function* optimalBrainDamage(
  options: BrainDamageOptions,
): AsyncGenerator<BrainDamageRound, void, undefined> {
  checkOptions('optimalBrainDamage', options, [
    'pruning',
    'scores',
    'count',
    'retrain',
    'criterion',
    'worsened',
    'rounds',
  ])
  const { pruning, scores, count, retrain, criterion, worsened = muchWorse, rounds = 100 } = options
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new OpError('optimalBrainDamage', `rounds must be a positive integer, got ${rounds}`)
  const before = await criterion()
  for (let round = 1; round <= rounds; round++) {
    const left = await pruning.remaining()
    const wanted = typeof count === 'function' ? count(left) : count
    const undo = pruning.remember()
    const removed = await pruning.removeLeast(await scores(), wanted)
    if (removed === 0) return
    await retrain(round)
    pruning.apply()
    const now = await criterion()
    const undone = worsened(before, now)
    if (undone) undo()
    yield { round, removed, remaining: await pruning.remaining(), criterion: now, undone }
    if (undone) return
  }
}
