// More uploads than fit, without a pause: a typed error, and the backend works on once values are released.
import { BackendError, type DeviceBuffer } from '@tessella/ir'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { wgpu } from '../../src/index.ts'
import { must } from './setup.ts'

await useSwiftshader()
const backend = await wgpu({ memoryLimit: 64 * 2 ** 20 })
const data = new Float32Array(2 ** 20)
const held: DeviceBuffer[] = []
let code = ''
try {
  for (let i = 0; i < 100; i++) held.push(backend.upload(data, 'float32'))
} catch (error) {
  code = error instanceof BackendError ? error.code : String(error)
}
must(code === 'out-of-memory', `the limit is told, not '${code}'`)
must(held.length === 16, `all of the limit is used, not ${held.length} of 16`)
for (const buffer of held) backend.release(buffer)
// Another size: the pool gives back what it kept.
const large = backend.upload(new Float32Array(10 * 2 ** 20).fill(3), 'float32')
must((await backend.read(large, 'float32'))[12345] === 3, 'a large value afterwards')
