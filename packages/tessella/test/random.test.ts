import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { compareOnRandomGraphs } from '@tessella/testing'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { it } from 'vitest'

it(
  '1,000 random graphs agree on reference and cpu',
  () => compareOnRandomGraphs(cpu(), { count: 1000, seed: 1 }),
  60_000,
)

// Fewer, because SwiftShader compiles each kernel for tens of milliseconds.
it('60 random graphs agree on reference and wgpu', async () => {
  await useSwiftshader()
  await compareOnRandomGraphs(await wgpu(), { count: 60, seed: 1 })
}, 60_000)
