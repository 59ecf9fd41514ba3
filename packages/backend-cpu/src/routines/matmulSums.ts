import type { Dims } from '@tessella/ir'
import type { FunctionBuilder, Local, ValueType } from '../wasm/assembler.ts'
import type { Piece, Sink } from './sink.ts'
import { loadVector, storeVector } from './tile.ts'

/**
 * What becomes of the results of a piece of K: sums in memory, whose running address comes first. Vectors that overlap
 * the one before them (see `Piece.early`) have a place of their own there, so that nothing is added twice.
 */
export class SumsOfPieces implements Sink {
  readonly params: readonly ValueType[]
  /** Bytes of the sums per step of each dimension of the domain. */
  readonly #steps: Dims
  /** Whether there are sums of pieces before this one. */
  readonly #add: boolean
  /** Where the sums go after the last piece. */
  readonly #end: Sink | undefined

  constructor(steps: Dims, add: boolean, end?: Sink) {
    this.#steps = steps
    this.#add = add
    this.#end = end
    this.params = ['i32', ...(end?.params ?? [])]
  }

  advance(f: FunctionBuilder, [sums, ...rest]: readonly Local[], dimension: number, amount: number): void {
    f.bump(sums as Local, amount * (this.#steps[dimension] as number))
    this.#end?.advance(f, rest, dimension, amount)
  }

  mergeable(laneDimension: number): boolean {
    return this.#end?.mergeable(laneDimension) ?? true
  }

  emit(f: FunctionBuilder, [sums, ...rest]: readonly Local[], laneDimension: number, pieces: readonly Piece[]): void {
    const offset = ({ shifts }: Piece): number => shifts.reduce((sum, s, d) => sum + s * (this.#steps[d] as number), 0)
    for (const piece of this.#add ? pieces : []) {
      loadVector(f, sums as Local, offset(piece), 4)
      f.push(piece.result, 'f32x4.add')
      f.set(piece.result)
    }
    if (this.#end) this.#end.emit(f, rest, laneDimension, pieces)
    else for (const piece of pieces) storeVector(f, sums as Local, offset(piece), 4, piece.result)
  }
}
