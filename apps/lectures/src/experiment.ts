import { join } from 'node:path'
import { batches, type Mnist } from '@tessella/datasets'
import { countParameters, summary } from '@tessella/layers'
import { crossEntropy, errorCount } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { memory, type Tensor } from '@tessella/tensor'
import { evaluator, fit, loadCheckpoint, type Progress, saveCheckpoint, trainStep } from '@tessella/training'
import { analyse, firstFilters } from './analysis.ts'
import { network, networks } from './models.ts'
import type { ModelName, Options } from './options.ts'
import type { EpochRecord, RunRecord } from './record.ts'

/** Images per step, the lectures' choice. */
export const batchSize = 1000

/** What a checkpoint remembers beside the Variables. */
interface Saved {
  readonly seed: number
  readonly quick: boolean
  readonly initialErrors: number
  readonly epochs: readonly EpochRecord[]
  /** Steps done of the epoch that was running, and the seconds it took so far. */
  readonly step: number
  readonly seconds: number
  readonly stepLosses: readonly number[]
}

export interface Batch {
  readonly images: Tensor<readonly [number, 1, 28, 28], 'uint8'>
  readonly labels: Tensor<readonly [number], 'uint8'>
}

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / Math.max(1, xs.length)

/**
 * Trains one of the lectures' networks: SGD, softmax cross entropy, pixels / 255. Saves after every epoch and when
 * the signal fires; answers what the report needs either way.
 */
export async function experiment(
  name: ModelName,
  data: Mnist,
  options: Options,
  shown: Progress,
  signal: AbortSignal,
): Promise<RunRecord> {
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
  const testErrors = async (): Promise<number> => (await countErrors(batches(data.test, { size: batchSize }))).errors

  const state = { model, optimizer: opt.state }
  const path = join(options.out, `checkpoint-${name}${options.quick ? '-quick' : ''}.safetensors`)
  const saved = options.resume ? await loadCheckpoint<Saved>(path, state) : undefined
  checkSame(saved, options, path)
  const initialErrors = saved?.initialErrors ?? (await testErrors())
  const epochs: EpochRecord[] = [...(saved?.epochs ?? [])]
  const stepLosses: number[] = [...(saved?.stepLosses ?? [])]
  let partial = { step: saved?.step ?? 0, seconds: saved?.seconds ?? 0 }
  let before = partial.seconds
  let stepsPerEpoch = 0
  const save = (): Promise<void> =>
    saveCheckpoint(path, state, {
      seed: options.seed,
      quick: options.quick,
      initialErrors,
      epochs,
      step: partial.step,
      seconds: partial.seconds,
      stepLosses,
    } satisfies Saved)

  const run = fit<Batch>({
    step,
    batches: (epoch) => batches(data.train, { size: batchSize, shuffle: true, seed: options.seed, epoch }),
    epochs: options.epochs,
    startEpoch: epochs.length,
    startStep: partial.step,
    evaluate: async () => ({ errors: await testErrors() }),
    signal,
  })
  for await (const event of run) {
    shown.event(event)
    if (event.type === 'epoch-start') stepsPerEpoch = event.steps
    else if (event.type === 'step') {
      stepLosses.push(event.loss)
      partial = { step: event.step + 1, seconds: before + event.seconds }
    } else if (event.type === 'epoch-end') {
      const steps = stepLosses.slice(-stepsPerEpoch)
      epochs.push({ loss: mean(steps), errors: event.metrics.errors ?? Number.NaN, seconds: before + event.seconds })
      partial = { step: 0, seconds: 0 }
      before = 0
      await save()
    } else if (event.type === 'end' && event.reason === 'aborted') await save()
  }
  return {
    model: name,
    title,
    rate,
    parameters: countParameters(model),
    initialErrors,
    epochs,
    stepLosses,
    ...(await analyse(logits, data.test, batchSize)),
    filters: await firstFilters(model),
    summary: summary(model),
    kernels: step.kernels().at(-1) ?? 0,
    peakBytes: memory().peakBytes,
    complete: epochs.length >= options.epochs,
  }
}

function checkSame(saved: Saved | undefined, options: Options, path: string): void {
  if (saved === undefined) return
  if (saved.seed !== options.seed || saved.quick !== options.quick)
    throw new Error(
      `${path} was made with --seed ${saved.seed}${saved.quick ? ' --quick' : ''}. Use the same options, or start without --resume.`,
    )
}
