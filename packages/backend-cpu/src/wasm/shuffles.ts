import type { FunctionBuilder, Local } from './functionBuilder.ts'

/** The bytes of whole 32-bit lanes, for a shuffle: 0 to 3 are lanes of its first vector, 4 to 7 of its second. */
export const lanesOf = (...lanes: number[]): readonly number[] =>
  lanes.flatMap((l) => [0, 1, 2, 3].map((byte) => 4 * l + byte))

// Of two vectors a and b:
/** a0 b0 a1 b1. */
export const lowPairs = lanesOf(0, 4, 1, 5)
/** a2 b2 a3 b3. */
export const highPairs = lanesOf(2, 6, 3, 7)
/** a0 a1 b0 b1. */
export const lowHalves = lanesOf(0, 1, 4, 5)
/** a2 a3 b2 b3. */
export const highHalves = lanesOf(2, 3, 6, 7)
/** a0 a2 b0 b2. */
export const evens = lanesOf(0, 2, 4, 6)
/** a1 a3 b1 b3. */
export const odds = lanesOf(1, 3, 5, 7)

// Of one vector, given twice:
export const swapHalves = lanesOf(2, 3, 0, 1)
export const swapNeighbours = lanesOf(1, 0, 3, 2)
export const upperHalf = lanesOf(2, 3, 2, 3)

/** out = a and b, shuffled. */
export function mix(f: FunctionBuilder, a: Local, b: Local, pattern: readonly number[], out: Local): void {
  f.push(a, b)
  f.shuffle(pattern)
  f.set(out)
}
