import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { batches, type MnistDataset, mnist } from '@tessella/datasets'
import { conv2d, flatten, input, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { accuracy, crossEntropy } from '@tessella/losses'
import { adam, chain, clipByGlobalNorm, optimizer } from '@tessella/optimizers'
import { l2 } from '@tessella/regularizers'
import { compile, disposeBackend, type Tensor, useBackend, zeros } from '@tessella/tensor'
import { afterAll, beforeAll, expect, it } from 'vitest'

type Images = Tensor<[number, 1, 28, 28], 'uint8'>
type Labels = Tensor<[number], 'uint8'>

const lenet = () =>
  sequential(
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

let train: MnistDataset
beforeAll(async () => {
  await useBackend(cpu())
  train = (await mnist()).train.take(1024)
})
afterAll(disposeBackend)

const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length

it('the example of the blueprint trains', async () => {
  const model = lenet()
  const opt = optimizer(chain(clipByGlobalNorm(1), adam(1e-3)), model)
  const step = compile((x: Images, y: Labels) => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(model(x), y).add(l2(model, 1e-4)), model)
    opt.update(grads)
    return loss
  })
  const losses: number[] = []
  for (let epoch = 0; epoch < 2; epoch++)
    for await (const { images, labels } of batches(train, { size: 64, shuffle: true, seed: 1, epoch }))
      losses.push(await step(images, labels).item())
  expect(losses).toHaveLength(32)
  expect(mean(losses.slice(-8))).toBeLessThan(0.5 * mean(losses.slice(0, 8)))
  expect(step.programs()).toHaveLength(1)

  const score = compile((x: Images, y: Labels) => accuracy(model(x), y))
  for await (const { images, labels } of batches(train, { size: 1024 }))
    expect(await score(images, labels).item()).toBeGreaterThan(0.7)
}, 30_000)

it('a layer that does not fit is named, by the compiler and at the call', () => {
  const features = [conv2d(1, 6, 5), maxPool2d(4), flatten()] as const
  // @ts-expect-error: 6 maps of 6 by 6 are 216 features
  sequential(input(1, 28, 28), ...features, linear(400, 120))
  const model = sequential(...features, linear(400, 120))
  // @ts-expect-error: the sizes are known here
  expect(() => model(zeros([64, 1, 28, 28]))).toThrow(/linear.*400.*216|linear.*216.*400/)
})
