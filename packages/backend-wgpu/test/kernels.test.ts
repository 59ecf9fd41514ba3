import { build, parameter } from '@tessella/ir'
import { checkCase } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WgpuBackend } from '../src/backend.ts'
import { type Capabilities, defaultCapabilities } from '../src/device/capabilities.ts'
import { Device } from '../src/device/device.ts'
import { openDevice } from '../src/device/open.ts'
import { kernelCases } from './support/kernelCases.ts'

beforeAll(useSwiftshader)

/** What a device may be asked to live with; few workgroups a dimension make every grid two-dimensional. */
const devices: { readonly [name: string]: Capabilities } = {
  'with the default limits': defaultCapabilities,
  'with small workgroups and grids': {
    ...defaultCapabilities,
    maxWorkgroupsPerDimension: 7,
    maxInvocations: 64,
    maxWorkgroupBytes: 1024,
  },
}

for (const [name, capabilities] of Object.entries(devices))
  describe(`a device ${name}`, () => {
    let backend: WgpuBackend
    beforeAll(async () => {
      const { device, info } = await openDevice({})
      backend = new WgpuBackend(new Device(device, info, capabilities))
    })
    afterAll(() => backend.dispose())

    // Without tiles, a product of large ones takes too long.
    const cases = kernelCases.filter((c) => capabilities.maxInvocations >= 256 || !c.name.includes('large tiles'))
    for (const c of cases)
      it(c.name, async () => {
        expect(await checkCase(backend, c, { relaxations: ['denormals'] })).toBeUndefined()
        await backend.synchronize()
      }, 60_000)
  })

it('answers the same bits every time', async () => {
  const { device, info } = await openDevice({})
  const backend = new WgpuBackend(new Device(device, info))
  const [x, index] = [parameter([20000], 'float32'), parameter([20000], 'int32')]
  const outputs = [build.reduce('sum', x, [0]), build.scatterAdd(index, x, 0, 9), build.cumulative('sum', x, 0)]
  const program = backend.prepare({ inputs: [x, index], outputs })
  const values = backend.upload(
    Float32Array.from({ length: 20000 }, (_, i) => Math.sin(i) * 10 ** (i % 7)),
    'float32',
  )
  const places = backend.upload(
    Int32Array.from({ length: 20000 }, (_, i) => (i * i) % 11),
    'int32',
  )
  const runs: unknown[] = []
  for (let run = 0; run < 3; run++) {
    const buffers = program.run([values, places], [false, false])
    runs.push(await Promise.all(buffers.map((b) => backend.read(b, 'float32'))))
    for (const b of buffers) backend.release(b)
  }
  expect(runs[1]).toEqual(runs[0])
  expect(runs[2]).toEqual(runs[0])
  backend.dispose()
})
