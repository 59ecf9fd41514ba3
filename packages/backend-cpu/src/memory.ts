import { BackendError } from '@tessella/ir'

const pageBytes = 65536
/** Modules name it when the memory is shared. */
export const maximumPages = 65536
/** Memory grows by at least this, because every growth makes new views. */
const growthPages = 256
const alignment = 64
/** The sets of a first-level cache repeat after this many bytes. */
const page = 4096
/** Blocks from this size on are staggered. */
const large = 32 * page
/** Where in its page the block behind a large one starts, if that started at 0: 23 lines, of which few multiples are near 64. */
const stagger = 23 * alignment

/**
 * Bytes that a block takes for its content: whole lines of the cache. Large blocks end at an odd place of a page: arrays that
 * a loop walks side by side would else be at the same place of their pages all the time, and share the few lines of a set. AMD's
 * caches tell lines of a set apart by few bits of the address, so that two arrays some powers of two apart can evict each other
 * at every element: four arrays of 64 MB took 58 ms for what takes 15.
 */
export function roomFor(bytes: number): number {
  const size = Math.max(1, Math.ceil(bytes / alignment)) * alignment
  return size < large ? size : size + ((page + stagger - (size % page)) % page)
}

/** Blocks that wait for the next request of their size. */
const mostSpare = 8

/** One block of the heap. Blocks are handed out whole multiples of 64 bytes at multiples of 64. */
export class Block {
  readonly address: number
  readonly size: number
  /** Until its release. */
  used = true

  constructor(address: number, size: number) {
    this.address = address
    this.size = size
  }
}

interface Free {
  address: number
  size: number
}

/**
 * One linear memory and its heap: best fit over free blocks sorted by address, neighbours merged. Freed memory is
 * handed out again, lowest address first among equals, so that it stays warm; it is never returned to the system.
 */
export class Memory {
  readonly memory: WebAssembly.Memory
  readonly shared: boolean
  readonly #free: Free[] = []
  /** The blocks that were released last, apart from the others: the next run of the same program takes them again. */
  readonly #spare: Free[] = []
  #end: number
  #bytes = 0
  #view: Uint8Array
  #words: Uint32Array

  /** `reserved`: bytes at the start that the heap leaves alone. `shared`: threads may see it. */
  constructor(reserved: number, shared = false) {
    const pages = Math.ceil(reserved / pageBytes) + 1
    this.shared = shared
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: maximumPages, shared })
    this.#end = Math.ceil(reserved / alignment) * alignment
    this.#view = new Uint8Array(this.memory.buffer)
    this.#words = new Uint32Array(this.memory.buffer)
    this.#insert(this.#end, pages * pageBytes - this.#end)
    this.#end = pages * pageBytes
  }

  /** Bytes taken from the system. */
  get reservedBytes(): number {
    return this.#end
  }

  /** Bytes in blocks that are handed out, rounded up to whole blocks. */
  get blockBytes(): number {
    return this.#bytes
  }

  /** The memory's bytes; a new view after each growth, so do not keep it. */
  get bytes(): Uint8Array {
    return this.#view
  }

  /** The memory's 32-bit words, likewise. */
  get words(): Uint32Array {
    return this.#words
  }

  /** Throws `BackendError` 'out-of-memory' beyond 4 GiB or when the system has no more. */
  allocate(bytes: number): Block {
    const size = roomFor(bytes)
    const spare = this.#takeSpare(size)
    if (spare !== undefined) return this.#block(spare, size)
    let best = this.#bestFit(size)
    if (best < 0) {
      this.#grow(size)
      best = this.#bestFit(size)
    }
    const from = this.#free[best] as Free
    const address = from.address
    if (from.size === size) this.#free.splice(best, 1)
    else {
      from.address += size
      from.size -= size
    }
    return this.#block(address, size)
  }

  #block(address: number, size: number): Block {
    this.#bytes += size
    return new Block(address, size)
  }

  /** A block that was released before is left alone. */
  release(block: Block): void {
    if (!block.used) return
    block.used = false
    const { address, size } = block
    this.#bytes -= size
    if (this.#spare.length >= mostSpare) this.#freeSpare()
    this.#spare.push({ address, size })
  }

  /** The address of a spare block of just this size; where there is none, the spare ones are free for all. */
  #takeSpare(size: number): number | undefined {
    const spare = this.#spare
    for (let i = spare.length - 1; i >= 0; i--) {
      const { address, size: other } = spare[i] as Free
      if (other !== size) continue
      const last = spare.pop() as Free
      if (i < spare.length) spare[i] = last
      return address
    }
    this.#freeSpare()
    return undefined
  }

  #freeSpare(): void {
    for (const { address, size } of this.#spare) this.#insert(address, size)
    this.#spare.length = 0
  }

  #bestFit(size: number): number {
    let best = -1
    let bestSize = Number.POSITIVE_INFINITY
    for (const [i, free] of this.#free.entries())
      if (free.size >= size && free.size < bestSize) {
        best = i
        bestSize = free.size
        if (bestSize === size) break
      }
    return best
  }

  #insert(address: number, size: number): void {
    let low = 0
    let high = this.#free.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#free[middle] as Free).address < address) low = middle + 1
      else high = middle
    }
    const before = this.#free[low - 1]
    const after = this.#free[low]
    const joinsBefore = before !== undefined && before.address + before.size === address
    const joinsAfter = after !== undefined && address + size === after.address
    if (before && joinsBefore) {
      before.size += size + (joinsAfter && after ? after.size : 0)
      if (joinsAfter) this.#free.splice(low, 1)
    } else if (after && joinsAfter) {
      after.address = address
      after.size += size
    } else this.#free.splice(low, 0, { address, size })
  }

  #grow(size: number): void {
    const last = this.#free.at(-1)
    const tail = last && last.address + last.size === this.#end ? last.size : 0
    const needed = Math.ceil((size - tail) / pageBytes)
    const present = this.#end / pageBytes
    const wanted = Math.min(Math.max(needed, growthPages, present >>> 1), maximumPages - present)
    for (const pages of [wanted, needed]) {
      if (pages < needed || present + pages > maximumPages) continue
      try {
        this.memory.grow(pages)
      } catch {
        continue
      }
      this.#view = new Uint8Array(this.memory.buffer)
      this.#words = new Uint32Array(this.memory.buffer)
      this.#insert(this.#end, pages * pageBytes)
      this.#end += pages * pageBytes
      return
    }
    throw new BackendError(
      'cpu',
      'out-of-memory',
      `${size} bytes more do not fit: ${this.#bytes} bytes are in use and a heap holds at most 4 GiB. ` +
        'Use smaller batches, or release what is not needed.',
    )
  }
}
