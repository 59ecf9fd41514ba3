import { batches, type MnistDataset } from '@tessella/datasets'
import { flatten, initialize, input, linear, sequential, tanh, xavierNormal, zeros } from '@tessella/layers'
import { crossEntropy, errorCount } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import {
  denseCurvature,
  magnitudes,
  type Pruning,
  pruning,
  saliences,
  softmaxCrossEntropy,
} from '@tessella/regularizers'
import { compile, namedVariables, oneHot, type Tensor, type Variable } from '@tessella/tensor'
import { evaluator, trainStep } from '@tessella/training'
import type { Batch } from '../models.ts'
import type { Context } from '../pages/topic.ts'
import { pause } from '../runTopic.ts'

/** The two layers whose weights go: 784-40-10 with tanh between them. */
export function smallNet(seed: number) {
  const [first, second] = [linear(784, 40), linear(40, 10)]
  const model = sequential(input(1, 28, 28), flatten(), first, tanh(), second)
  initialize(model, { weight: xavierNormal(), bias: zeros, seed })
  return { model, first, second }
}
export type SmallNet = ReturnType<typeof smallNet>

export const weightCount = 784 * 40 + 40 * 10

export interface Sets {
  readonly train: MnistDataset
  readonly validation: MnistDataset
  readonly test: MnistDataset
}

const floats = (images: Batch['images']) => images.cast('float32').div(255)

/** A net with its masks, and what is done with it. */
export interface Pruned {
  readonly net: SmallNet
  readonly kept: Pruning
  /** Passes over the training set, removed weights held at 0; with a new optimizer each time. */
  readonly retrain: (epochs: number) => Promise<void>
  /** Salience of every weight, by the second derivatives over the training set. */
  readonly salience: () => Promise<Record<string, Tensor>>
  /** Mean loss and share of errors. */
  readonly measure: (set: MnistDataset) => Promise<{ readonly loss: number; readonly errors: number }>
}

export function pruned(sets: Sets, seed: number, context: Context): Pruned {
  const net = smallNet(seed)
  const { model, first, second } = net
  const kept = pruning(model)
  const opt = optimizer(adam(0.001), model)
  const cells = Object.values(namedVariables(opt.state)) as Variable[]
  const fresh = cells.map((c) => c.value)
  const step = trainStep<Batch>({
    model,
    optimizer: opt,
    loss: ({ images, labels }) => crossEntropy(model(floats(images)), labels),
    after: () => kept.apply(),
  })
  let passes = 0
  // show: salience
  /** d²Q/dw² over a batch, back through both layers with nothing left out. */
  const curvature = compile((images: Tensor<readonly [number, 1, 28, 28], 'float32'>, y: Tensor) =>
    denseCurvature(
      [
        { weight: first.weight.value, bias: first.bias?.value, activation: 'tanh' },
        { weight: second.weight.value, bias: second.bias?.value },
      ],
      images.flatten(1) as Tensor,
      softmaxCrossEntropy(y),
    ).map((layer) => layer.weight),
  )
  const salience = async () => {
    let sums: readonly Tensor[] = []
    for await (const { images, labels } of batches(sets.train, { size: 500 })) {
      const found = curvature(floats(images), oneHot(labels, 10) as Tensor)
      sums = found.map((h, i) => sums[i]?.add(h) ?? h) as readonly Tensor[]
    }
    const names = Object.keys(kept.masks) // in the order of the layers
    return saliences(kept, Object.fromEntries(names.map((name, i) => [name, sums[i] as Tensor])))
  }
  // end
  const wrong = evaluator(({ images, labels }: Batch) => {
    const scores = model(floats(images))
    return { errors: errorCount(scores, labels), loss: crossEntropy(scores, labels, { reduction: 'sum' }) }
  })
  return {
    net,
    kept,
    salience,
    async retrain(epochs) {
      for (const [i, c] of cells.entries()) c.assign(fresh[i] as Tensor)
      for (let e = 0; e < epochs; e++) {
        for await (const batch of batches(sets.train, { size: 100, shuffle: true, seed, epoch: passes })) step(batch)
        passes++
        await pause(context)
      }
    },
    async measure(set) {
      const { errors, loss } = await wrong(batches(set, { size: Math.min(1000, set.length) }))
      return { errors: errors / set.length, loss: loss / set.length }
    },
  }
}

export const ways = ['OBD', 'magnitude'] as const
export type Way = (typeof ways)[number]

/** The scores of a way; the weights that are left decide. */
export const scoresOf = (way: Way, net: Pruned): Promise<Record<string, Tensor>> =>
  way === 'OBD' ? net.salience() : Promise.resolve(magnitudes(net.kept))

/** Errors with so many weights left. */
export interface Stage {
  readonly left: number
  readonly errors: number
}

/** Removes a share of what is left round by round, with or without training in between. */
export async function curve(
  way: Way,
  net: Pruned,
  sets: Sets,
  plan: { readonly rounds: number; readonly share: number; readonly retrain: number },
): Promise<readonly Stage[]> {
  const stages: Stage[] = [{ left: weightCount, errors: (await net.measure(sets.test)).errors }]
  for (let round = 0; round < plan.rounds; round++) {
    const left = await net.kept.remaining()
    await net.kept.removeLeast(await scoresOf(way, net), Math.round(plan.share * left))
    if (plan.retrain > 0) await net.retrain(plan.retrain)
    stages.push({ left: await net.kept.remaining(), errors: (await net.measure(sets.test)).errors })
  }
  return stages
}
