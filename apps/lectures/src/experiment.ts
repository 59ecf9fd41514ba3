import { batches, type Mnist } from '@tessella/datasets'
import { countParameters, summary } from '@tessella/layers'
import { crossEntropy, errorCount } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { memory, type Tensor } from '@tessella/tensor'
import { evaluator, fit, type TrainingEvent, type TrainStep, trainStep } from '@tessella/training'
import { analyse, firstFilters } from './analysis.ts'
import { type Batch, type ModelName, network, networks } from './models.ts'
import { type EpochRecord, quickRun, type RunRecord } from './record.ts'

// What runs in Node and in a page alike: nothing here knows files, terminals or documents.

/** Images per step, the lectures' choice. */
export const batchSize = 1000

/** A part of the data for a quick run. */
export const quickPart = ({ train, test }: Mnist): Mnist => ({
  train: train.take(quickRun.trainImages),
  test: test.take(quickRun.testImages),
})

/** How far a run got, beside its Variables. */
export interface Saved {
  readonly initialErrors: number
  readonly epochs: readonly EpochRecord[]
  /** Steps done of the epoch that was running, and the seconds they took. */
  readonly step: number
  readonly seconds: number
  readonly stepLosses: readonly number[]
}

/** Where a run is kept, so that it can go on later. `state` holds its Variables. */
export interface Keeper {
  /** Loads what was kept into `state`; `undefined` to start anew. */
  load(state: unknown): Promise<Saved | undefined>
  save(state: unknown, saved: Saved): Promise<void>
}

/** One of the lectures' networks with its training step: SGD, softmax cross entropy, pixels / 255. */
export interface Learner {
  readonly name: ModelName
  readonly model: ReturnType<typeof network>
  readonly logits: (images: Batch['images']) => Tensor<readonly [number, 10]>
  readonly step: TrainStep<Batch>
  /** All Variables that training changes. */
  readonly state: object
}

/** A network as it is before training. */
export function learner(name: ModelName, seed: number): Learner {
  const model = network(name, seed)
  const logits = (images: Batch['images']) => model(images.cast('float32').div(255))
  const opt = optimizer(sgd(networks[name].rate), model)
  const step = trainStep<Batch>({
    model,
    optimizer: opt,
    loss: ({ images, labels }) => crossEntropy(logits(images), labels),
  })
  return { name, model, logits, step, state: { model, optimizer: opt.state } }
}

/** What an experiment works with. */
export interface Setting {
  readonly data: Mnist
  /** Order of the images. */
  readonly seed: number
  readonly epochs: number
  /** Images per step. */
  readonly batch: number
  readonly keeper?: Keeper
  /** Hears what happens. */
  readonly event: (event: TrainingEvent) => void
  /** Hears the test errors before training. */
  readonly begin?: (initialErrors: number) => void
  /**
   * Awaited after every step. It gives the event loop a turn, in which Ctrl-C or a button can arrive, and may wait; answers
   * the seconds that it waited on purpose, which no epoch took.
   */
  readonly turn: () => Promise<number>
  /** Ends training after the running step. */
  readonly signal: AbortSignal
}

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / Math.max(1, xs.length)

/**
 * Trains one of the lectures' networks. Keeps it after every epoch and when the signal fires; answers what the report needs
 * either way.
 */
export async function experiment(learner: Learner, setting: Setting): Promise<RunRecord> {
  const { data, seed, batch, keeper, signal } = setting
  const { name, model, logits, step, state } = learner
  const countErrors = evaluator(({ images, labels }: Batch) => ({ errors: errorCount(logits(images), labels) }))
  const testErrors = async (): Promise<number> => (await countErrors(batches(data.test, { size: batch }))).errors

  const saved = await keeper?.load(state)
  const initialErrors = saved?.initialErrors ?? (await testErrors())
  setting.begin?.(initialErrors)
  const epochs: EpochRecord[] = [...(saved?.epochs ?? [])]
  const stepLosses: number[] = [...(saved?.stepLosses ?? [])]
  // Of the epoch that runs: steps done, seconds so far, and seconds before this run, less what was waited.
  let running = { step: saved?.step ?? 0, seconds: saved?.seconds ?? 0, before: saved?.seconds ?? 0 }
  let stepsPerEpoch = 0
  const keep = async (): Promise<void> =>
    keeper?.save(state, { initialErrors, epochs, step: running.step, seconds: running.seconds, stepLosses })

  const run = fit<Batch>({
    step,
    batches: (epoch) => batches(data.train, { size: batch, shuffle: true, seed, epoch }),
    epochs: setting.epochs,
    startEpoch: epochs.length,
    startStep: running.step,
    ...(running.step > 0 ? { startLoss: mean(stepLosses.slice(-running.step)) } : {}),
    evaluate: async () => ({ errors: await testErrors() }),
    signal,
  })
  for await (const event of run) {
    setting.event(event)
    if (event.type === 'epoch-start') stepsPerEpoch = event.steps
    else if (event.type === 'step') {
      stepLosses.push(event.loss)
      running = { ...running, step: event.step + 1, seconds: running.before + event.seconds }
      const waited = await setting.turn()
      running = { ...running, before: running.before - waited }
    } else if (event.type === 'epoch-end') {
      const loss = mean(stepLosses.slice(-stepsPerEpoch))
      epochs.push({ loss, errors: event.metrics.errors ?? Number.NaN, seconds: running.before + event.seconds })
      running = { step: 0, seconds: 0, before: 0 }
      await keep()
    } else if (event.reason === 'aborted') await keep()
  }
  const { title, rate } = networks[name]
  return {
    model: name,
    title,
    rate,
    parameters: countParameters(model),
    initialErrors,
    epochs,
    stepLosses,
    ...(await analyse(logits, data.test, batch)),
    filters: await firstFilters(model),
    summary: summary(model),
    kernels: step.kernels().at(-1) ?? 0,
    peakBytes: memory().peakBytes,
    complete: epochs.length >= setting.epochs,
  }
}
