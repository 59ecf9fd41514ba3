import type { Value } from '../wasm/dataflow.ts'
import type { Lanes } from './lanes.ts'

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const

/**
 * Word 0 of Threefry-2x32 with 20 rounds, key (k0, k1), counter (c0, 0). Salmon, Moraes, Dror and Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */
export function threefry(l: Lanes, k0: Value, k1: Value, c0: Value): Value {
  const keys = [k0, k1, l.xor(l.xor(k0, k1), l.bits(0x1bd11bda))] as const
  let a = l.iadd(c0, keys[0])
  let b: Value = keys[1]
  for (let round = 0; round < 20; round++) {
    a = l.iadd(a, b)
    const by = rotations[round % 8] as number
    b = l.xor(l.or(l.shl(b, by), l.shrU(b, 32 - by)), a)
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      a = l.iadd(a, keys[injection % 3] as Value)
      b = l.iadd(l.iadd(b, keys[(injection + 1) % 3] as Value), l.bits(injection))
    }
  }
  return a
}
