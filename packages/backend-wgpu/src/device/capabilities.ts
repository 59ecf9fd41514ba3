import { sizeFeature } from './matrices.ts'
import type { MatmulPrecision } from './precision.ts'

/** What a device can do and may do, as far as the choice of kernels depends on it. Equal records make equal kernels. */
export interface Capabilities {
  /** Storage buffers that one dispatch may bind. */
  readonly maxStorageBuffers: number
  readonly maxBindingBytes: number
  readonly maxWorkgroupBytes: number
  /** Invocations of one workgroup. */
  readonly maxInvocations: number
  readonly maxWorkgroupsPerDimension: number
  /** Bytes of `var<immediate>` that a dispatch may be given; 0 where the device has none. */
  readonly maxImmediateBytes: number
  /** Sizes of a subgroup, where the device has the feature. */
  readonly subgroups?: SubgroupSizes
  /** Whether shaders may compute in float16. */
  readonly f16: boolean
  /** Products of float16 that subgroups make as a whole; none where the feature is missing or was not asked for. */
  readonly matrices: readonly MatrixShape[]
  /** How exact products of float32 must be. 'medium' only where `f16` is true, 'high' only where there are matrices. */
  readonly precision: MatmulPrecision
}

export interface SubgroupSizes {
  readonly min: number
  readonly max: number
  /** Whether a shader may say which of them it wants. */
  readonly mayChoose: boolean
}

/** A subgroup of so many lanes multiplies m x k by k x n numbers of float16, and adds to m x n of float32. */
export interface MatrixShape {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly lanes: number
}

/** What every WebGPU device has. */
export const defaultCapabilities: Capabilities = {
  maxStorageBuffers: 8,
  maxBindingBytes: 128 * 1024 * 1024,
  maxWorkgroupBytes: 16384,
  maxInvocations: 256,
  maxWorkgroupsPerDimension: 65535,
  maxImmediateBytes: 0,
  f16: false,
  matrices: [],
  precision: 'highest',
}

/** What is not in TypeScript's library yet. */
interface RecentLimits {
  readonly maxImmediateSize?: number
}

/** What a device says it can do; `matrices` are those that it makes right. */
export function capabilitiesOf(
  { limits, features }: GPUDevice,
  info: GPUAdapterInfo,
  wanted: MatmulPrecision = 'highest',
  matrices: readonly MatrixShape[] = [],
): Capabilities {
  const f16 = features.has('shader-f16')
  const mayChoose = (features as ReadonlySet<string>).has(sizeFeature)
  const subgroups = { min: info.subgroupMinSize, max: info.subgroupMaxSize, mayChoose }
  const can = { highest: true, high: matrices.length > 0, medium: f16 }
  return {
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    // Whole words of buffers are bound.
    maxBindingBytes: Math.floor(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 4) * 4,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxImmediateBytes: (limits as RecentLimits).maxImmediateSize ?? 0,
    ...(features.has('subgroups') ? { subgroups } : {}),
    f16,
    matrices,
    precision: can[wanted] ? wanted : 'highest',
  }
}
