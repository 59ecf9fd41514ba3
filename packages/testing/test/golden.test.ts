import { golden, goldenFiles, goldenMismatch } from '@tessella/testing'
import { describe, expect, it } from 'vitest'

const count = {
  activations: 27,
  conv: 20,
  layers: 3,
  losses: 26,
  norm: 12,
  optimizers: 19,
  pool: 17,
  schedules: 9,
  sequence: 8,
  tensor: 85,
  transforms: 3,
}

describe('golden', () => {
  it.each(goldenFiles)('%s has whole tensors under distinct names', async (file) => {
    const cases = await golden(file)
    expect(cases).toHaveLength(count[file])
    expect(new Set(cases.map((c) => c.name)).size).toBe(cases.length)
    for (const c of cases)
      for (const t of Object.values({ ...c.inputs, ...c.outputs, ...c.grads }))
        expect(t.data).toHaveLength(t.shape.reduce((n, d) => n * d, 1))
  })
  it('compares relative to the largest magnitude', () => {
    const want = { shape: [2], dtype: 'float32', data: [100, 0] } as const
    expect(goldenMismatch([100.0005, 0.0005], want)).toBeUndefined()
    expect(goldenMismatch([100, 0.01], want)).toContain('element 1')
    expect(goldenMismatch([Number.NaN, 0], want)).toContain('element 0')
    expect(goldenMismatch([100], want)).toContain('1 elements')
  })
})
