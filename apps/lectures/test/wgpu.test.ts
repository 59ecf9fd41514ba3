import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { batches, type MnistDataset, mnist } from '@tessella/datasets'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { trainStep } from '@tessella/training'
import { beforeAll, expect, it } from 'vitest'
import { experiment, learner } from '../src/experiment.ts'
import { type Batch, network } from '../src/models.ts'
import { tinyData } from './support/samples.ts'

beforeAll(() => useSwiftshader())

/** Two epochs of three steps. */
async function train() {
  const run = await experiment(learner('cnn', 7), {
    data: tinyData(),
    seed: 7,
    epochs: 2,
    batch: 20,
    event: () => {},
    turn: async () => 0,
    signal: new AbortController().signal,
  })
  disposeBackend()
  return run
}

it('LeNet has the losses of the CPU on WebGPU, and makes the same mistakes', async () => {
  await useBackend(cpu())
  const expected = await train()
  await useBackend(wgpu())
  const actual = await train()
  expect(actual.stepLosses).toHaveLength(6)
  for (const [i, loss] of expected.stepLosses.entries())
    expect(Math.abs((actual.stepLosses[i] as number) / loss - 1)).toBeLessThan(1e-3)
  expect(actual.confusion).toEqual(expected.confusion)
}, 60_000)

/** Losses of LeNet's first steps on MNIST at a rate that keeps rounding small: at the lectures' own, training is chaotic. */
async function firstLosses(train: MnistDataset): Promise<number[]> {
  const model = network('cnn', 1)
  const step = trainStep<Batch>({
    model,
    optimizer: optimizer(sgd(0.02), model),
    loss: ({ images, labels }) => crossEntropy(model(images.cast('float32').div(255)), labels),
  })
  const losses: number[] = []
  for await (const batch of batches(train, { size: 4, shuffle: true, seed: 1 })) losses.push(await step(batch).item())
  disposeBackend()
  return losses
}

it('the first 50 losses of LeNet on MNIST are those of the CPU', async () => {
  const train = (await mnist()).train.take(200)
  await useBackend(cpu())
  const expected = await firstLosses(train)
  await useBackend(wgpu())
  const actual = await firstLosses(train)
  expect(actual).toHaveLength(50)
  for (const [i, loss] of expected.entries()) expect(Math.abs((actual[i] as number) / loss - 1)).toBeLessThan(1e-3)
}, 60_000)
