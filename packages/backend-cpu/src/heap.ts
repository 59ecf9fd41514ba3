import { BackendError, type DeviceBuffer } from '@tessella/ir'
import { type Block, Memory } from './memory.ts'
import { controlBytes } from './threads/control.ts'
import { maySleep } from './threads/options.ts'
import { sharedWork, patience as usualPatience } from './threads/phase.ts'
import { Pool } from './threads/pool.ts'
import { ConstantTable, constantBytes } from './wasm/constants.ts'

const constantBase = 1024
const controlBase = 131072
const heapBase = controlBase + controlBytes

/** How a heap's programs use threads. */
export interface HeapThreads {
  readonly threads: number
  /** Work in element operations from which a kernel is shared; tests share all. */
  readonly shared?: number
  /** Share whatever it takes; for tests. */
  readonly always?: boolean
  /** Milliseconds after which a worker that does not finish its part is taken for dead; tests wait less. */
  readonly patience?: number
}

/** A value in the heap. Only its backend can use it. */
export class CpuBuffer implements DeviceBuffer {
  readonly byteLength: number
  readonly heap: Heap
  readonly block: Block
  /** False after its release, or when a run took it. */
  live = true

  constructor(heap: Heap, byteLength: number, block: Block) {
    this.heap = heap
    this.byteLength = byteLength
    this.block = block
  }
}

/** The memory of one backend: buffers with their accounting, and the area that running programs share. */
export class Heap {
  readonly constants: ConstantTable
  /** Present where there is more than one thread. */
  readonly pool: Pool | undefined
  #memory: Memory | undefined
  readonly #programs = new Set<{ dispose(): void }>()
  #bytes = 0
  #buffers = 0
  #peak = 0
  #arena: Block | undefined

  constructor(
    { threads, shared = sharedWork, always = false, patience = usualPatience }: HeapThreads = { threads: 1 },
  ) {
    this.#memory = new Memory(heapBase, threads > 1)
    const threading = { threads, control: controlBase, sleeps: threads > 1 && maySleep(), shared, always, patience }
    this.pool = threads > 1 ? new Pool(this.#memory.memory, threading) : undefined
    this.constants = new ConstantTable(constantBase, constantBytes, (address, bits) => {
      this.memory.words[address >>> 2] = bits
    })
  }

  /** Throws `BackendError` 'disposed' once the heap is closed. */
  get memory(): Memory {
    if (!this.#memory) throw new BackendError('cpu', 'disposed', 'the backend was disposed')
    return this.#memory
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
  allocate(byteLength: number): CpuBuffer {
    const buffer = new CpuBuffer(this, byteLength, this.memory.allocate(byteLength))
    this.#bytes += byteLength
    this.#buffers++
    this.#note(0)
    return buffer
  }

  /** Idempotent. */
  release(buffer: CpuBuffer): void {
    if (!buffer.live) return
    buffer.live = false
    this.#bytes -= buffer.byteLength
    this.#buffers--
    this.memory.release(buffer.block)
  }

  /** The same memory under a new handle; the old one is dead. */
  take(buffer: CpuBuffer): CpuBuffer {
    buffer.live = false
    return new CpuBuffer(this, buffer.byteLength, buffer.block)
  }

  /** Checks that a buffer is ours and alive; `what` it is, or the number of the input. */
  own(buffer: DeviceBuffer, what: string | number): CpuBuffer {
    const name = (): string => (typeof what === 'string' ? what : `input ${what}`)
    if (!(buffer instanceof CpuBuffer) || buffer.heap !== this)
      throw new BackendError(
        'cpu',
        'wrong-backend',
        `${name()} lives on another device. Move it: read it there, upload it here.`,
      )
    if (!buffer.live) throw new BackendError('cpu', 'disposed', `${name()} was released or donated before`)
    return buffer
  }

  /** Programs that use the arena; the last one to leave frees it. */
  attach(program: { dispose(): void }): void {
    this.#programs.add(program)
  }

  detach(program: { dispose(): void }): void {
    this.#programs.delete(program)
    if (this.#programs.size > 0 || !this.#arena) return
    this.memory.release(this.#arena)
    this.#arena = undefined
  }

  /** Disposes all programs and lets go of the memory. */
  close(): void {
    if (!this.#memory) return
    for (const program of [...this.#programs]) program.dispose()
    this.pool?.close()
    this.#memory = undefined
  }

  /** Address of at least `bytes` bytes that are the caller's until its run ends: programs run one at a time. */
  arena(bytes: number): number {
    this.#note(bytes)
    if (this.#arena && this.#arena.size >= bytes) return this.#arena.address
    const old = this.#arena
    this.#arena = undefined
    if (old) this.memory.release(old)
    this.#arena = this.memory.allocate(bytes)
    return this.#arena.address
  }

  #note(extra: number): void {
    this.#peak = Math.max(this.#peak, this.#bytes + extra)
  }
}
