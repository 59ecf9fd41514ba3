export { WgpuBackend, wgpu } from './backend.ts'
export type { WgpuOptions } from './device/options.ts'
export type { Precision } from './device/precision.ts'
