import type { BackendError } from '@tessella/ir'
import { dropDevice } from './alive.ts'
import { type Capabilities, capabilitiesOf } from './capabilities.ts'
import { disposedError, lostError, memoryError, refusedError } from './errors.ts'
import { nameOf } from './open.ts'

/** A GPUDevice with what is known to be wrong with it. */
export class Device {
  readonly gpu: GPUDevice
  readonly queue: GPUQueue
  readonly capabilities: Capabilities
  /** The adapter, for people. */
  readonly name: string
  #disposed = false
  #fault: BackendError | undefined
  /** Called when the driver ran out of memory, with its error. */
  onMemory: (cause: GPUError) => void = (cause) => {
    this.#fault ??= memoryError('a buffer', cause)
  }

  constructor(gpu: GPUDevice, info: GPUAdapterInfo, capabilities = capabilitiesOf(gpu, info)) {
    this.gpu = gpu
    this.queue = gpu.queue
    this.capabilities = capabilities
    this.name = nameOf(info)
    gpu.addEventListener('uncapturederror', (event) => {
      // Dawn prints them otherwise.
      event.preventDefault()
      const { error } = event as GPUUncapturedErrorEvent
      if (error.constructor.name === 'GPUOutOfMemoryError') this.onMemory(error)
      else this.#fault ??= refusedError(error)
    })
    void gpu.lost.then((info) => {
      if (!this.#disposed) this.#fault = lostError(info)
    })
  }

  get disposed(): boolean {
    return this.#disposed
  }

  /** Throws what is wrong: disposed, lost, or an error of earlier work that nobody has heard of yet. */
  check(): void {
    if (this.#disposed) throw disposedError('the backend')
    if (this.#fault) throw this.#fault
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    dropDevice(this.gpu)
  }
}
