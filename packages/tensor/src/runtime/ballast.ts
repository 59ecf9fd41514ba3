import type { Storage } from './storage.ts'

/** What a storage weighs: nothing of its own while its bytes wait, and for all that waited with it once it got the buffer. */
export interface Weight {
  readonly bytes: number
  /** Which share of weight its bytes wait for. */
  readonly share: number
  buffer: ArrayBuffer | undefined
}

/** Bytes that may wait without weight: what a loop frees by itself before that never costs anything. */
const mostWaiting = 4 * 2 ** 20
/** Smaller results do not count: their objects weigh as much. */
const least = 1024

/**
 * The collector does not see device memory. What only it can free weighs as much on the JavaScript heap's books (untouched
 * pages, so no memory), and the collector comes when it should. Weight is an ArrayBuffer, which is slow to make, so some
 * megabytes of results share one, which hangs on the newest of them.
 */
export class Ballast {
  #share = 0
  #bytes = 0

  add(storage: Storage, bytes: number): void {
    if (bytes < least) return
    let buffer: ArrayBuffer | undefined
    if (this.#bytes >= mostWaiting) {
      buffer = new ArrayBuffer(this.#bytes)
      this.#share++
      this.#bytes = 0
    }
    storage.weight = { bytes, share: this.#share, buffer }
    this.#bytes += bytes
  }

  remove(storage: Storage): void {
    const { weight } = storage
    if (!weight) return
    storage.weight = undefined
    if (weight.share === this.#share) this.#bytes -= weight.bytes
  }
}
