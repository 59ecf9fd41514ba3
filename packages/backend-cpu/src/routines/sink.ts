import type { Dims } from '@tessella/ir'
import type { FunctionBuilder, Local, ValueType } from '../wasm/assembler.ts'

/** A vector of results: lane `first` and the `lanes - 1` after it count, and stand at `shifts` from the running point. */
export interface Piece {
  readonly result: Local
  /** One per domain dimension, for lane 0 of the vector. */
  readonly shifts: Dims
  readonly first: number
  readonly lanes: number
  /** How many lanes before that it stands in truth, behind an address of its own: vectors may overlap only there. */
  readonly early?: number
}

/** Where tiles put their results. It keeps running addresses in parameters of the function that computes them. */
export interface Sink {
  /** Types of the running addresses. */
  readonly params: readonly ValueType[]
  /** Moves the running addresses by `amount` along a dimension. */
  advance(f: FunctionBuilder, bases: readonly Local[], dimension: number, amount: number): void
  /**
   * Whether results that are neighbours along a dimension are handled by plain vector operations at neighbouring
   * addresses, so that an engine may merge pairs of them.
   */
  mergeable(laneDimension: number): boolean
  /** Consumes some vectors of results. */
  emit(f: FunctionBuilder, bases: readonly Local[], laneDimension: number, pieces: readonly Piece[]): void
}
