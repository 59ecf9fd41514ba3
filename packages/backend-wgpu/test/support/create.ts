import { WgpuBackend } from '../../src/backend.ts'
import { defaultCapabilities } from '../../src/device/capabilities.ts'
import { Device } from '../../src/device/device.ts'
import { openDevice } from '../../src/device/open.ts'
import { wgpu } from '../../src/index.ts'

/** A backend with all checks of shaders, within the default limits, whose bindings are no larger than this. */
export async function createPaged(maxBindingBytes = defaultCapabilities.maxBindingBytes): Promise<WgpuBackend> {
  const { device, info } = await openDevice({ safe: true })
  return new WgpuBackend(new Device(device, info, { ...defaultCapabilities, maxBindingBytes }))
}

const kind = process.env['TESSELLA_WGPU']

/** Whether products are made of float16. */
export const isMedium = kind === 'medium'

/**
 * A backend as users get it; with TESSELLA_WGPU=least one with all checks and no more than every WebGPU device has, with
 * TESSELLA_WGPU=paged one whose bindings have 4 KiB, too, with 'high' or 'medium' one
 * of that precision.
 */
export async function create(): Promise<WgpuBackend> {
  if (kind === 'high' || kind === 'medium') return wgpu({ precision: kind })
  if (kind === 'least') return createPaged()
  return kind === 'paged' ? createPaged(4096) : wgpu()
}
