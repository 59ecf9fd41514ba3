// Runs in the browser.
import { cpu } from '@tessella/backend-cpu'
import { type WgpuBackend, wgpu } from '@tessella/backend-wgpu'
import { BackendError } from '@tessella/ir'
import { checkCase, conformanceGroups } from '@tessella/testing/conformance'
import { lossesOf } from '../support/lenet.ts'

export interface SuiteResult {
  readonly adapter: string
  readonly isolated: boolean
  readonly passed: number
  readonly failures: readonly string[]
}

/** The first case of every operation and function that a backend without float64 accepts, against the reference. */
export async function runSuite(): Promise<SuiteResult> {
  const backend: WgpuBackend = await wgpu()
  let passed = 0
  const failures: string[] = []
  for (const [group, cases] of conformanceGroups())
    for (const c of cases) {
      try {
        const found = await checkCase(backend, c, { relaxations: ['denormals'] })
        if (found === undefined) passed++
        else failures.push(`${group}: ${c.name}: ${found}`)
      } catch (error) {
        if (error instanceof BackendError && error.code === 'unsupported-dtype') continue
        failures.push(`${group}: ${c.name}: ${error}`)
      }
      break
    }
  const { bytes, buffers } = backend.memory()
  if (bytes !== 0 || buffers !== 0) failures.push(`${buffers} buffers were left behind`)
  const { adapter } = backend
  backend.dispose()
  return { adapter, isolated: globalThis.crossOriginIsolated, passed, failures }
}

/** Losses of LeNet's first steps on both backends. */
export async function trainLeNet(): Promise<{ readonly cpu: number[]; readonly wgpu: number[] }> {
  return { cpu: await lossesOf(cpu(), 4, 4, 4), wgpu: await lossesOf(await wgpu(), 4, 4, 4) }
}
