import type { Columns, Dataset } from './dataset.ts'
import { DatasetError } from './errors.ts'
import { checkSeed, randomStream } from './random.ts'

// The first number of every random path names its use, so that two uses of one seed never share bits.
const PERMUTATION = 1

/**
 * A permutation of 0 ... n-1 fixed by the seed and the epoch: the same on every machine and in every release
 * (it is part of the contract). Fisher and Yates from the last place down, each place exchanged with
 * one drawn by masked rejection from the Threefry stream (seed, 1, epoch).
 *
 * @throws DatasetError `bad-option` when n is not a whole number up to 2^32-1 or seed or epoch is not a whole number
 */
export function permutation(n: number, seed = 0, epoch = 0): Uint32Array {
  if (!Number.isSafeInteger(n) || n < 0 || n > 0xffffffff)
    throw new DatasetError('permutation', 'bad-option', `n must be a whole number from 0 to 2^32-1, not ${n}.`)
  if (!Number.isSafeInteger(epoch) || epoch < 0)
    throw new DatasetError('permutation', 'bad-option', `epoch must be a whole number from 0 on, not ${epoch}.`)
  const random = randomStream(checkSeed('permutation', seed), PERMUTATION, epoch)
  const out = new Uint32Array(n)
  for (let i = 0; i < n; i++) out[i] = i
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = out[i] as number
    out[i] = out[j] as number
    out[j] = kept
  }
  return out
}

/** A view of the data set in the order of {@link permutation}. */
export function shuffle<C extends Columns>(data: Dataset<C>, seed = 0): Dataset<C> {
  return data.subset(permutation(data.length, seed))
}
