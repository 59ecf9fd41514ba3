import { DatasetError } from './errors.ts'

const rotations: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24]
const PARITY = 0x1bd11bda

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/**
 * Threefry-2x32 with 20 rounds: 64 bits from a key and a counter, by additions, rotations and xors only,
 * so every machine computes the same bits. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011).
 */
export function threefry(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const k0 = key[0] | 0
  const k1 = key[1] | 0
  const schedule = [k0, k1, k0 ^ k1 ^ PARITY]
  let a = (counter[0] + k0) | 0
  let b = (counter[1] + k1) | 0
  for (let round = 0; round < 20; round++) {
    a = (a + b) | 0
    b = rotate(b, rotations[round % 8] as number) ^ a
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      a = (a + (schedule[injection % 3] as number)) | 0
      b = (b + (schedule[(injection + 1) % 3] as number) + injection) | 0
    }
  }
  return [a >>> 0, b >>> 0]
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

/**
 * The stream of (seed, path): the seed's low and high words are the key, each path number is folded in by one
 * application of {@link threefry}, and the draws are threefry(key, (i, i >> 32)) for i = 0, 1, ...
 */
export function randomStream(seed: number, ...path: readonly number[]): RandomStream {
  let key: readonly [number, number] = [seed | 0, Math.floor(seed / 2 ** 32) | 0]
  for (const step of path) key = threefry(key, [step | 0, Math.floor(step / 2 ** 32) | 0])
  let block = 0
  let spare: number | undefined

  const uint32 = (): number => {
    if (spare !== undefined) {
      const word = spare
      spare = undefined
      return word
    }
    const pair = threefry(key, [block | 0, Math.floor(block / 2 ** 32)])
    block++
    spare = pair[1]
    return pair[0]
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
