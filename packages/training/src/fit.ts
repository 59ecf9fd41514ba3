import { checkPositiveInteger, TrainingError } from './errors.ts'
import type { TrainStep } from './step.ts'

/** What happens during {@link fit}, in order. Seconds are wall time since `fit` began or the epoch began. */
export type TrainingEvent =
  | { readonly type: 'epoch-start'; readonly epoch: number; readonly epochs: number; readonly steps: number }
  | {
      readonly type: 'step'
      readonly epoch: number
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly seconds: number
    }
  | {
      readonly type: 'epoch-end'
      readonly epoch: number
      readonly epochs: number
      /** Mean loss of the epoch's steps. */
      readonly loss: number
      readonly metrics: Readonly<Record<string, number>>
      readonly seconds: number
    }
  | { readonly type: 'end'; readonly reason: EndReason; readonly epochs: number; readonly seconds: number }

/** `aborted`: the signal fired and the running step was finished; `stopped`: `shouldStop` said so. */
export type EndReason = 'finished' | 'aborted' | 'stopped'

/** Batches of one epoch, with their number where it is known. */
export type EpochBatches<B> = (AsyncIterable<B> | Iterable<B>) & { readonly length?: number }

export interface FitOptions<B> {
  readonly step: TrainStep<B>
  /** The batches of an epoch (from 0); called once per epoch, so that each can be shuffled anew. */
  readonly batches: (epoch: number) => EpochBatches<B>
  readonly epochs: number
  /** First epoch to run, for resuming. Default 0. */
  readonly startEpoch?: number
  /** Metrics after each epoch, by name. */
  readonly evaluate?: (epoch: number) => Promise<Readonly<Record<string, number>>>
  /** Ends training after an epoch when it answers true: early stopping. */
  readonly shouldStop?: (event: Extract<TrainingEvent, { type: 'epoch-end' }>) => boolean | Promise<boolean>
  /** Ends training after the running step; every Variable is left in a valid state. */
  readonly signal?: AbortSignal
}

const now = (): number => performance.now() / 1000

async function failOnNonFinite<B>(
  step: TrainStep<B>,
  batch: B,
  loss: number,
  epoch: number,
  index: number,
): Promise<never> {
  const culprit = await step.diagnose(batch)
  const place = culprit
    ? `The first bad value comes from '${culprit.op}'${culprit.where ? ` in layer '${culprit.where}'` : ''} of shape ` +
      `[${culprit.shape.join(', ')}]: ${culprit.nan} NaN, ${culprit.infinite} infinite.`
    : 'No single operation of the step is at fault when it runs alone; the loss may overflow.'
  throw new TrainingError(
    'non-finite-loss',
    `[fit] the loss became ${loss} in epoch ${epoch + 1}, step ${index + 1}. ${place} ` +
      'The parameters are those before this step. Lower the learning rate, clip gradients, or check the data.',
    { epoch, step: index, loss, culprit },
  )
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
  const { step, batches, epochs, evaluate, shouldStop, signal, startEpoch = 0 } = options
  checkPositiveInteger('fit', 'epochs', epochs)
  if (!Number.isInteger(startEpoch) || startEpoch < 0)
    throw new TrainingError('bad-option', `[fit] startEpoch must be an integer >= 0, got ${startEpoch}`)
  const began = now()
  let done = startEpoch
  let reason: EndReason = 'finished'
  for (let epoch = startEpoch; epoch < epochs && reason === 'finished'; epoch++) {
    if (signal?.aborted) {
      reason = 'aborted'
      break
    }
    const start = now()
    const data = batches(epoch)
    const steps = data.length ?? 0
    yield { type: 'epoch-start', epoch, epochs, steps }
    let sum = 0
    let count = 0
    for await (const batch of data) {
      const loss = await step(batch).item()
      if (!Number.isFinite(loss)) await failOnNonFinite(step, batch, loss, epoch, count)
      sum += loss
      yield { type: 'step', epoch, step: count++, steps, loss, seconds: now() - start }
      if (signal?.aborted) {
        reason = 'aborted'
        break
      }
    }
    if (reason === 'aborted') break
    if (count === 0)
      throw new TrainingError('no-batches', `[fit] epoch ${epoch + 1} had no batches. Check the data set and dropLast.`)
    const metrics = evaluate ? await evaluate(epoch) : {}
    const event = { type: 'epoch-end', epoch, epochs, loss: sum / count, metrics, seconds: now() - start } as const
    done = epoch + 1
    yield event
    if (await shouldStop?.(event)) reason = 'stopped'
  }
  yield { type: 'end', reason, epochs: done, seconds: now() - began }
}
