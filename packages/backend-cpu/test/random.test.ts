import { compareOnRandomGraphs } from '@tessella/testing'
import { it } from 'vitest'
import { cpu } from '../src/index.ts'

it('agrees with the reference on random graphs', async () => {
  const backend = cpu()
  await compareOnRandomGraphs(backend, { count: 60, seed: 1 })
  backend.dispose()
}, 30000)
