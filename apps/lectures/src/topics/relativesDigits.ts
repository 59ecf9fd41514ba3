import { valueAndGrad } from '@tessella/autograd'
import { batches, type MnistDataset } from '@tessella/datasets'
import { flatten, initialize, input, linear, sequential, sigmoid, xavierUniform, zeros } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { accumulate, adam, groups, lion, lookahead, optimizer, sgd, type Transform } from '@tessella/optimizers'
import { namedVariables, type Tensor } from '@tessella/tensor'
import { trainStep } from '@tessella/training'
import { type Batch, network } from '../models.ts'
import { median } from '../pages/ranges.ts'
import type { Context } from '../pages/topic.ts'
import { percent } from '../report/numbers.ts'
import { type Choice, choose, type SmallSets, seedsFrom } from './chosen.ts'
import { type Pixels, train } from './course.ts'

type Rates = readonly [number, ...number[]]
type Digits = (images: Pixels) => Tensor

/** One optimizer on MNIST: what it was given to choose from, and how it did. */
export interface OnDigits extends Choice<number> {
  readonly name: string
  readonly tone: string
  readonly rates: Rates
}

// show: digits
const ways: readonly (readonly [name: string, tone: string, rates: Rates, make: (rate: number) => Transform])[] = [
  ['Adam', 't5', [0.0005, 0.001, 0.002, 0.005], adam],
  ['Lion', 't0', [0.0001, 0.0002, 0.0005, 0.001], lion],
  ['Lookahead(Adam)', 't1', [0.001, 0.002, 0.005, 0.01], (rate) => lookahead(adam(rate))],
]
// end

const testErrors = async (
  model: Digits,
  transform: Transform,
  sets: { readonly train: MnistDataset; readonly test: MnistDataset },
  run: { readonly epochs: number; readonly size: number },
  context: Context,
): Promise<number> => {
  const course = { model, transform, ...sets, ...run, scores: model, onlyLast: true }
  return (await train(course, context)).at(-1)?.testErrors ?? Number.NaN
}

/** Seeds that choose, and other seeds that are tested. */
const seedsOf = (context: Context, choosing: number, testing: number) => ({
  choosing: seedsFrom(context, choosing),
  testing: seedsFrom({ ...context, seed: context.seed + 100 }, testing),
})

/** Adam, Lion and Lookahead, each with the rate that the validation set likes best. */
export async function onDigits(sets: SmallSets, context: Context): Promise<readonly OnDigits[]> {
  const run = { epochs: context.quick ? 1 : 5, size: 100 }
  const found: OnDigits[] = []
  for (const [name, tone, rates, make] of ways) {
    const choice = await choose<number>(
      rates,
      (rate, seed, on) =>
        testErrors(network('mlp', seed), make(rate), { train: sets.train, test: sets[on] }, run, { ...context, seed }),
      seedsOf(context, 2, 5),
    )
    found.push({ name, tone, rates, ...choice })
    context.note(`${name}, rate ${choice.setting}: ${percent(median(choice.test))} errors`)
  }
  return found
}

/** Four layers of sigmoids: gradients shrink from the last to the first. */
function deep(seed: number) {
  const model = sequential(
    input(1, 28, 28),
    flatten(),
    linear(784, 64),
    sigmoid(),
    linear(64, 64),
    sigmoid(),
    linear(64, 64),
    sigmoid(),
    linear(64, 64),
    sigmoid(),
    linear(64, 10),
  )
  initialize(model, { weight: xavierUniform(), bias: zeros, seed })
  return model
}

/** The rate of the last layer, and by what it grows from each layer to the one below. */
export interface Stairs {
  readonly rate: number
  readonly factor: number
}

// show: groups
const layers = ['2', '4', '6', '8', '10']
const byLayer = ({ rate, factor }: Stairs): Transform =>
  groups(
    (name) => name.split('.')[0] as string,
    Object.fromEntries(layers.map((layer, i) => [layer, sgd(rate * factor ** (layers.length - 1 - i))])),
  )
// end

export const stairRates = [0.3, 1, 3, 10] as const
export const factors = [1, 2, 4] as const
const stairs = stairRates.flatMap((rate) => factors.map((factor): Stairs => ({ rate, factor })))

/** Rates that grow towards the input against one rate for all layers, each chosen on the validation set. */
export interface Stepped {
  readonly grown: Choice<Stairs>
  readonly alike: Choice<Stairs>
  /** Sizes of the gradient of every layer's weights before training, a root of the mean of squares. */
  readonly gradients: readonly number[]
}

async function gradients(set: MnistDataset, seed: number): Promise<readonly number[]> {
  const model = deep(seed)
  for await (const { images, labels } of batches(set, { size: 100, dropLast: true })) {
    const loss = () => crossEntropy(model(images.cast('float32').div(255)), labels)
    const [, grads] = valueAndGrad(loss, model)
    const of = (layer: string): Tensor => (grads as Readonly<Record<string, Tensor>>)[`${layer}.weight`] as Tensor
    return Promise.all(layers.map(async (layer) => Number(await of(layer).square().mean().sqrt().item())))
  }
  throw new Error('internal: fewer than 100 images')
}

export async function stepped(sets: SmallSets, context: Context): Promise<Stepped> {
  const run = { epochs: context.quick ? 1 : 5, size: 50 }
  const trial = (way: Stairs, seed: number, on: 'validation' | 'test'): Promise<number> =>
    testErrors(deep(seed), byLayer(way), { train: sets.train, test: sets[on] }, run, { ...context, seed })
  const seeds = seedsOf(context, 2, 5)
  const grown = await choose(stairs as [Stairs, ...Stairs[]], trial, seeds)
  const alike = await choose(stairs.filter((s) => s.factor === 1) as [Stairs, ...Stairs[]], trial, seeds)
  context.note(
    `rates by layer, factor ${grown.setting.factor}: ${percent(median(grown.test))} errors, one rate ${percent(median(alike.test))}`,
  )
  return { grown, alike, gradients: await gradients(sets.train, context.seed) }
}

/** The largest difference of two networks' weights, of those whose names begin so. */
async function apartBy(a: Digits, b: Digits, prefix = ''): Promise<number> {
  const other = namedVariables(b)
  const gaps = Object.entries(namedVariables(a)).flatMap(([name, v]) =>
    name.startsWith(prefix)
      ? [
          v.value
            .sub(other[name]?.value as Tensor)
            .abs()
            .max() as Tensor,
        ]
      : [],
  )
  return Math.max(...(await Promise.all(gaps.map(async (gap) => Number(await gap.item())))))
}

/** What should be 0, and what should not. */
export interface Exact {
  readonly updates: number
  /** Batches of 100 against four of 25 that are gathered, largest difference of weights. */
  readonly gathered: number
  /** Against batches of 25 that are not. */
  readonly ungathered: number
  /** Two groups of one rate against one optimizer. */
  readonly grouped: number
  /** How far groups of rate 0 have moved, and the last layer. */
  readonly held: number
  readonly moved: number
  /** By how much the longest and the shortest step of Lion differ from its rate, in rates. */
  readonly steps: number
}

/** A step of Lion on the last layer's weights, all of which have a gradient: how far from the rate steps are, in rates. */
async function signs(set: MnistDataset, seed: number): Promise<number> {
  const rate = 1e-3
  const [before, after] = [deep(seed), deep(seed)]
  const last = { weight: after[10].weight }
  const opt = optimizer(lion(rate), last)
  for await (const { images, labels } of batches(set, { size: 100, dropLast: true })) {
    const [, grads] = valueAndGrad(() => crossEntropy(after(images.cast('float32').div(255)), labels), last)
    opt.update(grads)
    break
  }
  const moved = await (after[10].weight.value.sub(before[10].weight.value) as Tensor).abs().data()
  return Math.max(...Array.from(moved, (m) => Math.abs(Number(m) / rate - 1)))
}

/** Exact statements on accumulation and groups, on the lectures' MLP. */
export async function exact(set: MnistDataset, seed: number): Promise<Exact> {
  const images = set.take(2000)
  const learned = async <M extends Digits>(model: M, transform: Transform, size: number): Promise<M> => {
    const step = trainStep<Batch>({
      model,
      optimizer: optimizer(transform, model),
      loss: ({ images: x, labels }) => crossEntropy(model(x.cast('float32').div(255)), labels),
    })
    for await (const batch of batches(images, { size, dropLast: true })) step(batch)
    return model
  }
  const fresh = () => network('mlp', seed)
  // show: accumulate
  const transform = sgd(0.1, { momentum: 0.9 })
  const whole = await learned(fresh(), transform, 100)
  const parts = await learned(fresh(), accumulate(transform, 4), 25)
  // end
  const small = await learned(fresh(), transform, 25)
  const one = await learned(deep(seed), sgd(0.3), 100)
  const two = await learned(deep(seed), byLayer({ rate: 0.3, factor: 1 }), 100)
  const still = await learned(deep(seed), byLayer({ rate: 0.3, factor: 0 }), 100)
  const below = layers.slice(0, -1)
  return {
    updates: Math.floor(images.length / 100),
    gathered: await apartBy(whole, parts),
    ungathered: await apartBy(whole, small),
    grouped: await apartBy(one, two),
    held: Math.max(...(await Promise.all(below.map((l) => apartBy(still, deep(seed), `${l}.`))))),
    steps: await signs(images, seed),
    moved: await apartBy(still, deep(seed), '10.'),
  }
}
