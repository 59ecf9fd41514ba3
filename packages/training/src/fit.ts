import { checkOptions } from '@tessella/tensor'
import { describeCulprit } from './diagnose.ts'
import { checkCount, checkPositiveInteger, TrainingError } from './errors.ts'
import type { TrainStep } from './step.ts'

/** What happens during {@link fit}, in order. Seconds are wall time since `fit` began or the epoch began. */
export type TrainingEvent =
  | { readonly type: 'epoch-start'; readonly epoch: number; readonly epochs: number; readonly steps: number }
  | {
      readonly type: 'step'
      readonly epoch: number
      /** From 0 in every epoch; skipped batches count. */
      readonly step: number
      /** Steps of the epoch; 0 when nobody knows. */
      readonly steps: number
      readonly loss: number
      readonly seconds: number
    }
  | {
      readonly type: 'epoch-end'
      readonly epoch: number
      readonly epochs: number
      /** Mean loss of the steps taken; NaN when all were skipped. */
      readonly loss: number
      readonly metrics: Readonly<Record<string, number>>
      readonly seconds: number
    }
  | {
      readonly type: 'end'
      readonly reason: EndReason
      /** Epochs that are done, those before `startEpoch` included. */
      readonly epochs: number
      readonly seconds: number
    }

/** `aborted`: the signal fired and the running step was finished; `stopped`: `shouldStop` said so. */
export type EndReason = 'finished' | 'aborted' | 'stopped'

type EpochEnd = Extract<TrainingEvent, { type: 'epoch-end' }>

/** Batches of one epoch, with their number where it is known. */
export type EpochBatches<B> = (AsyncIterable<B> | Iterable<B>) & { readonly length?: number }

export interface FitOptions<B> {
  readonly step: TrainStep<B>
  /** The batches of an epoch (from 0); called once per epoch, so that each can be shuffled anew. */
  readonly batches: (epoch: number) => EpochBatches<B>
  readonly epochs: number
  /** First epoch to run, for resuming. Default 0. */
  readonly startEpoch?: number
  /** Batches of the first epoch to skip, for resuming in its middle. Default 0. */
  readonly startStep?: number
  /** Mean loss of the batches skipped by `startStep`, so that the first epoch's loss is of the whole epoch. */
  readonly startLoss?: number
  /** Metrics after each epoch, by name. */
  readonly evaluate?: (epoch: number) => Promise<Readonly<Record<string, number>>>
  /** Ends training after an epoch when it answers true: early stopping. */
  readonly shouldStop?: (event: EpochEnd) => boolean | Promise<boolean>
  /** Ends training after the running step; every Variable is left in a valid state. */
  readonly signal?: AbortSignal
}

const now = (): number => performance.now() / 1000

async function failOnNonFinite<B>(step: TrainStep<B>, batch: B, loss: number, epoch: number, index: number) {
  const culprit = await step.diagnose(batch)
  throw new TrainingError(
    'non-finite-loss',
    `[fit] the loss became ${loss} in epoch ${epoch + 1}, step ${index + 1}. ${describeCulprit(culprit)} ` +
      'This step changed no parameter. Lower the learning rate, clip gradients, or check the data.',
    { epoch, step: index, loss, culprit },
  )
}

/** The steps of one epoch as events; answers their number and mean loss, or that the signal fired. */
async function* runSteps<B>(
  { step, signal, startLoss }: FitOptions<B>,
  data: EpochBatches<B>,
  epoch: number,
  skip: number,
): AsyncGenerator<TrainingEvent, { readonly seen: number; readonly loss: number; readonly aborted: boolean }> {
  const start = now()
  const steps = data.length ?? 0
  const known = startLoss === undefined ? 0 : skip
  let sum = (startLoss ?? 0) * known
  let seen = 0
  const result = (aborted: boolean) => ({ seen, loss: sum / (seen - skip + known), aborted })
  for await (const batch of data) {
    if (seen >= skip) {
      const loss = await step(batch).item()
      if (!Number.isFinite(loss)) await failOnNonFinite(step, batch, loss, epoch, seen)
      sum += loss
      yield { type: 'step', epoch, step: seen, steps, loss, seconds: now() - start }
    }
    seen++
    if (signal?.aborted) return result(true)
  }
  return result(false)
}

/**
 * Trains, telling every step and epoch as an event. Leaving the loop (`break`) or the signal stops after the running
 * step. Throws {@link TrainingError} when the loss is not finite, naming the operation and layer, and when there is
 * nothing to train on.
 *
 * @example
 * for await (const event of fit({ step, batches: epoch => batches(train, { size: 64, seed: 1, epoch }), epochs: 3 }))
 *   if (event.type === 'epoch-end') console.log(event.loss)
 */
export async function* fit<B>(options: FitOptions<B>): AsyncGenerator<TrainingEvent, void, undefined> {
  checkOptions('fit', options, [
    'step',
    'batches',
    'epochs',
    'startEpoch',
    'startStep',
    'startLoss',
    'evaluate',
    'shouldStop',
    'signal',
  ])
  const { batches, epochs, evaluate, shouldStop, signal, startEpoch = 0, startStep = 0 } = options
  if (typeof batches !== 'function')
    throw new TrainingError(
      'bad-option',
      '[fit] batches must be a function of the epoch, so that each epoch can be drawn anew. ' +
        'Write batches: (epoch) => batches(train, { size: 64, epoch }).',
    )
  checkPositiveInteger('fit', 'epochs', epochs)
  checkCount('fit', 'startEpoch', startEpoch)
  checkCount('fit', 'startStep', startStep)
  const began = now()
  let done = startEpoch
  let reason: EndReason = 'finished'
  while (done < epochs && reason === 'finished') {
    if (signal?.aborted) {
      reason = 'aborted'
      break
    }
    const start = now()
    const epoch = done
    const skip = epoch === startEpoch ? startStep : 0
    const data = batches(epoch)
    yield { type: 'epoch-start', epoch, epochs, steps: data.length ?? 0 }
    const { seen, loss, aborted } = yield* runSteps(options, data, epoch, skip)
    if (aborted) {
      reason = 'aborted'
      break
    }
    checkSeen(epoch, seen, skip)
    const metrics = (await evaluate?.(epoch)) ?? {}
    const event: EpochEnd = { type: 'epoch-end', epoch, epochs, loss, metrics, seconds: now() - start }
    done++
    yield event
    if (await shouldStop?.(event)) reason = 'stopped'
  }
  yield { type: 'end', reason, epochs: done, seconds: now() - began }
}

function checkSeen(epoch: number, seen: number, skip: number): void {
  if (seen === 0)
    throw new TrainingError('no-batches', `[fit] epoch ${epoch + 1} had no batches. Check the data set and dropLast.`)
  if (seen < skip)
    throw new TrainingError('bad-option', `[fit] startStep is ${skip}, but epoch ${epoch + 1} has ${seen} batches`)
}
