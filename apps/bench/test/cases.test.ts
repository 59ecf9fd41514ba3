import { describe, expect, it } from 'vitest'
import { trainingBatch } from '../src/cases/batch.ts'
import { noise, noiseAt, noiseIntegers } from '../src/cases/data.ts'
import { expect as expected, wrong } from '../src/cases/oracle.ts'
import { cases, figure } from '../src/cases/table.ts'

/** Results are compared by these names across versions. */
const fixed = `matmul/256 matmul/512 matmul/1024 matmul/2048 matmul/64x784x120 matmul/1000x784x120 matmul/1000x120x84
matmul/64x84x10 matmul/257x129x65 conv3x3/fwd-b32-64x56x56 conv3x3/train-b32-64x56x56 elementwise/add-16M
elementwise/exp-16M elementwise/gelu-16M elementwise/adam-16M softmax/16000x1000 softmax/1Mx10 layernorm/16000x1000
train/lenet-sgd-b64 train/lenet-sgd-b1000 train/lenet-adam-b64 train/lenet-adam-b1000 train/mlp-sgd-b64
train/mlp-sgd-b1000 train/mlp-adam-b64 train/mlp-adam-b1000 train/resnet8-b64 train/gpt-tiny-b16
startup/first-step-lenet overhead/compiled-step-empty memory/lenet-10k-steps size/tensor size/autograd size/optimizers
size/all-cpu`.split(/\s+/)

describe('cases', () => {
  it('have the names of the contract', () => {
    expect(cases.map((c) => c.name)).toEqual(fixed)
  })

  it('turn seconds into figures', () => {
    expect(figure('GFLOP/s', 2e9, 3, 6)).toBe(1)
    expect(figure('images/s', 64, 10, 5)).toBe(128)
    expect(figure('us', 1, 1000, 0.002)).toBeCloseTo(2)
    expect(figure('ms', 1, 1, 0.25)).toBe(250)
  })

  it('have data that look random and repeat after their period', () => {
    const data = noise(1000, 1)
    expect(Math.max(...data)).toBeLessThan(1)
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-1)
    expect(Math.abs(data.reduce((a, b) => a + b, 0) / 1000)).toBeLessThan(0.08)
    expect(new Set(data).size).toBe(1000)
    expect(noiseAt(5, 1)).not.toBe(noiseAt(5, 2))
    expect([...noise(7, 1, 1, 3)]).toEqual([0, 1, 2, 0, 1, 2, 0].map((i) => noiseAt(i, 1)))
    expect(new Set(noiseIntegers(500, 3, 10))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    const { x, y } = trainingBatch('lenet', 8)
    expect([...x.subarray(0, 784)]).toEqual([...x.subarray(4 * 784, 5 * 784)])
    expect([...y.subarray(0, 4)]).toEqual([...y.subarray(4)])
  })

  it('know right from wrong', () => {
    const check = expected({ kind: 'matmul', m: 5, k: 7, n: 3 })
    const { indices, values } = check.outputs['y']!
    expect(wrong(check, { y: values })).toBeUndefined()
    expect(wrong(check, { y: values.map((v) => v + 1e-2) })).toMatch(/wrong result: y\[0\]/)
    expect(wrong(check, { y: values.map(() => Number.NaN) })).toMatch(/wrong result/)
    expect(wrong(check, {})).toMatch(/no elements of y/)
    expect(indices).toContain(14)
  })
})
