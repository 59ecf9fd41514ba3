/** Bytes of memory set aside for constants. */
export const constantBytes = 126 * 1024

const entryBytes = 16

/**
 * 128-bit constants at fixed addresses of a backend's memory, each stored once. Loops load them, because V8 rebuilds a
 * `v128.const` at every execution, and computes the address of a `load32_splat` in an instruction of its own.
 */
export class ConstantTable {
  readonly #addresses = new Map<string | number, number>()
  readonly #base: number
  readonly #capacity: number
  readonly #write: (address: number, bits: number) => void

  /** `base` is a multiple of 16; `write` stores one 32-bit word at a byte address. */
  constructor(base: number, bytes: number, write: (address: number, bits: number) => void) {
    this.#base = base
    this.#capacity = Math.floor(bytes / entryBytes)
    this.#write = write
  }

  /** Byte address of a vector of these words, repeated to four, or undefined when the table is full. */
  address(words: readonly number[]): number | undefined {
    const key = words.length === 1 ? (words[0] as number) >>> 0 : words.map((w) => w >>> 0).join()
    const known = this.#addresses.get(key)
    if (known !== undefined) return known
    if (this.#addresses.size >= this.#capacity) return undefined
    const address = this.#base + entryBytes * this.#addresses.size
    for (let i = 0; i < 4; i++) this.#write(address + 4 * i, (words[i % words.length] as number) >>> 0)
    this.#addresses.set(key, address)
    return address
  }
}

const word = new DataView(new ArrayBuffer(4))

/** The bits of a number rounded to float32. */
export function floatBits(value: number): number {
  word.setFloat32(0, value)
  return word.getUint32(0)
}
