import { build, type Dims, type DType, type Node, OpError, sameShape } from '@tessella/ir'
import { checkShape } from '../ops/create.ts'

/*
 * All randomness is Threefry-2x32 of a key and a counter (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"), made of integer operations: the same bits on every backend.
 */

export function checkKey(op: string, key: Node): Node {
  if (key.dtype !== 'uint32' || !sameShape(key.shape, [2]))
    throw new OpError(op, `a key is uint32 [2], got ${key.dtype}`, {
      shapes: [key.shape],
      hint: 'Make one with key(seed) or generator.next().',
    })
  return key
}

/** 32 random bits for each element. */
export function bits(op: string, key: Node, shape: Dims): Node {
  checkShape(op, shape)
  return build.randomBits(checkKey(op, key), shape)
}

const uint = (value: number): Node => build.constant(value, 'uint32')
const shiftRight = (x: Node, by: number): Node => build.binary('shr', x, uint(by))

/** The two words of a key turned into another key by a tag, so that derived keys never meet the bits of samples. */
export function tagged(key: Node, tag: number, data: Node): Node {
  const mask = build.concat([build.reshape(uint(tag), [1]), build.reshape(data, [1])], 0)
  return build.binary('xor', key, mask)
}

/** 24 bits for each element, as whole numbers below 2^24, which float32 holds exactly. */
export const fraction24 = (op: string, key: Node, shape: Dims): Node => shiftRight(bits(op, key, shape), 8)

/** Numbers in [0, 1): 24 bits for float32, 53 for float64. */
export function unit(op: string, key: Node, shape: Dims, dtype: DType): Node {
  if (dtype !== 'float64') return build.scale(build.cast(fraction24(op, key, shape), 'float32'), 2 ** -24)
  const words = bits(op, key, [2, ...shape])
  const word = (i: number) => build.reshape(build.narrow(words, 0, i, 1), shape)
  const high = build.cast(shiftRight(word(0), 5), 'float64')
  const low = build.cast(shiftRight(word(1), 6), 'float64')
  return build.scale(build.add(build.scale(high, 2 ** 26), low), 2 ** -53)
}

/** Numbers strictly between 0 and 1, for logarithms on both sides. */
export function openUnit(op: string, key: Node, shape: Dims, dtype: DType): Node {
  if (dtype === 'float64') return build.shift(unit(op, key, shape, dtype), 2 ** -54)
  return build.scale(build.shift(build.cast(shiftRight(bits(op, key, shape), 9), 'float32'), 0.5), 2 ** -23)
}
