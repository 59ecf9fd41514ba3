import { batches, type MnistDataset } from '@tessella/datasets'
import {
  flatten,
  heNormal,
  initialize,
  input,
  learnedAlphas,
  linear,
  relu,
  sequential,
  variationalDropout,
  variationalKl,
  zeros,
} from '@tessella/layers'
import { errorCount } from '@tessella/losses'
import { adam } from '@tessella/optimizers'
import { scalar, type Tensor, Variable } from '@tessella/tensor'
import { evaluator } from '@tessella/training'
import type { Batch } from '../models.ts'
import type { Context } from '../pages/topic.ts'
import { type Epoch, train } from './course.ts'

export const kinds = ['layer', 'unit', 'weight'] as const
export type Kind = (typeof kinds)[number]

/** What was learned by the end of an epoch; lists have a value for each layer. */
export interface Learned {
  readonly rates: readonly number[]
  readonly sparsity: readonly number[]
  /** Divergence from the prior per weight. */
  readonly kl: number
}

export interface VariationalRun {
  readonly kind: Kind | 'none'
  readonly epochs: readonly Epoch[]
  readonly learned: readonly Learned[]
  /** log alpha of the first layer after some epochs. */
  readonly histories: readonly { readonly epoch: number; readonly logAlpha: Float32Array }[]
  /** Test errors when the weights that count as removed are used all the same. */
  readonly unpruned: number
  /** Share of all weights that is left. */
  readonly left: number
}

export const sizes = [784 * 120, 120 * 84, 84 * 10] as const
const weights = sizes.reduce((a, b) => a + b, 0)

export interface Plan {
  readonly train: MnistDataset
  readonly test: MnistDataset
  readonly epochs: number
  /** Epochs over which the divergence gets its full weight. */
  readonly warmUp: number
  /** After which epochs all of log alpha is kept. */
  readonly keep: readonly number[]
}

const floats = async (t: Tensor): Promise<Float32Array> => (await t.data()) as Float32Array

/** Trains the lectures' MLP with learned noise of one kind, or with none. */
export async function variationalRun(
  kind: Kind | 'none',
  plan: Plan,
  seed: number,
  context: Context,
): Promise<VariationalRun> {
  const [first, second, third] = [linear(784, 120), linear(120, 84), linear(84, 10)]
  const plain = sequential(input(1, 28, 28), flatten(), first, relu(), second, relu(), third)
  initialize(plain, { weight: heNormal(), bias: zeros, seed })
  const course = {
    transform: adam(0.001),
    train: plan.train,
    test: plan.test,
    epochs: plan.epochs,
    size: 100,
  }
  if (kind === 'none') {
    const epochs = await train({ ...course, model: plain, scores: (x) => plain(x) }, { ...context, seed })
    const unpruned = epochs.at(-1)?.testErrors ?? Number.NaN
    return { kind, epochs, learned: [], histories: [], unpruned, left: 1 }
  }
  // show: variational
  const per = kind // 'layer', 'unit' or 'weight'
  const model = sequential(
    input(1, 28, 28),
    flatten(),
    variationalDropout(first, { per, alpha: 0.1, seed }),
    relu(),
    variationalDropout(second, { per, alpha: 0.1, seed: seed + 1 }),
    relu(),
    variationalDropout(third, { per, alpha: 0.1, seed: seed + 2 }),
  )
  const share = new Variable(scalar(0), { trainable: false }) // grows to 1 while training begins
  const penalty = () => variationalKl(model).mul(share.value).div(plan.train.length) as Tensor
  // end
  const learned: Learned[] = []
  const histories: { readonly epoch: number; readonly logAlpha: Float32Array }[] = []
  const atEpoch = async (epoch: number): Promise<void> => {
    share.assign(scalar(Math.min(1, epoch / plan.warmUp)))
    const layers = Object.values(learnedAlphas(model))
    learned.push({
      rates: await Promise.all(layers.map(async (l) => Number(await l.rate.mean().item()))),
      sparsity: await Promise.all(layers.map((l) => l.sparsity.item())),
      kl: (await variationalKl(model).item()) / weights,
    })
    if (plan.keep.includes(epoch))
      histories.push({ epoch, logAlpha: await floats((layers[0] as (typeof layers)[number]).alpha.log() as Tensor) })
  }
  const epochs = await train(
    { ...course, model, scores: (x, mode) => model(x, mode), penalty, atEpoch },
    { ...context, seed },
  )
  const unpruned = await evaluator(({ images, labels }: Batch) => ({
    errors: errorCount(plain(images.cast('float32').div(255)), labels),
  }))(batches(plan.test, { size: Math.min(1000, plan.test.length) }))
  const sparsity = learned.at(-1)?.sparsity ?? []
  return {
    kind,
    epochs,
    learned,
    histories,
    unpruned: unpruned.errors / plan.test.length,
    left: 1 - sparsity.reduce((sum, s, i) => sum + s * (sizes[i] as number), 0) / weights,
  }
}
