import type { Storage } from './storage.ts'

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
  readonly #weights = new WeakMap<Storage, ArrayBuffer>()
  #waiting = new WeakMap<Storage, number>()
  #bytes = 0

  add(storage: Storage, bytes: number): void {
    if (bytes < least) return
    if (this.#bytes >= mostWaiting) {
      this.#weights.set(storage, new ArrayBuffer(this.#bytes))
      this.#waiting = new WeakMap()
      this.#bytes = 0
    }
    this.#waiting.set(storage, bytes)
    this.#bytes += bytes
  }

  remove(storage: Storage): void {
    this.#weights.delete(storage)
    const bytes = this.#waiting.get(storage)
    if (bytes === undefined) return
    this.#waiting.delete(storage)
    this.#bytes -= bytes
  }
}
