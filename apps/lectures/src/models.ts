import {
  conv2d,
  flatten,
  heNormal,
  initialize,
  input,
  linear,
  maxPool2d,
  relu,
  sequential,
  zeros,
} from '@tessella/layers'
import type { Tensor } from '@tessella/tensor'

export type ModelName = 'mlp' | 'cnn'

/** What the networks learn from, as it lies in memory. */
export interface Batch {
  readonly images: Tensor<readonly [number, 1, 28, 28], 'uint8'>
  readonly labels: Tensor<readonly [number], 'uint8'>
}

// show: networks
/** 784-120-84-10 with ReLU. */
const mlp = () =>
  sequential(input(1, 28, 28), flatten(), linear(784, 120), relu(), linear(120, 84), relu(), linear(84, 10))

/** Two convolutions with pooling, then three linear layers (LeNet-5 with ReLU). */
const cnn = () =>
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
  )
// end

/** The lectures' networks and learning rates. */
export const networks = {
  mlp: { title: 'MLP 784-120-84-10', rate: 0.5, build: mlp },
  cnn: { title: 'CNN 6@5x5 - 16@5x5 - 120-84-10', rate: 0.2, build: cnn },
} as const satisfies Record<ModelName, object>

/** A network with He-normal weights and zero biases. */
export function network(name: ModelName, seed: number) {
  const model = networks[name].build()
  initialize(model, { weight: heNormal(), bias: zeros, seed })
  return model
}
