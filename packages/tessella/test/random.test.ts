import { cpu } from '@tessella/backend-cpu'
import { compareOnRandomGraphs } from '@tessella/testing'
import { it } from 'vitest'

it(
  '1,000 random graphs agree on reference and cpu',
  () => compareOnRandomGraphs(cpu(), { count: 1000, seed: 1 }),
  60_000,
)
