import type { Device } from '../device/device.ts'
import { disposedError } from '../device/errors.ts'
import type { Memory, Page } from './pool.ts'

// GPUBufferUsage.MAP_READ | COPY_DST and GPUMapMode.READ.
const stagingUsage = 0x1 | 0x8
const mapRead = 0x1
const smallest = 256
/** Staging buffers up to this size wait for the next read; larger ones are made for one. */
const kept = 2 ** 20
const keptOfSize = 8

/** Copies values to the host through a ring of mappable buffers, without holding up the work that follows. */
export class Readback {
  readonly #device: Device
  readonly #free = new Map<number, GPUBuffer[]>()
  /** A buffer that is collected while its mapping is pending rejects it. */
  readonly #busy = new Set<GPUBuffer>()

  constructor(device: Device) {
    this.#device = device
  }

  /** The first `byteLength` bytes as they are after all work so far, written to `target`. */
  async read(memory: Memory, byteLength: number, target: Uint8Array): Promise<void> {
    const parts: Promise<void>[] = []
    let first = 0
    // All copies are submitted before anything is waited for.
    for (const page of memory.pages) {
      if (first >= byteLength) break
      parts.push(this.#readPage(page, target.subarray(first, Math.min(first + page.size, byteLength))))
      first += page.size
    }
    await Promise.all(parts)
  }

  async #readPage(page: Page, target: Uint8Array): Promise<void> {
    const { gpu, queue } = this.#device
    const bytes = Math.ceil(target.byteLength / 4) * 4
    const size = bytes > kept ? bytes : 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)))
    const staging =
      this.#free.get(size)?.pop() ?? gpu.createBuffer({ size, usage: stagingUsage, label: `staging ${size}` })
    this.#busy.add(staging)
    const encoder = gpu.createCommandEncoder({ label: 'read' })
    encoder.copyBufferToBuffer(page.buffer, 0, staging, 0, bytes)
    queue.submit([encoder.finish()])
    try {
      await staging.mapAsync(mapRead, 0, bytes)
      target.set(new Uint8Array(staging.getMappedRange(0, bytes), 0, target.byteLength))
    } catch (error) {
      this.#busy.delete(staging)
      throw await this.#reason(error)
    }
    staging.unmap()
    this.#busy.delete(staging)
    this.#keep(staging, size)
  }

  /** What a failed mapping was about: the device tells it a moment later. */
  async #reason(error: unknown): Promise<unknown> {
    await new Promise((resolve) => setTimeout(resolve))
    if (this.#device.disposed) return disposedError('the backend')
    try {
      this.#device.check()
    } catch (known) {
      return known
    }
    return error
  }

  #keep(staging: GPUBuffer, size: number): void {
    const free = this.#free.get(size) ?? []
    this.#free.set(size, free)
    if (size <= kept && free.length < keptOfSize && !this.#device.disposed) free.push(staging)
    else staging.destroy()
  }
}
