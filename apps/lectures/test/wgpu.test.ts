import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { experiment } from '../src/experiment.ts'
import { tinyData } from './support/samples.ts'

let out = ''
beforeAll(async () => {
  await useSwiftshader()
  out = await mkdtemp(join(tmpdir(), 'lectures-wgpu-'))
})
afterAll(() => rm(out, { recursive: true }))

/** Two epochs of three steps. */
async function train() {
  const run = await experiment('cnn', {
    data: tinyData(),
    options: { seed: 7, quick: false, resume: false, epochs: 2, out },
    batch: 20,
    progress: { event: () => {} },
    signal: new AbortController().signal,
    say: () => {},
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
