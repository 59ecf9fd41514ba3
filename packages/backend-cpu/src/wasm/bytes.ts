/** A byte buffer that grows, with the encodings of the WebAssembly binary format. */
export class Bytes {
  #data: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(capacity = 256) {
    this.#data = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  #grow(need: number): void {
    const grown = new Uint8Array(Math.max(need, this.#data.length * 2))
    grown.set(this.#data.subarray(0, this.#length))
    this.#data = grown
  }

  byte(value: number): void {
    if (this.#length === this.#data.length) this.#grow(this.#length + 1)
    this.#data[this.#length++] = value
  }

  raw(values: ArrayLike<number>): void {
    const end = this.#length + values.length
    if (end > this.#data.length) this.#grow(end)
    // Nearly always one to sixteen bytes: a loop beats the call of TypedArray.prototype.set.
    if (values.length > 16) this.#data.set(values, this.#length)
    else for (let i = 0; i < values.length; i++) this.#data[this.#length + i] = values[i] as number
    this.#length = end
  }

  append(other: Bytes): void {
    this.raw(other.view())
  }

  /** A byte and an unsigned number. */
  pair(byte: number, value: number): void {
    this.byte(byte)
    this.u32(value)
  }

  /** Unsigned LEB128 of a 32-bit value. */
  u32(value: number): void {
    let v = value >>> 0
    for (; v >= 0x80; v >>>= 7) this.byte((v & 0x7f) | 0x80)
    this.byte(v)
  }

  /** Signed LEB128 of a 32-bit value. */
  s32(value: number): void {
    let v = value | 0
    for (;;) {
      const low = v & 0x7f
      v >>= 7
      if ((v === 0 && (low & 0x40) === 0) || (v === -1 && (low & 0x40) !== 0)) {
        this.byte(low)
        return
      }
      this.byte(low | 0x80)
    }
  }

  /** Signed LEB128 of a 64-bit value. */
  s64(value: bigint): void {
    let v = BigInt.asIntN(64, value)
    for (;;) {
      const low = Number(v & 0x7fn)
      v >>= 7n
      if ((v === 0n && (low & 0x40) === 0) || (v === -1n && (low & 0x40) !== 0)) {
        this.byte(low)
        return
      }
      this.byte(low | 0x80)
    }
  }

  f32(value: number): void {
    this.raw(new Uint8Array(new Float32Array([value]).buffer))
  }

  f64(value: number): void {
    this.raw(new Uint8Array(new Float64Array([value]).buffer))
  }

  name(text: string): void {
    const utf8 = new TextEncoder().encode(text)
    this.u32(utf8.length)
    this.raw(utf8)
  }

  /** The bytes so far, without a copy; valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length)
  }
}
