import {
  type Backend,
  BackendError,
  type DeviceBuffer,
  type Executable,
  type Graph,
  irVersion,
  type MemoryReport,
} from '@tessella/ir'
import { Ballast } from './ballast.ts'
import { type Lease, Leases } from './lease.ts'
import type { Storage } from './storage.ts'
import type { Cell } from './trace.ts'

/** Executables kept for graphs that are settled again and again without `compile`. */
const cacheLimit = 256
/** Forgotten buffers may pile up to this before a read lets the collector's finalizers run. */
const yieldBytes = 32 * 2 ** 20
/** What a small buffer counts for: its bookkeeping, on the host and on the device, weighs more than its elements. */
const smallestWeight = 1024

/** The shortest wait that lets finalizers run: they are tasks, not microtasks. */
const macrotask = (): Promise<void> =>
  new Promise((resolve) => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => {
      channel.port1.close()
      resolve()
    }
    channel.port2.postMessage(0)
  })

const isBackend = (x: unknown): boolean => typeof x === 'object' && x !== null && 'irVersion' in x && 'prepare' in x

function checkBackend(backend: unknown): void {
  if (isBackend(backend)) return
  const called = typeof backend === 'function'
  const got = backend === null ? 'null' : called ? 'a function' : Array.isArray(backend) ? 'an array' : typeof backend
  throw new BackendError(
    'useBackend',
    'bad-option',
    `expected a backend, got ${got}${called ? `: call ${backend.name || 'it'}()` : ''}. Write \`await useBackend(cpu())\`.`,
  )
}

/** A backend in use: its prepared programs and the buffers that tensors hold. */
export class Device {
  readonly backend: Backend
  /** Variables with an assignment that nothing has computed yet; settled together with the next read. */
  readonly pending = new Set<Cell>()
  readonly #cache = new Map<string, Executable>()
  readonly #leases: Leases
  readonly #ballast = new Ballast()
  #heldSinceYield = 0
  #disposed = false

  constructor(backend: Backend) {
    checkBackend(backend)
    if (backend.irVersion !== irVersion)
      throw new BackendError(
        backend.name,
        'version',
        `speaks version ${backend.irVersion} of the language, this copy of tensor speaks ${irVersion}. ` +
          'Install the same version of @tessella/ir, tensor, compiler and backends.',
      )
    this.backend = backend
    this.#leases = new Leases((buffer) => {
      if (!this.#disposed) backend.release(buffer)
    })
  }

  /** The program for a graph whose structural key is `key`. */
  executable(key: string, graph: () => Graph): Executable {
    let found = this.#cache.get(key)
    if (found === undefined) {
      found = this.backend.prepare(graph())
      if (this.#cache.size >= cacheLimit) this.#evict()
    } else this.#cache.delete(key)
    this.#cache.set(key, found)
    return found
  }

  #evict(): void {
    const oldest = this.#cache.entries().next().value
    if (oldest === undefined) return
    this.#cache.delete(oldest[0])
    oldest[1].dispose()
  }

  /** Ties a buffer's life to a storage's, which holds the lease. */
  hold(buffer: DeviceBuffer): Lease {
    this.#heldSinceYield += Math.max(buffer.byteLength, smallestWeight)
    return this.#leases.begin(buffer)
  }

  /** Lets the collector know what a buffer that only it can free weighs. */
  weigh(storage: Storage, bytes: number): void {
    this.#ballast.add(storage, bytes)
  }

  forget(storage: Storage, lease: Lease): void {
    this.#leases.end(lease)
    this.#ballast.remove(storage)
  }

  release(storage: Storage, lease: Lease): void {
    const { buffer } = lease.held
    this.forget(storage, lease)
    if (!this.#disposed && buffer !== undefined) this.backend.release(buffer)
  }

  /** Called on every read: now and then gives finalizers a turn. */
  async breathe(): Promise<void> {
    if (this.#heldSinceYield < yieldBytes) return
    this.#heldSinceYield = 0
    await macrotask()
  }

  /** For loops without reads: room in the backend's queue first, then what a read does. */
  async pace(): Promise<void> {
    await this.backend.pace?.()
    await this.breathe()
  }

  memory(): MemoryReport {
    return this.backend.memory()
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const e of this.#cache.values()) e.dispose()
    this.#cache.clear()
    this.backend.dispose()
  }
}
