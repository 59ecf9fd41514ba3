// A full queue: calls wait in it, and a device that is lost meanwhile is told, not waited for.
import { BackendError, build, type DeviceBuffer, parameter } from '@tessella/ir'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { WgpuBackend } from '../../src/backend.ts'
import { Device } from '../../src/device/device.ts'
import { openDevice } from '../../src/device/open.ts'
import { must } from './setup.ts'

await useSwiftshader()
const { device, info, pump } = await openDevice({})
must(pump !== undefined, 'Dawn hands out its pump')
const backend = new WgpuBackend(new Device(device, info), undefined, pump)
const x = parameter([64, 64], 'float32')
const program = backend.prepare({ inputs: [x], outputs: [build.matmul(x, x)] })
const input = backend.upload(new Float32Array(64 * 64), 'float32')
const work = () => backend.release(program.run([input], [false])[0] as DeviceBuffer)
for (let i = 0; i < 200; i++) work()
device.destroy()
let code = 'no error'
try {
  // The news comes with a turn of the event loop, which these do not give it.
  for (let i = 0; i < 200; i++) work()
  await device.lost
  await new Promise((resolve) => setTimeout(resolve, 5))
  work()
} catch (error) {
  code = error instanceof BackendError ? error.code : String(error)
}
must(code === 'lost', `the next use says lost, not '${code}'`)
