import { DatasetError } from './errors.ts'

const PARITY = 0x1bd11bda

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/**
 * Threefry-2x32 with 20 rounds: 64 bits from a 64-bit key and counter, by additions, rotations and xors only, so every
 * machine computes the same bits. Fills `out` with the words of as many consecutive counters from (low, high) on.
 * Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011).
 */
export function threefry(out: Uint32Array, key: readonly [number, number], low: number, high: number): Uint32Array {
  const k0 = key[0] | 0
  const k1 = key[1] | 0
  const k2 = k0 ^ k1 ^ PARITY
  for (let i = 0; i + 1 < out.length; i += 2) {
    const count = (low >>> 0) + i / 2
    let a = (count + k0) | 0
    let b = (high + Math.floor(count / 2 ** 32) + k1) | 0
    for (let round = 0; round < 5; round++) {
      const even = round % 2 === 0
      a = (a + b) | 0
      b = rotate(b, even ? 13 : 17) ^ a
      a = (a + b) | 0
      b = rotate(b, even ? 15 : 29) ^ a
      a = (a + b) | 0
      b = rotate(b, even ? 26 : 16) ^ a
      a = (a + b) | 0
      b = rotate(b, even ? 6 : 24) ^ a
      const turn = round % 3
      a = (a + (turn === 0 ? k1 : turn === 1 ? k2 : k0)) | 0
      b = (b + (turn === 0 ? k2 : turn === 1 ? k0 : k1) + round + 1) | 0
    }
    out[i] = a
    out[i + 1] = b
  }
  return out
}

/** A stream of random numbers fixed by its seed and path. */
export interface RandomStream {
  /** 32 random bits as a number in [0, 2^32). */
  uint32(): number
  /** A whole number in [0, n), every one equally likely; n at most 2^32. */
  below(n: number): number
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number
  /** A standard normal number (Box and Muller); its last bits may differ between engines. */
  normal(): number
}

/** A seed is a whole number that a double holds exactly. @throws DatasetError `bad-option` */
export function checkSeed(op: string, seed: number): number {
  if (Number.isSafeInteger(seed)) return seed
  throw new DatasetError(op, 'bad-option', `seed must be a whole number, not ${seed}. Pass an integer such as 1.`)
}

// Few enough that short streams waste little, many enough to pay the call.
const BUFFER = 64

/**
 * The stream of (seed, path): the seed's low and high 32 bits are the key, each number of the path replaces the key by
 * threefry(key, number), and the draws are the words of threefry(key, i) for i = 0, 1, ...
 */
export function randomStream(seed: number, ...path: readonly number[]): RandomStream {
  let key: readonly [number, number] = [seed | 0, Math.floor(seed / 2 ** 32) | 0]
  for (const step of path) {
    const [low = 0, high = 0] = threefry(new Uint32Array(2), key, step | 0, Math.floor(step / 2 ** 32) | 0)
    key = [low, high]
  }
  const buffer = new Uint32Array(BUFFER)
  let at = BUFFER
  let block = 0

  const uint32 = (): number => {
    if (at === BUFFER) {
      threefry(buffer, key, block | 0, Math.floor(block / 2 ** 32))
      block += BUFFER / 2
      at = 0
    }
    return buffer[at++] as number
  }
  const below = (n: number): number => {
    // Masked rejection: unbiased, and exact in 32-bit integers.
    const mask = n <= 1 ? 0 : 0xffffffff >>> Math.clz32(n - 1)
    for (;;) {
      const draw = (uint32() & mask) >>> 0
      if (draw < n) return draw
    }
  }
  const uniform = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uint32, below, uniform, normal }
}
