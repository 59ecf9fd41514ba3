/** Which of the things numbered in order of making may be broken, when failures are heard of only later. */
export class Doubt {
  readonly #broken: (readonly [first: number, last: number])[] = []
  /** All up to here have been heard of. */
  #known = 0

  /** Everything up to `last` is as it will be: no failure of theirs is still to come. */
  settle(last: number): void {
    this.#known = Math.max(this.#known, last)
  }

  /** A failure came: it may be any not yet settled, up to `last`. */
  fail(last: number): void {
    if (last > this.#known) this.#broken.push([this.#known + 1, last])
    this.settle(last)
  }

  about(n: number): boolean {
    return this.#broken.some(([first, last]) => n >= first && n <= last)
  }
}
