import { adam, sgd } from '@tessella/optimizers'
import { disposeBackend } from '@tessella/tensor'
import { afterEach, describe, expect, it } from 'vitest'
import { type NetworkName, training } from './support/lectures.ts'
import { needOf } from './support/live.ts'
import { Recorder } from './support/recorder.ts'

describe('the memory of a training step', () => {
  afterEach(disposeBackend)

  const cases = (['lenet', 'mlp'] as const).flatMap((name) =>
    (['sgd', 'adam'] as const).flatMap((optimizer) =>
      [1, 2].map((threads): [NetworkName, 'sgd' | 'adam', number] => [name, optimizer, threads]),
    ),
  )

  it.each(cases)('is at most 1.5 times what must be live: %s with %s, batch 1000, %i threads', async (...options) => {
    const [name, optimizer, threads] = options
    const backend = new Recorder({ threads, wide: false })
    const { step } = await training(backend, name, optimizer === 'sgd' ? sgd(0.1) : adam(1e-3), 1000)
    const before = backend.memory().bytes
    await step().item()
    const { program, executable } = backend.largest
    const { ends, temporaries } = needOf(program)
    expect(temporaries).toBeGreaterThan(1e6)
    expect((executable.arenaBytes + ends) / (temporaries + ends)).toBeLessThan(1.5)
    // What the heap says was taken at most is that arena beside what was there before and after.
    const { peakBytes = 0, bytes } = backend.memory()
    expect(peakBytes).toBeLessThanOrEqual(executable.arenaBytes + Math.max(bytes, before))
    expect(peakBytes).toBeGreaterThanOrEqual(executable.arenaBytes)
  })
})
