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

/** Shapes that drivers list, with the sizes of their subgroups; no card is needed to compile for them. */
const withMatrices = (
  min: number,
  max: number,
  ...shapes: (readonly [m: number, n: number, k: number])[]
): Capabilities => ({
  ...defaultCapabilities,
  f16: true,
  precision: 'medium',
  subgroups: { min, max, mayChoose: true },
  matrices: shapes.map(([m, n, k]) => ({ m, n, k, lanes: max })),
})

/** Devices with float16, of which only products and stores of its elements are others. */
const mixed: { readonly [name: string]: Capabilities } = {
  'float16 and no matrices': { ...defaultCapabilities, f16: true, precision: 'medium' },
  'matrices of 8x8x8': withMatrices(8, 8, [8, 8, 8]),
  'matrices of 16x16x16': withMatrices(32, 32, [16, 8, 8], [16, 8, 16], [16, 16, 16]),
  'matrices of 8x8x8, two float16': { ...withMatrices(8, 8, [8, 8, 8]), precision: 'high' },
  'matrices of 16x16x16, two float16': { ...withMatrices(32, 32, [16, 16, 16]), precision: 'high' },
  'matrices of 16x8x16': withMatrices(32, 32, [16, 8, 16]),
  'matrices of 8x16x16 and subgroups of several sizes': withMatrices(8, 32, [8, 16, 16]),
  'matrices of 16x16x16 and subgroups of 64': withMatrices(32, 64, [16, 16, 16]),
}

const isOther = (name: string): boolean => /^(matmul|conv|cast|permute|flip|slice|float16)/.test(name)

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

for (const [name, capabilities] of Object.entries({ ...devices, ...mixed }))
  describe(`shaders compile for a device with ${name}`, () => {
    let backend: WgpuBackend
    beforeAll(async () => {
      const { device, info } = await openDevice({ precision: capabilities.precision })
      backend = new WgpuBackend(new Device(device, info, capabilities))
    })
    afterAll(() => backend.dispose())

    const isWanted = (what: string) => capabilities.precision === 'highest' || isOther(what)
    for (const [group, cases] of [...conformanceGroups()].filter(([group]) => isWanted(group)))
      it(group, async () => {
        for (const c of cases) await compile(backend, c)
      }, 60_000)
    for (const c of kernelCases.filter((c) => isWanted(c.name))) it(c.name, () => compile(backend, c), 60_000)
  })
