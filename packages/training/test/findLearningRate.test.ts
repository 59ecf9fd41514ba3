import { adam } from '@tessella/optimizers'
import { disposeBackend, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findLearningRate } from '../src/index.ts'
import { backends } from './support/backends.ts'

/** A bowl of slope 2 w by w: gradient descent diverges above a rate of 1, and is done in a step at 0.5. */
function bowl() {
  const w = new Variable(tensor([3]))
  const loss = ({ shift }: { shift: Tensor }) => w.value.sub(shift).square().sum() as Tensor<[], 'float32'>
  const batches = () => [{ shift: tensor([0]) as Tensor }, { shift: tensor([0]) as Tensor }]
  return { w, model: { w }, loss, batches }
}

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it('climbs by one factor, stops where the loss diverges, and leaves the model as it was', async () => {
    const { w, ...options } = bowl()
    const found = await findLearningRate({ ...options, from: 1e-4, to: 100, steps: 61, smoothing: 0 })
    const factor = 10 ** 0.1
    for (const [i, rate] of found.rates.entries()) expect(rate).toBeCloseTo(1e-4 * factor ** i, 8)
    expect(found.rates.length).toBeLessThan(61)
    expect(found.rates.at(-1)).toBeGreaterThan(1)
    expect(found.suggestion).toBeGreaterThan(0.02)
    expect(found.suggestion).toBeLessThan(0.7)
    // The first step is taken at the first rate.
    const second = (3 * (1 - 2e-4)) ** 2
    expect(found.losses[0]).toBeCloseTo(9, 5)
    expect(found.losses[1]).toBeCloseTo(second, 4)
    expect(await w.value.array()).toEqual([3])
  })

  it('takes any transform and smooths without the start', async () => {
    const { w: _w, ...options } = bowl()
    const found = await findLearningRate({ ...options, steps: 20, transform: adam, to: 0.1, smoothing: 0.5 })
    expect(found.losses).toHaveLength(20)
    expect(found.smoothed[0]).toBeCloseTo(9, 4)
    const [a, b] = found.losses as [number, number]
    expect(found.smoothed[1]).toBeCloseTo((0.5 * a + b) / 1.5, 4)
  })

  it('tells mistakes, and restores after errors', async () => {
    const { w, ...options } = bowl()
    await expect(findLearningRate({ ...options, from: 0 })).rejects.toThrow('0 < from < to')
    await expect(findLearningRate({ ...options, batches: () => [] })).rejects.toThrow('no batches')
    await expect(findLearningRate({ ...options, from: 1e3, to: 1e6 })).rejects.toThrow('diverged at once')
    expect(await w.value.array()).toEqual([3])
  })
})
