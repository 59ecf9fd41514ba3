import { batches, column, dataset } from '@tessella/datasets'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { bernoulli, Generator, key, labelled, normal, splitKey, type Tensor, Variable } from '@tessella/tensor'
import { trainStep } from '../../src/index.ts'

export interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

/** Twelve points of two classes, in batches of four, in an order of their own every epoch. */
const points = dataset({
  x: column(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.7) + (i % 4 < 2 ? 0.5 : -0.5)),
    [12, 2],
  ),
  y: column(
    Uint8Array.from({ length: 12 }, (_, i) => i % 2),
    [12],
  ),
})
export const shuffled = (epoch: number) => batches(points, { size: 4, shuffle: true, seed: 7, epoch })

/** A network with dropout and Adam: every kind of state that a checkpoint must hold. */
export function network(options: { readonly compiled?: boolean; readonly seed?: number } = {}) {
  const [a, b] = splitKey(key(options.seed ?? 1), 2).unbind() as [ReturnType<typeof key>, ReturnType<typeof key>]
  const model = {
    hidden: { weight: new Variable(normal(a, [2, 8])), bias: new Variable(normal(a, [8])) },
    out: { weight: new Variable(normal(b, [8, 2])) },
  }
  const random = new Generator(3)
  const dropped = (h: Tensor): Tensor => h.mul(bernoulli(random.next(), h.shape, 0.75)).div(0.75)
  const forward = (x: Tensor): Tensor => {
    const h = labelled('hidden', () => x.matmul(model.hidden.weight.value).add(model.hidden.bias.value).relu())
    return labelled('out', () => dropped(h).matmul(model.out.weight.value))
  }
  const opt = optimizer(adam(0.05), model)
  const step = trainStep<Batch>({
    model,
    optimizer: opt,
    loss: ({ x, y }) => crossEntropy(forward(x), y),
    compiled: options.compiled ?? true,
  })
  return { model, step, state: { model, optimizer: opt.state, random: random.state } }
}
