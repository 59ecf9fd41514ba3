import { valueAndGrad } from '@tessella/autograd'
import { batches, type MnistDataset } from '@tessella/datasets'
import { crossEntropy, errorCount } from '@tessella/losses'
import { globalNorm, optimizer, sam, sgd } from '@tessella/optimizers'
import { compile, namedVariables, type Tensor } from '@tessella/tensor'
import { evaluator } from '@tessella/training'
import { type Batch, network } from '../models.ts'
import type { Point } from '../pages/lineChart.ts'
import { median } from '../pages/ranges.ts'
import type { Context } from '../pages/topic.ts'
import { percent } from '../report/numbers.ts'
import { pause } from '../runTopic.ts'
import { choose, type SmallSets, seedsFrom } from './chosen.ts'

/** One way to train, over several seeds. */
export interface Flatness {
  readonly name: string
  readonly tone: string
  readonly errors: readonly number[]
  /** Rise of the loss at the distance `reach`, by seed. */
  readonly sharpness: readonly number[]
  /** Medians by distance. */
  readonly rise: readonly Point[]
}

/** How far up the gradient sharpness is told, in all weights together: the largest radius that SAM is tried with. */
export const reach = 0.5
const distances = Array.from({ length: 11 }, (_, i) => (reach * i) / 10)

const lossOf =
  (model: ReturnType<typeof network>) =>
  ({ images, labels }: Batch): Tensor =>
    crossEntropy(model(images.cast('float32').div(255)), labels)

/** How one network is trained; `rho` 0 is plain gradient descent. */
export interface Way {
  readonly rate: number
  readonly rho: number
  readonly epochs: number
}

const rates = [0.1, 0.2, 0.5] as const
export const radii = [0.05, 0.1, 0.2, 0.5] as const

/** Trains the lectures' MLP. */
async function trained(set: MnistDataset, { rate, rho, epochs }: Way, context: Context) {
  const model = network('mlp', context.seed)
  const loss = lossOf(model)
  // show: sam
  const opt = optimizer(sgd(rate), model)
  const flat = sam(model, opt, { rho })
  const step = compile((batch: Batch) => flat.step(() => valueAndGrad(() => loss(batch), model)))
  // end
  for (let epoch = 0; epoch < epochs; epoch++)
    for await (const batch of batches(set, { size: 50, shuffle: true, seed: context.seed, epoch })) {
      step(batch)
      await pause(context)
    }
  return model
}

/** The loss on images along the gradient: at w + t g / |g|, above the loss at w. */
async function riseOf(model: ReturnType<typeof network>, all: Batch): Promise<readonly Point[]> {
  const loss = lossOf(model)
  const cells = Object.entries(namedVariables(model, { trainable: true }))
  const [lowest, grads] = valueAndGrad(() => loss(all), model)
  const flat = cells.map(([name]) => (grads as Readonly<Record<string, Tensor>>)[name] as Tensor)
  const norm = globalNorm(flat).clip(1e-12) as Tensor
  const start = cells.map(([, v]) => v.value)
  const from = Number(await lowest.item())
  const found: Point[] = []
  for (const t of distances) {
    for (const [i, [, v]] of cells.entries())
      v.assign((start[i] as Tensor).add((flat[i] as Tensor).div(norm).mul(t)) as Tensor)
    found.push([t, Number(await loss(all).item()) - from])
  }
  for (const [i, [, v]] of cells.entries()) v.assign(start[i] as Tensor)
  return found
}

async function whole(set: MnistDataset): Promise<Batch> {
  for await (const batch of batches(set, { size: set.length })) return batch
  throw new Error('internal: no images')
}

/** What flat minima are compared on. */
export interface Flatnesses {
  readonly images: number
  readonly epochs: number
  /** Of gradient descent, then of SAM. */
  readonly chosen: readonly [plain: Way, sam: Way]
  /** All ways tried, with their median validation errors. */
  readonly tried: readonly (readonly [way: Way, errors: number])[]
  readonly ways: readonly [same: Flatness, longer: Flatness, sam: Flatness]
}

/**
 * SAM, gradient descent at its rate, and gradient descent at the rate that suits it for twice as long, because a step of SAM costs
 * two gradients; chosen on the validation set.
 */
export async function flatnesses(sets: SmallSets, context: Context): Promise<Flatnesses> {
  const epochs = context.quick ? 1 : 30
  const testing = seedsFrom({ ...context, seed: context.seed + 100 }, 5)
  const errorsOf = async (model: ReturnType<typeof network>, set: MnistDataset): Promise<number> => {
    const count = evaluator(({ images, labels }: Batch) => ({
      errors: errorCount(model(images.cast('float32').div(255)), labels),
    }))
    return (await count(batches(set, { size: Math.min(1000, set.length) }))).errors / set.length
  }
  const tried: (readonly [Way, number])[] = []
  const best = async (list: readonly Way[]): Promise<Way> => {
    const { setting, validation } = await choose<Way>(
      list as [Way, ...Way[]],
      async (way, seed, on) => errorsOf(await trained(sets.train, way, { ...context, seed }), sets[on]),
      { choosing: seedsFrom(context, 2), testing: [] },
    )
    tried.push(...list.map((way, i) => [way, validation[i] ?? Number.NaN] as const))
    return setting
  }
  const plain = await best(rates.map((rate) => ({ rate, rho: 0, epochs })))
  const wary = await best(rates.flatMap((rate) => radii.map((rho) => ({ rate, rho, epochs }))))
  const all = await whole(sets.train)
  const measured = async (name: string, tone: string, way: Way): Promise<Flatness> => {
    const errors: number[] = []
    const rises: (readonly Point[])[] = []
    for (const seed of testing) {
      const model = await trained(sets.train, way, { ...context, seed })
      errors.push(await errorsOf(model, sets.test))
      rises.push(await riseOf(model, all))
    }
    const at = (i: number): number[] => rises.map((rise) => rise[i]?.[1] ?? Number.NaN)
    context.note(`${name}: ${percent(median(errors))} errors`)
    const rise = distances.map((t, i): Point => [t, median(at(i))])
    return { name, tone, errors, sharpness: at(distances.length - 1), rise }
  }
  return {
    images: sets.train.length,
    epochs,
    chosen: [plain, wary],
    tried,
    ways: [
      await measured('SGD, SAM’s rate', 't7', { ...wary, rho: 0 }),
      await measured('SGD, twice as long', 't4', { ...plain, epochs: 2 * epochs }),
      await measured('SAM', 't2', wary),
    ],
  }
}
