import { describe, expect, it } from 'vitest'
import { compile, cpu, disposeBackend, memory, type Tensor, useBackend } from '../src/index.ts'

describe('results of compiled functions', () => {
  it('are freed by the collector, which knows what they weigh', async () => {
    await useBackend(cpu())
    try {
      const f = compile((x: Tensor<[], 'float32'>) => ({ large: x.expand([1_000_000]), small: x.add(1) }))
      for (let i = 0; i < 600; i++) await f(i).small.item()
      expect(memory().peakBytes).toBeLessThan(512 * 2 ** 20)
    } finally {
      disposeBackend()
    }
  })
})
