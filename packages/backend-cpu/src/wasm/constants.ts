/** Bytes of memory set aside for constants. */
export const constantBytes = 60 * 1024

/**
 * 32-bit constants at fixed addresses of a backend's memory, each stored once. Loops read them with
 * `v128.load32_splat`, because V8 rebuilds a `v128.const` at every execution. The word at address 0 must stay 0.
 */
export class ConstantTable {
  readonly #slots = new Map<string, number>()
  #used = 0
  readonly #base: number
  readonly #capacity: number
  readonly #write: (address: number, bits: number) => void

  /** `write` stores one 32-bit word at a byte address. */
  constructor(base: number, bytes: number, write: (address: number, bits: number) => void) {
    this.#base = base
    this.#capacity = bytes >>> 2
    this.#write = write
  }

  /** Byte address of one or two consecutive words with these bits, or undefined when the table is full. */
  address(...words: readonly number[]): number | undefined {
    const key = words.map((w) => w >>> 0).join()
    const known = this.#slots.get(key)
    if (known !== undefined) return known
    // Pairs lie at multiples of 8.
    const start = words.length > 1 ? (this.#used + 1) & ~1 : this.#used
    if (start + words.length > this.#capacity) return undefined
    this.#used = start + words.length
    const address = this.#base + 4 * start
    for (const [i, w] of words.entries()) this.#write(address + 4 * i, w >>> 0)
    this.#slots.set(key, address)
    return address
  }
}

const word = new DataView(new ArrayBuffer(4))

/** The bits of a number rounded to float32. */
export function floatBits(value: number): number {
  word.setFloat32(0, value)
  return word.getUint32(0)
}
