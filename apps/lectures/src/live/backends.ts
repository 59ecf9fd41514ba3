import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { plural } from '../report/numbers.ts'
import type { Gpu, Job } from './protocol.ts'

/** What the adapter says of itself, as far as this browser tells. */
const describe = ({ vendor, architecture, device, description }: GPUAdapterInfo): string =>
  [vendor, architecture, device, description].filter((part) => part !== '').join(' ') || 'a graphics card'

const turnOn = "Turn on hardware acceleration in the browser's settings, or use a newer browser."

/** Whether there is WebGPU here, without opening it. */
export async function lookForGpu(): Promise<Gpu> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined
  if (gpu === undefined) return { there: false, reason: `This browser has no WebGPU. ${turnOn}` }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)
  if (adapter === null) return { there: false, reason: `This browser gives no WebGPU adapter. ${turnOn}` }
  const name = describe(adapter.info)
  return {
    there: true,
    name,
    software: adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|basic render/i.test(name),
  }
}

/** Threads that the CPU will have, and whether this page may share memory between them. */
export function lookForThreads(): { readonly threads: number; readonly isolated: boolean } {
  const backend = cpu()
  const { threads } = backend
  backend.dispose()
  return { threads, isolated: globalThis.crossOriginIsolated }
}

/** Attaches the backend of a job in the place of the one before; answers its title. */
export async function attach({ backend, threads }: Job): Promise<string> {
  disposeBackend()
  if (backend === 'wgpu') {
    const opened = await wgpu()
    await useBackend(opened)
    return `wgpu, ${opened.adapter}`
  }
  const opened = cpu(threads === undefined ? {} : { threads })
  await useBackend(opened)
  return `cpu, ${plural(opened.threads, 'thread')}, 128-bit vectors`
}
