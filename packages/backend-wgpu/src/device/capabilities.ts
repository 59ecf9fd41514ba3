/** What a device can do, as far as the choice of kernels depends on it. */
export interface Capabilities {
  /** Storage buffers that one dispatch may bind. */
  readonly maxStorageBuffers: number
  readonly maxBindingBytes: number
  readonly maxWorkgroupBytes: number
  /** Invocations of one workgroup. */
  readonly maxInvocations: number
  readonly maxWorkgroupsPerDimension: number
  /** Sizes of a subgroup, where the device has the feature. */
  readonly subgroups?: { readonly min: number; readonly max: number }
  /** Whether shaders may compute in float16. */
  readonly f16: boolean
}

/** What every WebGPU device has. */
export const defaultCapabilities: Capabilities = {
  maxStorageBuffers: 8,
  maxBindingBytes: 128 * 1024 * 1024,
  maxWorkgroupBytes: 16384,
  maxInvocations: 256,
  maxWorkgroupsPerDimension: 65535,
  f16: false,
}

/** What a device says it can do. */
export function capabilitiesOf({ limits, features }: GPUDevice, info: GPUAdapterInfo): Capabilities {
  return {
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    // Whole words of buffers are bound.
    maxBindingBytes: Math.floor(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 4) * 4,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    ...(features.has('subgroups') ? { subgroups: { min: info.subgroupMinSize, max: info.subgroupMaxSize } } : {}),
    f16: features.has('shader-f16'),
  }
}
