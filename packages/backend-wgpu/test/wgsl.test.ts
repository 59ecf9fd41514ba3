import type { Node } from '@tessella/ir'
import { buildCase, type Case, conformanceGroups } from '@tessella/testing/conformance'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { WgpuBackend } from '../src/backend.ts'
import { type Capabilities, defaultCapabilities } from '../src/device/capabilities.ts'
import { Device } from '../src/device/device.ts'
import { openDevice } from '../src/device/open.ts'
import { kernelCases } from './support/kernelCases.ts'

/* Dawn's null device checks shaders and bindings, and computes nothing: every text must compile, within the limits. */

process.env['DAWNNODE_BACKEND'] = 'null'

const devices: { readonly [name: string]: Capabilities } = {
  'the default limits': defaultCapabilities,
  'four buffers a dispatch': { ...defaultCapabilities, maxStorageBuffers: 4 },
  'workgroups of 64': { ...defaultCapabilities, maxInvocations: 64, maxWorkgroupBytes: 1024 },
}

async function compile(backend: WgpuBackend, c: Case): Promise<void> {
  const { graph, data, dtypes } = buildCase(c)
  if (dtypes.has('float64')) return
  const program = backend.prepare(graph)
  const inputs = data.map((d, i) => backend.upload(d, (graph.inputs[i] as Node).dtype))
  const outputs = program.run(
    inputs,
    inputs.map(() => false),
  )
  for (const buffer of [...inputs, ...outputs]) backend.release(buffer)
  await backend.synchronize()
  program.dispose()
}

for (const [name, capabilities] of Object.entries(devices))
  describe(`shaders compile for a device with ${name}`, () => {
    let backend: WgpuBackend
    beforeAll(async () => {
      const { device, info } = await openDevice({})
      backend = new WgpuBackend(new Device(device, info, capabilities))
    })
    afterAll(() => backend.dispose())

    for (const [group, cases] of conformanceGroups())
      it(group, async () => {
        for (const c of cases) await compile(backend, c)
      }, 60_000)
    for (const c of kernelCases) it(c.name, () => compile(backend, c), 60_000)
  })
