import type { Mnist } from '@tessella/datasets'
import { BackendError } from '@tessella/ir'
import { compile, softmax, type Tensor, tensor } from '@tessella/tensor'
import { batchSize, experiment, type Learner, learner, quickPart } from '../experiment.ts'
import type { Batch } from '../models.ts'
import { pace } from './pace.ts'
import type { Job, News, Order, Reading } from './protocol.ts'
import { modelsOf } from './settings.ts'

/** What a trainer needs of the place it runs in. */
export interface Place {
  readonly tell: (news: News, transfer?: readonly Transferable[]) => void
  /** Attaches a backend; answers its title. */
  readonly attach: (job: Job) => Promise<string>
  readonly mnist: () => Promise<Mnist>
}

/** A network that can be asked. */
interface Reader extends Pick<Learner, 'name'> {
  readonly probabilities: (images: Batch['images']) => Tensor
}

const reader = ({ name, logits }: Learner): Reader => ({
  name,
  probabilities: compile((images: Batch['images']) => softmax(logits(images), 1)),
})

/** What went wrong, for a person who looks at the page. */
export function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof BackendError)) return message
  if (error.code === 'lost')
    return `The device was lost in the middle of the work (${message.replace(/^\[\w+\] /, '')}) Press Start to train anew, or choose the CPU.`
  if (error.code === 'unavailable') return `${message.replace(/^\[\w+\] /, '')} On this page: choose the CPU.`
  return message
}

/** Trains on orders, one job at a time, and tells what happens. A job that fails or is stopped leaves networks that can be asked. */
export function trainer(place: Place): (order: Exclude<Order, { kind: 'look' }>) => Promise<void> {
  const { tell } = place
  let running: { readonly pace: ReturnType<typeof pace>; readonly stop: AbortController } | undefined
  let data: Mnist | undefined
  let readers: readonly Reader[] = []

  async function trainOne(name: Learner['name'], job: Job, set: Mnist): Promise<void> {
    const { pace: step, stop } = running as NonNullable<typeof running>
    const network = learner(name, job.seed)
    readers = [...readers, reader(network)]
    let waited = 0
    let before = 0
    const run = await experiment(network, {
      data: set,
      seed: job.seed,
      epochs: job.epochs,
      batch: batchSize,
      begin: (initialErrors) => tell({ kind: 'begin', model: name, initialErrors }),
      event: (e) => {
        if (e.type === 'epoch-start') before = waited
        else if (e.type === 'step') tell({ ...e, kind: 'step', model: name, seconds: e.seconds - (waited - before) })
        else if (e.type === 'epoch-end') {
          const record = {
            loss: e.loss,
            errors: e.metrics.errors ?? Number.NaN,
            seconds: e.seconds - (waited - before),
          }
          tell({ kind: 'epoch', model: name, record })
        }
      },
      turn: async () => {
        const seconds = await step.turn((begins) => tell({ kind: begins ? 'paused' : 'resumed' }))
        waited += seconds
        return seconds
      },
      signal: stop.signal,
    })
    tell({ kind: 'run', run, images: run.mistakes.map((m) => set.test.at(m.index).images) })
  }

  async function train(job: Job): Promise<void> {
    const stop = new AbortController()
    running = { pace: pace(), stop }
    try {
      tell({ kind: 'loading' })
      readers = []
      data ??= await place.mnist()
      const backend = await place.attach(job)
      const set = job.quick ? quickPart(data) : data
      const images = { trainImages: set.train.length, testImages: set.test.length }
      tell({ kind: 'ready', backend, batch: batchSize, ...images })
      for (const name of modelsOf(job.model)) if (!stop.signal.aborted) await trainOne(name, job, set)
      tell({ kind: 'end', stopped: stop.signal.aborted })
    } catch (error) {
      // Values on a device that failed are gone; elsewhere the networks are as their last step left them.
      if (error instanceof BackendError) readers = []
      tell({ kind: 'failed', message: explain(error), ended: true })
    } finally {
      running = undefined
    }
  }

  async function read(pixels: Uint8Array): Promise<Reading[]> {
    const images = tensor(pixels, [1, 1, 28, 28]) as Batch['images']
    const ask = async ({ name, probabilities }: Reader): Promise<Reading> => ({
      model: name,
      probabilities: Array.from((await probabilities(images).data()) as Float32Array),
    })
    return Promise.all(readers.map(ask))
  }

  async function pick(at: number): Promise<void> {
    if (data === undefined) return
    const index = Math.floor(at * data.test.length)
    const { images: pixels, labels: label } = data.test.at(index)
    tell({ kind: 'readings', readings: await read(pixels), picked: { pixels, label, index } })
  }

  return async (order) => {
    try {
      if (order.kind === 'start') {
        if (running === undefined) await train(order.job)
      } else if (order.kind === 'pause') running?.pace.pause()
      else if (order.kind === 'resume') running?.pace.resume()
      else if (order.kind === 'stop') {
        running?.stop.abort()
        running?.pace.resume()
      } else if (order.kind === 'read') tell({ kind: 'readings', readings: await read(order.pixels) })
      else await pick(order.at)
    } catch (error) {
      tell({ kind: 'failed', message: explain(error), ended: running === undefined })
    }
  }
}
