import { BackendError, type DeviceBuffer } from '@tessella/ir'
import type { Device } from '../device/device.ts'
import { memoryError } from '../device/errors.ts'
import { Doubt } from './doubt.ts'
import { type Memory, Pool } from './pool.ts'

/** A value on the device. Only its backend can use it. */
export class WgpuBuffer implements DeviceBuffer {
  readonly byteLength: number
  readonly store: Store
  readonly memory: Memory
  /** When it was made, in the store's order: a failure of the driver spoils what came after. */
  readonly born: number
  /** False after its release, or when a run took it. */
  live = true

  constructor(store: Store, byteLength: number, memory: Memory, born: number) {
    this.store = store
    this.byteLength = byteLength
    this.memory = memory
    this.born = born
  }
}

/** The values of one backend with their accounting. */
export class Store {
  readonly pool: Pool
  readonly #device: Device
  #bytes = 0
  #buffers = 0
  #peak = 0
  #clock = 0
  readonly #doubt = new Doubt()
  #cause: unknown

  constructor(device: Device, limit: number | undefined) {
    this.#device = device
    this.pool = new Pool(device, limit)
    device.onMemory = (cause) => {
      this.#doubt.fail(this.#clock)
      this.#cause = cause
      this.pool.fail()
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  get buffers(): number {
    return this.#buffers
  }

  get peakBytes(): number {
    return this.#peak
  }

  /** A new buffer; its bytes are whatever was there. */
  allocate(byteLength: number, what: string): WgpuBuffer {
    const buffer = new WgpuBuffer(this, byteLength, this.pool.take(byteLength, what), ++this.#clock)
    this.#bytes += byteLength
    this.#buffers++
    this.note(0)
    return buffer
  }

  /** Idempotent. */
  release(buffer: WgpuBuffer): void {
    if (!buffer.live) return
    buffer.live = false
    this.#bytes -= buffer.byteLength
    this.#buffers--
    this.pool.give(buffer.memory)
  }

  /** The same memory under a new handle; the old one is dead. */
  take(buffer: WgpuBuffer): WgpuBuffer {
    buffer.live = false
    return new WgpuBuffer(this, buffer.byteLength, buffer.memory, ++this.#clock)
  }

  /** Checks that a buffer is ours, alive and sound. */
  own(buffer: DeviceBuffer, what: string): WgpuBuffer {
    this.#device.check()
    const owned = this.identify(buffer, what)
    this.checkSound(owned, what)
    return owned
  }

  /** Checks that a buffer is ours and alive; the device may be lost. */
  identify(buffer: DeviceBuffer, what: string): WgpuBuffer {
    if (!(buffer instanceof WgpuBuffer) || buffer.store !== this)
      throw new BackendError(
        'wgpu',
        'wrong-backend',
        `${what} lives on another device. Move it: read it there, upload it here.`,
      )
    if (!buffer.live) throw new BackendError('wgpu', 'disposed', `${what} was released or donated before`)
    return buffer
  }

  /** Throws when the driver had no memory for this value, or for one it may be made of. */
  checkSound(buffer: WgpuBuffer, what: string): void {
    if (this.#doubt.about(buffer.born)) throw memoryError(`${what}, or a value it is made of,`, this.#cause)
  }

  /** Resolves when it is known which of the values so far exist. */
  async settled(): Promise<void> {
    const now = this.#clock
    await this.pool.settled()
    this.#doubt.settle(now)
  }

  /** Notes bytes in use for a moment beside the values. */
  note(extra: number): void {
    this.#peak = Math.max(this.#peak, this.#bytes + extra)
  }
}
