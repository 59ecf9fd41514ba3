import { valueAndGrad } from '@tessella/autograd'
import { conv2d, flatten, input, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { optimizer, type Transform } from '@tessella/optimizers'
import { compile, type Tensor, tensor, useBackend } from '@tessella/tensor'
import type { CpuBackend } from '../../src/backend.ts'

/** The networks of the lectures. */
export const networks = {
  lenet: () =>
    sequential(
      input(1, 28, 28),
      conv2d(1, 6, 5),
      relu(),
      maxPool2d(2),
      conv2d(6, 16, 5),
      relu(),
      maxPool2d(2),
      flatten(),
      linear(256, 120),
      relu(),
      linear(120, 84),
      relu(),
      linear(84, 10),
    ),
  mlp: () => sequential(input(1, 28, 28), flatten(), linear(784, 120), relu(), linear(120, 84), relu(), linear(84, 10)),
}
export type NetworkName = keyof typeof networks

export type Step = (x: Tensor<[number, 1, 28, 28], 'uint8'>, y: Tensor<[number], 'uint8'>) => Tensor

/** A compiled training step of a new network, and a batch for it; both on the backend, which is in use from then on. */
export async function training(backend: CpuBackend, name: NetworkName, transform: Transform, batch: number) {
  await useBackend(backend)
  const model = networks[name]() as ReturnType<(typeof networks)['mlp']>
  const opt = optimizer(transform, model)
  const step: Step = compile((x, y) => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(model(x.cast('float32').div(255)), y), model)
    opt.update(grads)
    return loss
  })
  const x = tensor(
    Uint8Array.from({ length: batch * 784 }, (_, i) => (i * 97) % 256),
    [batch, 1, 28, 28],
  )
  const y = tensor(
    Uint8Array.from({ length: batch }, (_, i) => i % 10),
    [batch],
  )
  return { step: () => step(x, y) }
}
