import { setImmediate as nextTurn } from 'node:timers/promises'
import { batches, type Mnist } from '@tessella/datasets'
import { countParameters, summary } from '@tessella/layers'
import { crossEntropy, errorCount } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { memory } from '@tessella/tensor'
import { evaluator, fit, type Progress, trainStep } from '@tessella/training'
import { analyse, firstFilters } from './analysis.ts'
import { type Batch, network, networks } from './models.ts'
import type { ModelName, Options } from './options.ts'
import type { EpochRecord, RunRecord } from './record.ts'
import { plural } from './report/numbers.ts'
import { checkpointPath, load, save } from './resume.ts'

/** Images per step, the lectures' choice. */
export const batchSize = 1000

/** What an experiment works with. */
export interface Setting {
  readonly data: Mnist
  readonly options: Pick<Options, 'seed' | 'quick' | 'resume' | 'epochs' | 'out'>
  /** Images per step. */
  readonly batch: number
  readonly progress: Pick<Progress, 'event'>
  /** Ends training after the running step. */
  readonly signal: AbortSignal
  /** Takes remarks for the person in front of the terminal. */
  readonly say: (remark: string) => void
}

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / Math.max(1, xs.length)

/**
 * Trains one of the lectures' networks: SGD, softmax cross entropy, pixels / 255. Saves after every epoch and when
 * the signal fires; answers what the report needs either way.
 */
export async function experiment(name: ModelName, setting: Setting): Promise<RunRecord> {
  const { data, options, batch, progress, signal, say } = setting
  const { title, rate } = networks[name]
  const model = network(name, options.seed)
  const logits = (images: Batch['images']) => model(images.cast('float32').div(255))
  const opt = optimizer(sgd(rate), model)
  const step = trainStep<Batch>({
    model,
    optimizer: opt,
    loss: ({ images, labels }) => crossEntropy(logits(images), labels),
  })
  const countErrors = evaluator(({ images, labels }: Batch) => ({ errors: errorCount(logits(images), labels) }))
  const testErrors = async (): Promise<number> => (await countErrors(batches(data.test, { size: batch }))).errors

  const state = { model, optimizer: opt.state }
  const path = checkpointPath(name, options)
  const saved = options.resume ? await load(path, state, options) : undefined
  if (options.resume) say(resumed(path, saved?.epochs.length, saved?.step, options.epochs))

  const initialErrors = saved?.initialErrors ?? (await testErrors())
  const epochs: EpochRecord[] = [...(saved?.epochs ?? [])]
  const stepLosses: number[] = [...(saved?.stepLosses ?? [])]
  // Of the epoch that runs: steps done, seconds so far, and seconds before this run.
  let running = { step: saved?.step ?? 0, seconds: saved?.seconds ?? 0, before: saved?.seconds ?? 0 }
  let stepsPerEpoch = 0
  const keep = (): Promise<void> =>
    save(path, state, {
      seed: options.seed,
      quick: options.quick,
      initialErrors,
      epochs,
      step: running.step,
      seconds: running.seconds,
      stepLosses,
    })

  const run = fit<Batch>({
    step,
    batches: (epoch) => batches(data.train, { size: batch, shuffle: true, seed: options.seed, epoch }),
    epochs: options.epochs,
    startEpoch: epochs.length,
    startStep: running.step,
    ...(running.step > 0 ? { startLoss: mean(stepLosses.slice(-running.step)) } : {}),
    evaluate: async () => ({ errors: await testErrors() }),
    signal,
  })
  for await (const event of run) {
    progress.event(event)
    if (event.type === 'epoch-start') stepsPerEpoch = event.steps
    else if (event.type === 'step') {
      stepLosses.push(event.loss)
      running = { ...running, step: event.step + 1, seconds: running.before + event.seconds }
      // A backend that answers at once leaves the event loop no turn in which Ctrl-C could arrive.
      await nextTurn()
    } else if (event.type === 'epoch-end') {
      const loss = mean(stepLosses.slice(-stepsPerEpoch))
      epochs.push({ loss, errors: event.metrics.errors ?? Number.NaN, seconds: running.before + event.seconds })
      running = { step: 0, seconds: 0, before: 0 }
      await keep()
    } else if (event.reason === 'aborted') await keep()
  }
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
    complete: epochs.length >= options.epochs,
  }
}

function resumed(path: string, epochs: number | undefined, step: number | undefined, wanted: number): string {
  if (epochs === undefined) return `There is no ${path} to resume from: starting anew.`
  if (epochs >= wanted) return `${path} has all ${wanted} epochs already.`
  return `Resuming after ${plural(epochs, 'epoch')}${step ? ` and ${plural(step, 'step')}` : ''} from ${path}.`
}
