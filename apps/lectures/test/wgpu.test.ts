import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { beforeAll, expect, it } from 'vitest'
import { experiment, learner } from '../src/experiment.ts'
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
