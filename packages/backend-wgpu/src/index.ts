export { WgpuBackend, wgpu } from './backend.ts'
export type { WgpuOptions } from './device/options.ts'
export type { MatmulPrecision } from './device/precision.ts'
