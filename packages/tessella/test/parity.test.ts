import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import type { Backend } from '@tessella/ir'
import { conv2d, flatten, input, linear, maxPool2d, relu, sequential, tanh } from '@tessella/layers'
import { crossEntropy, mse } from '@tessella/losses'
import { adam, optimizer, sgd, type Transform } from '@tessella/optimizers'
import { compile, disposeBackend, key, memory, randint, type Tensor, tensor, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** The lectures' networks. */
const mlp = () =>
  sequential(input(1, 28, 28), flatten(), linear(784, 120), relu(), linear(120, 84), relu(), linear(84, 10))
const lenet = () =>
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

type Images = Tensor<[8, 1, 28, 28], 'uint8'>
type Labels = Tensor<[8], 'int32'>
type Network = ReturnType<typeof mlp> | ReturnType<typeof lenet>

/** Five steps on noise; what differs between two calls is the backend alone. */
async function train(backend: Backend, build: () => Network, transform: Transform) {
  await useBackend(backend)
  const model = build() as ReturnType<typeof mlp>
  const opt = optimizer(transform, model)
  const step = compile((images: Images, labels: Labels) => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(model(images.div(255)), labels), model)
    opt.update(grads)
    return loss
  })
  const losses: number[] = []
  for (let i = 0; i < 5; i++) {
    const images = randint(key(i), [8, 1, 28, 28], 0, 256).cast('uint8')
    losses.push(await step(images, randint(key(100 + i), [8], 0, 10)).item())
  }
  const [program, ...others] = step.programs()
  expect(others).toHaveLength(0)
  disposeBackend()
  return { losses, kernels: program?.kernels }
}

beforeAll(useSwiftshader)

describe('training', () => {
  it.each([
    ['the MLP', 'SGD', mlp, sgd(0.1, { momentum: 0.9 }), 15],
    ['the MLP', 'Adam', mlp, adam(), 16],
    ['LeNet', 'SGD', lenet, sgd(0.1, { momentum: 0.9 }), 27],
    ['LeNet', 'Adam', lenet, adam(), 28],
  ] as const)(
    '%s with %s is the same on every backend',
    async (_network, _optimizer, build, transform, kernels) => {
      const expected = await train(reference(), build, transform)
      expect(new Set(expected.losses).size).toBe(5)
      for (const backend of [cpu(), await wgpu()]) {
        const actual = await train(backend, build, transform)
        for (const [i, loss] of expected.losses.entries())
          expect(Math.abs((actual.losses[i] as number) - loss), backend.name).toBeLessThan(1e-4)
        expect(actual.kernels, backend.name).toBe(kernels)
      }
    },
    30_000,
  )
})

/** Runs the collector and what it scheduled. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  await new Promise((resolve) => setTimeout(resolve, 20))
}

// SwiftShader takes 5 ms a step; `packages/backend-wgpu/test/scripts/leaks.ts` does 10,000.
describe.each<[number, string, () => Backend | Promise<Backend>]>([
  [10_000, 'cpu', () => cpu()],
  [500, 'wgpu', () => wgpu()],
])('%i steps on %s', (steps, _name, create) => {
  beforeEach(async () => {
    await useBackend(await create())
  })
  afterEach(disposeBackend)

  const x = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])
  const y = tensor([[0], [1], [1], [0]])
  const stepOf = () => {
    const model = sequential(linear(2, 8), tanh(), linear(8, 1))
    const opt = optimizer(adam(0.01), model)
    return () => {
      const [loss, grads] = valueAndGrad(() => mse(model(x), y), model)
      opt.update(grads)
      return loss
    }
  }
  /** Bytes held after ten steps, and after all with what may still be forgotten. */
  const run = async (step: () => Tensor) => {
    let early = 0
    for (let i = 0; i < steps; i++) {
      await step().item()
      if (i === 9) {
        await collect()
        early = memory().bytes
      }
    }
    return { early, late: memory() }
  }

  it('hold memory flat when compiled', async () => {
    const { early, late } = await run(compile(stepOf()))
    expect(late.bytes).toBeLessThanOrEqual(early)
  }, 30_000)

  it('hold memory flat without compile', async () => {
    const { early, late } = await run(stepOf())
    // A step makes 13 buffers of 400 bytes in all; the collector frees them in between, now and then.
    expect(late.peakBytes).toBeLessThan(0.75 * 400 * steps)
    await collect()
    expect(memory().bytes).toBeLessThanOrEqual(early)
  }, 60_000)
})
