import type { Device } from '../device/device.ts'
import { memoryError } from '../device/errors.ts'
import { Doubt } from './doubt.ts'
import { pageBytes } from './pages.ts'

// GPUBufferUsage.STORAGE | COPY_SRC | COPY_DST; the constants are not global in Node.
const storageUsage = 0x80 | 0x4 | 0x8
const smallest = 256
/** After this many runs, what stayed unused all the time goes back to the system. */
const window = 64
/** Above this size a creation is watched by an error scope of its own; below, a failure would come as an uncaptured error. */
const watchedBytes = 2 ** 20

/** A whole GPUBuffer. */
export interface Page {
  readonly buffer: GPUBuffer
  readonly size: number
  /** Never used again for another one: the key of bind groups. */
  readonly id: number
}

/** What holds a value: one page, or several where it is larger than a binding. */
export interface Memory {
  readonly pages: readonly Page[]
  readonly size: number
}

interface Shelf {
  readonly free: Memory[]
  /** Fewest that lay here in this window. */
  low: number
}

/** Four sizes an octave, so at most a fifth is wasted and steps of one shape meet the same buffers again. */
export function sizeClass(bytes: number): number {
  const least = Math.max(bytes, smallest)
  const step = 2 ** (Math.floor(Math.log2(least)) - 2)
  return Math.ceil(least / step) * step
}

/**
 * Buffers by size class, last returned first taken. All work is submitted when it is recorded, so a returned buffer may be
 * taken at once: the queue keeps the order, and Dawn keeps destroyed memory until the work that uses it is done.
 */
export class Pool {
  readonly #device: Device
  readonly #shelves = new Map<number, Shelf>()
  readonly #watched = new Set<Promise<void>>()
  readonly #doubt = new Doubt()
  readonly #limit: number
  #next = 1
  #reserved = 0
  #runs = 0

  constructor(device: Device, limit = Number.POSITIVE_INFINITY) {
    this.#device = device
    this.#limit = limit
  }

  /** Bytes taken from the device, those that lie here unused included. */
  get reservedBytes(): number {
    return this.#reserved
  }

  /** Memory of at least `bytes`; its contents are whatever was there. Throws 'out-of-memory'. */
  take(bytes: number, what: string): Memory {
    const size = this.#sizeOf(bytes)
    const shelf = this.#shelves.get(size)
    const found = shelf?.free.pop()
    if (shelf && found) {
      shelf.low = Math.min(shelf.low, shelf.free.length)
      return found
    }
    if (this.#reserved + size > this.#limit) this.drop()
    if (this.#reserved + size > this.#limit) throw memoryError(`${what} (${bytes} bytes; ${this.#reserved} are in use)`)
    return this.#create(size)
  }

  give(memory: Memory): void {
    if (memory.pages.some(({ id }) => this.#doubt.about(id))) {
      this.#destroy(memory)
      return
    }
    const shelf = this.#shelves.get(memory.size)
    if (shelf) shelf.free.push(memory)
    else this.#shelves.set(memory.size, { free: [memory], low: 0 })
  }

  /** Counts runs; now and then destroys what none of them needed. */
  tick(): void {
    if (++this.#runs % window !== 0) return
    for (const shelf of this.#shelves.values()) {
      for (const memory of shelf.free.splice(0, shelf.low)) this.#destroy(memory)
      shelf.low = shelf.free.length
    }
  }

  /** Destroys all that is unused. */
  drop(): void {
    for (const { free } of this.#shelves.values()) for (const memory of free) this.#destroy(memory)
    this.#shelves.clear()
  }

  /** Some buffer could not be had: gives back what is unused, and what may be broken when it returns. */
  fail(): void {
    this.#doubt.fail(this.#next - 1)
    this.drop()
  }

  /** Resolves when it is known whether all large buffers so far exist. */
  async settled(): Promise<void> {
    const last = this.#next - 1
    if (this.#watched.size > 0) await Promise.all(this.#watched)
    this.#doubt.settle(last)
  }

  #sizeOf(bytes: number): number {
    const limit = this.#device.capabilities.maxBindingBytes
    if (bytes <= limit) return Math.min(sizeClass(bytes), limit)
    const page = pageBytes(limit)
    const whole = bytes - (bytes % page)
    return whole === bytes ? bytes : whole + Math.min(sizeClass(bytes - whole), page)
  }

  #create(size: number): Memory {
    const limit = this.#device.capabilities.maxBindingBytes
    const page = size <= limit ? size : pageBytes(limit)
    const count = Math.ceil(size / page)
    const pages = Array.from({ length: count }, (_, i) => this.#createPage(Math.min(page, size - i * page)))
    this.#reserved += size
    return { pages, size }
  }

  #createPage(size: number): Page {
    const { gpu } = this.#device
    const id = this.#next++
    if (size >= watchedBytes) gpu.pushErrorScope('out-of-memory')
    const buffer = gpu.createBuffer({ size, usage: storageUsage, label: `buffer ${id} (${size} bytes)` })
    if (size >= watchedBytes) this.#watch(gpu.popErrorScope())
    return { buffer, size, id }
  }

  #watch(scope: Promise<GPUError | null>): void {
    const watched = scope.then(
      (error) => {
        if (error) this.#device.onMemory(error)
      },
      // A lost or destroyed device says so itself.
      () => {},
    )
    this.#watched.add(watched)
    void watched.then(() => this.#watched.delete(watched))
  }

  #destroy(memory: Memory): void {
    for (const { buffer } of memory.pages) buffer.destroy()
    this.#reserved -= memory.size
  }
}
