import { valueAndGrad } from '@tessella/autograd'
import type { Backend } from '@tessella/ir'
import { conv2d, flatten, input, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, key, randint, type Tensor, useBackend } from '@tessella/tensor'

/** The lectures' convolutional network. */
export const lenet = () =>
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

type Images = Tensor<[number, 1, 28, 28], 'uint8'>

/** Its losses in `steps` steps of Adam on so many batches of noise, over and over. The backend is disposed. */
export async function lossesOf(backend: Backend, size: number, steps: number, batches: number): Promise<number[]> {
  await useBackend(backend)
  const model = lenet()
  const opt = optimizer(adam(), model)
  const step = compile((images: Images, labels: Tensor<[number], 'int32'>) => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(model(images.div(255)), labels), model)
    opt.update(grads)
    return loss
  })
  const found: number[] = []
  for (let i = 0; i < steps; i++) {
    const batch = i % batches
    const images = randint(key(batch), [size, 1, 28, 28], 0, 256).cast('uint8')
    found.push(await step(images, randint(key(100 + batch), [size], 0, 10)).item())
  }
  disposeBackend()
  return found
}
