import type { DType, Node } from '@tessella/ir'
import { IndexingMethods } from './methods/indexing.ts'
import type { Shape } from './types/index.ts'

/**
 * A lazy, immutable array of numbers. Operations only note what to compute; `await` of `data`, `item`, `array` or
 * `format` computes it. `S` holds the sizes (`number` where one is unknown), `D` the dtype.
 *
 * Make tensors with `tensor`, `zeros`, `arange` and the like.
 * @example
 * const x = tensor([[1, 2], [3, 4]]) // Tensor<[2, 2], 'float32'>
 * await x.matmul(x).sum(0).array() // [22, 32]
 */
export class Tensor<S extends Shape = Shape, D extends DType = DType> extends IndexingMethods<S, D> {
  protected override wrap<R extends Shape, E extends DType>(node: Node): Tensor<R, E> {
    return new Tensor<R, E>(node)
  }
}

/** The tensor of a graph node; the caller vouches for the types. */
export const fromNode = <S extends Shape = Shape, D extends DType = DType>(node: Node): Tensor<S, D> =>
  new Tensor<S, D>(node)

export { isTensor, nodeOf } from './handle.ts'
