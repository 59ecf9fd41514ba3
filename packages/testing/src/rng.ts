/** A small deterministic generator (mulberry32): the same seed gives the same cases everywhere. */
export class Rng {
  #state: number

  constructor(seed: number | string) {
    this.#state = typeof seed === 'number' ? seed : hash(seed)
  }

  /** A real in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A real in [low, high). */
  real(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** One of the choices. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T
  }
}

/** FNV-1a of a text, so that a case's data depends on its name alone. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}
