import { compareOnRandomGraphs } from '@tessella/testing'
import { describe, it } from 'vitest'
import { CompiledBackend } from './support/backend.ts'
import { target } from './support/check.ts'

describe('random graphs', () => {
  it('agree with the reference', () => compareOnRandomGraphs(new CompiledBackend(target), { count: 80, seed: 1 }))
  it('agree with rows', () =>
    compareOnRandomGraphs(new CompiledBackend({ ...target, rows: { elements: 4096, keep: true } }), {
      count: 80,
      seed: 2001,
    }))
  it('agree with few buffers per kernel', () =>
    compareOnRandomGraphs(new CompiledBackend({ ...target, maxBuffers: 4, rows: { elements: 64, keep: false } }), {
      count: 60,
      seed: 1001,
    }))
})
