import { WgpuBackend } from '../../src/backend.ts'
import { defaultCapabilities } from '../../src/device/capabilities.ts'
import { Device } from '../../src/device/device.ts'
import { openDevice } from '../../src/device/open.ts'
import { wgpu } from '../../src/index.ts'

/** A backend as users get it; with TESSELLA_WGPU=least one with all checks and no more than every WebGPU device has. */
export async function create(): Promise<WgpuBackend> {
  if (process.env['TESSELLA_WGPU'] !== 'least') return wgpu()
  const { device, info } = await openDevice({ safe: true })
  return new WgpuBackend(new Device(device, info, defaultCapabilities))
}
