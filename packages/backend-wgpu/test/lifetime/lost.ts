// A lost device: typed errors, quiet releases, and a new backend on which training goes on from host copies.
import { BackendError } from '@tessella/ir'
import { compile, disposeBackend, tensor, useBackend, Variable } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { WgpuBackend } from '../../src/backend.ts'
import { Device } from '../../src/device/device.ts'
import { openDevice } from '../../src/device/open.ts'
import { wgpu } from '../../src/index.ts'
import { must } from './setup.ts'

await useSwiftshader()
const { device, info } = await openDevice({})
await useBackend(new WgpuBackend(new Device(device, info)))
const weights = new Variable(tensor([1, 2, 3]))
const step = () =>
  compile(() => {
    weights.assign(weights.value.mul(2))
    return weights.value.sum()
  })
must((await step()().item()) === 12, 'the first step')
const saved = await weights.value.data()

const pending = weights.value.mul(3)
device.destroy()
await device.lost
async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
    return 'no error'
  } catch (error) {
    return error instanceof BackendError ? error.code : String(error)
  }
}
for (const action of [() => pending.data(), () => step()().item(), () => tensor([1]).add(1).data()])
  must((await codeOf(action)) === 'lost', `the next use says lost, not ${await codeOf(action)}`)
disposeBackend()

await useBackend(wgpu())
weights.assign(tensor([...saved] as [number, number, number]))
must((await step()().item()) === 24, 'the step after the loss')
disposeBackend()
