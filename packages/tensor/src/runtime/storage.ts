import { BackendError, type DeviceBuffer, type DType, type HostArray } from '@tessella/ir'
import type { Weight } from './ballast.ts'
import type { Device } from './device.ts'
import type { Lease } from './lease.ts'

/** Small values move to the host when read and leave the device, so a read loss never waits for the collector. */
const smallBytes = 4096

/**
 * The value of a settled node: on the host, on a device, or both.
 * A storage forgotten by everyone gives its buffer back through the device's finalizer.
 */
export class Storage {
  readonly dtype: DType
  #host: HostArray | undefined
  #device: Device | undefined
  /** Of its buffer on the device. */
  #lease: Lease | undefined
  #gone: 'disposed' | 'donated' | undefined
  /** A Variable owns it: disposing a tensor that shows it must not free it. */
  owned = false
  /** Its device's, while only the collector can free it. */
  weight: Weight | undefined

  private constructor(dtype: DType) {
    this.dtype = dtype
  }

  static fromHost(data: HostArray, dtype: DType): Storage {
    const storage = new Storage(dtype)
    storage.#host = data
    return storage
  }

  static fromDevice(device: Device, buffer: DeviceBuffer, dtype: DType): Storage {
    const storage = new Storage(dtype)
    storage.#device = device
    storage.#lease = device.hold(buffer)
    return storage
  }

  /** The buffer on `device`, uploaded when the value is only on the host. */
  bufferOn(device: Device): DeviceBuffer {
    this.#check()
    const present = this.#lease?.held.buffer
    if (present !== undefined && this.#device === device) return present
    if (this.#host === undefined)
      throw new BackendError(
        device.backend.name,
        'wrong-backend',
        `a tensor lives on ${this.#whereabouts(device)}, which is not the backend in use. Read it with \`await t.data()\` ` +
          'and make a new tensor, or call useBackend before creating the model.',
      )
    const buffer = device.backend.upload(this.#host, this.dtype)
    this.#drop()
    this.#device = device
    this.#lease = device.hold(buffer)
    // Large host copies would double the memory of every parameter and batch.
    if (this.#host.byteLength > smallBytes) this.#host = undefined
    return buffer
  }

  #whereabouts(wanted: Device): string {
    const name = this.#device?.backend.name
    return name === wanted.backend.name ? `another instance of '${name}'` : `'${name}'`
  }

  /** A copy of the elements. */
  async read(): Promise<HostArray> {
    this.#check()
    if (this.#host !== undefined) return this.#host.slice()
    const device = this.#device as Device
    const data = await device.backend.read(this.#lease?.held.buffer as DeviceBuffer, this.dtype)
    if (data.byteLength <= smallBytes && this.#gone === undefined && !this.owned) {
      this.#host = data.slice()
      this.#drop()
    }
    return data
  }

  /** The elements when they are on the host already. */
  get host(): HostArray | undefined {
    return this.#host
  }

  /** Ends the value's life now instead of at collection. */
  dispose(): void {
    if (this.#gone !== undefined) return
    this.#gone = 'disposed'
    this.#drop()
    this.#host = undefined
  }

  /** The run that took the buffer owns it now. */
  donated(): void {
    this.#gone = 'donated'
    if (this.#lease !== undefined) this.#device?.forget(this, this.#lease)
    this.#lease = undefined
    this.#host = undefined
  }

  #drop(): void {
    if (this.#lease !== undefined) this.#device?.release(this, this.#lease)
    this.#lease = undefined
    this.#device = undefined
  }

  #check(): void {
    if (this.#gone === 'disposed')
      throw new BackendError(
        this.#device?.backend.name ?? 'tensor',
        'disposed',
        'this tensor was disposed. Keep it alive, or compute it again.',
      )
    if (this.#gone === 'donated')
      throw new BackendError(
        'tensor',
        'disposed',
        'internal: a donated value was used again. This is a bug in Tessella; please report it.',
      )
  }
}
