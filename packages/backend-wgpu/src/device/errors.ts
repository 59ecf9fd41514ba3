import { BackendError } from '@tessella/ir'

const name = 'wgpu'

export const disposedError = (what: string): BackendError => new BackendError(name, 'disposed', `${what} was disposed`)

export const lostError = (info: GPUDeviceLostInfo): BackendError =>
  new BackendError(
    name,
    'lost',
    `the device was lost (${info.reason}${info.message ? `: ${info.message.trim()}` : ''}). Values on it are gone. ` +
      'Attach a new one with `await useBackend(wgpu())` and load the last checkpoint.',
  )

export const memoryError = (what: string, cause?: unknown): BackendError =>
  new BackendError(
    name,
    'out-of-memory',
    `${what} does not fit into the device's memory. Use smaller batches, or dispose values that are not needed.`,
    { cause },
  )

export const tooLargeError = (what: string, elements: number, most: number): BackendError =>
  new BackendError(
    name,
    'too-large',
    `${what} has ${elements} elements, and kernels reach ${most}. Use smaller batches, or split the value.`,
  )

/** A kernel that cannot be cut into dispatches that each see few enough pages. */
export const tooManyPagesError = (what: string, pages: number, most: number): BackendError =>
  new BackendError(
    name,
    'too-large',
    `[${what}] reads and writes ${pages} bindings at once, this device takes ${most} (maxStorageBuffersPerShaderStage), ` +
      'each of at most maxStorageBufferBindingSize bytes. Use smaller batches, or split the value.',
  )

/** The device refused what we made: its message names the objects by their labels, which are the operations. */
export const refusedError = (error: GPUError): BackendError =>
  new BackendError(
    name,
    'internal',
    `internal: the device refused our work: ${error.message.trim()}. This is a bug in Tessella; please report it.`,
    { cause: error },
  )

export const noAdapterError = (wanted: string | undefined): BackendError =>
  new BackendError(
    name,
    'unavailable',
    `no WebGPU adapter${wanted === undefined ? '' : ` whose name contains '${wanted}'`} was found. ` +
      (inNode()
        ? "Install your graphics card's driver (Vulkan on Linux, D3D12 on Windows, Metal on macOS). Without a card, a " +
          'software driver works, slowly: set VK_ICD_FILENAMES to the ICD file of lavapipe (mesa-vulkan-drivers) or SwiftShader. '
        : "Turn on hardware acceleration in the browser's settings, or use a newer browser. ") +
      'The CPU backend needs neither: useBackend(cpu()).',
  )

export const noPackageError = (cause: unknown): BackendError =>
  new BackendError(
    name,
    'unavailable',
    "WebGPU in Node comes with the package 'webgpu', which could not be loaded. Install it: npm install webgpu@0.6.",
    { cause },
  )

export const noWebGpuError = (): BackendError =>
  new BackendError(
    name,
    'unavailable',
    'this environment has no navigator.gpu. Browsers have it in secure contexts only (https or localhost). ' +
      'The CPU backend works everywhere: useBackend(cpu()).',
  )

/** Whether Dawn's package is the way to WebGPU here. */
export const inNode = (): boolean =>
  typeof globalThis.process?.versions?.node === 'string' && !('Deno' in globalThis) && !('Bun' in globalThis)
