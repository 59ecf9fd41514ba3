import type { DeviceBuffer } from '@tessella/ir'

/** What the finalizer gets of a lease. */
interface Held {
  buffer: DeviceBuffer | undefined
}

/** Ties a buffer's life to that of its only holder: forgotten together, the buffer goes back to the backend. */
export interface Lease {
  readonly held: Held
}

/** Ended leases that are kept for the next buffers. */
const mostSpare = 1024

/**
 * The leases of a device. To register an object with the collector and to take it back costs half a microsecond, so a lease that is
 * ended by hand stays registered, with nothing in it, and serves again.
 */
export class Leases {
  readonly #finalizer: FinalizationRegistry<Held>
  readonly #spare: Lease[] = []

  /** `release` is called with the buffers of forgotten leases. */
  constructor(release: (buffer: DeviceBuffer) => void) {
    this.#finalizer = new FinalizationRegistry(({ buffer }) => {
      if (buffer !== undefined) release(buffer)
    })
  }

  begin(buffer: DeviceBuffer): Lease {
    const lease = this.#spare.pop() ?? this.#make()
    lease.held.buffer = buffer
    return lease
  }

  /** The buffer is the caller's again; the lease must not be used any more. */
  end(lease: Lease): void {
    lease.held.buffer = undefined
    if (this.#spare.length < mostSpare) this.#spare.push(lease)
  }

  #make(): Lease {
    const held: Held = { buffer: undefined }
    const lease = { held }
    this.#finalizer.register(lease, held)
    return lease
  }
}
