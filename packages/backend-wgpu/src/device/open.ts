import { keepDevice, keptInstance } from './alive.ts'
import { inNode, noAdapterError, noPackageError, noWebGpuError } from './errors.ts'
import { matrixFeature, sizeFeature } from './matrices.ts'
import { dawnFlags, type WgpuOptions } from './options.ts'
import { findPump, type Pump } from './pump.ts'

/** Features that kernels make use of where a device has them. */
const wantedFeatures = ({ precision = 'highest' }: WgpuOptions): readonly string[] => [
  'shader-f16',
  'subgroups',
  sizeFeature,
  ...(precision === 'highest' ? [] : [matrixFeature]),
]

/** Limits that are asked for as high as the adapter goes. */
const raised = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[]

/** The package as far as it is used; loaded by a name that bundlers do not follow. */
interface DawnPackage {
  create(flags: string[]): GPU
}

async function dawn(options: WgpuOptions): Promise<GPU> {
  const name = 'webgpu'
  let loaded: DawnPackage
  try {
    loaded = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as DawnPackage
  } catch (cause) {
    throw noPackageError(cause)
  }
  const flags = dawnFlags(options)
  return keptInstance(flags.join(' '), () => loaded.create(flags))
}

async function findGpu(options: WgpuOptions): Promise<GPU> {
  const own = globalThis.navigator?.gpu as GPU | undefined
  if (own !== undefined) return keptInstance('navigator', () => own)
  if (!inNode()) throw noWebGpuError()
  return dawn(options)
}

async function requestAdapter(gpu: GPU, options: WgpuOptions): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null = null
  try {
    adapter = await gpu.requestAdapter({ powerPreference: options.power ?? 'high-performance' })
  } catch {
    // Dawn rejects where a browser answers null.
  }
  if (adapter === null || !named(adapter.info, options.adapter)) throw noAdapterError(options.adapter)
  return adapter
}

export const nameOf = ({ vendor, architecture, device, description }: GPUAdapterInfo): string =>
  [vendor, architecture, device, description].filter((part) => part !== '').join(' ')

const named = (info: GPUAdapterInfo, part: string | undefined): boolean =>
  part === undefined || nameOf(info).toLowerCase().includes(part.toLowerCase())

interface Opened {
  readonly device: GPUDevice
  readonly info: GPUAdapterInfo
  readonly pump: Pump | undefined
}

/** A device with all that its adapter has of what we use. Throws `BackendError` 'unavailable' that says what to do. */
export async function openDevice(options: WgpuOptions): Promise<Opened> {
  const gpu = await findGpu(options)
  const adapter = await requestAdapter(gpu, options)
  const features: ReadonlySet<string> = adapter.features
  const device = await adapter.requestDevice({
    label: 'tessella',
    requiredFeatures: wantedFeatures(options).filter((f): f is GPUFeatureName => features.has(f)),
    requiredLimits: Object.fromEntries(raised.map((name) => [name, adapter.limits[name]])),
  })
  keepDevice(device, adapter)
  const isDawn = gpu !== globalThis.navigator?.gpu
  return { device, info: adapter.info, pump: isDawn ? await findPump(device) : undefined }
}
