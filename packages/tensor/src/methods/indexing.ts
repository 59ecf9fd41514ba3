import type { DType } from '@tessella/ir'
import type { ArithOf, Promote } from '../dtypes.ts'
import { nodeOf } from '../handle.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/indexing.ts'
import type { PartOf } from '../signatures.ts'
import type { Tensor } from '../tensor.ts'
import type { Fits, Ok, Shape, Take } from '../types/index.ts'
import { LinearMethods } from './linear.ts'

/** Picking and ordering elements; what an index names outside is NaN, 0 for integers. */
export abstract class IndexingMethods<S extends Shape, D extends DType> extends LinearMethods<S, D> {
  /** torch.gather: out[i] = x[i with `axis` replaced by index[i]]. */
  gather<D extends DType, I extends Shape>(this: Tensor<Shape, D>, axis: number, index: Tensor<I>): Tensor<I, D> {
    return this.wrap(ops.gather(nodeOf(this), axis, nodeIn('gather', index)))
  }
  /** Slices along an axis (rows unless given), picked by an index tensor of any shape, which takes the axis' place. */
  take<S extends Shape, D extends DType, I extends Shape, const A extends number = 0>(
    this: Tensor<S, D>,
    index: Tensor<I>,
    axis?: Fits<Take<S, I, A>, A>,
  ): Tensor<Ok<Take<S, I, A>>, D> {
    return this.wrap(ops.take('take', nodeOf(this), nodeIn('take', index), (axis ?? 0) as number))
  }
  /** torch.scatter_add: this plus, for each i, source[i] at i with `axis` replaced by index[i]. */
  scatterAdd<S extends Shape, D extends DType, E extends DType>(
    this: Tensor<S, D>,
    axis: number,
    index: Tensor,
    source: Tensor<Shape, E>,
  ): Tensor<S, ArithOf<Promote<D, E>>> {
    return this.wrap(ops.scatterAdd(nodeOf(this), axis, nodeIn('scatterAdd', index), nodeIn('scatterAdd', source)))
  }
  /** The order along an axis, the last unless given, as int32 indices; stable, NaN counts as the largest. */
  argsort<S extends Shape>(
    this: Tensor<S>,
    axis = -1,
    options: { readonly descending?: boolean | undefined } = {},
  ): Tensor<S, 'int32'> {
    return this.wrap(ops.argsort('argsort', nodeOf(this), axis, ops.descendingOf('argsort', options)))
  }
  /** Elements in order along an axis, the last unless given, and the indices they came from. */
  sort<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    axis = -1,
    options: { readonly descending?: boolean | undefined } = {},
  ): { readonly values: Tensor<S, D>; readonly indices: Tensor<S, 'int32'> } {
    const { values, indices } = ops.sort(nodeOf(this), axis, ops.descendingOf('sort', options))
    return { values: this.wrap(values), indices: this.wrap(indices) }
  }
  /** The k largest elements along an axis (the last unless given) in order, or the smallest with `largest: false`. */
  topk<S extends Shape, D extends DType, const K extends number, const A extends number = -1>(
    this: Tensor<S, D>,
    k: K,
    axis?: A,
    options: { readonly largest?: boolean | undefined } = {},
  ): { readonly values: Tensor<PartOf<S, A, K>, D>; readonly indices: Tensor<PartOf<S, A, K>, 'int32'> } {
    const { values, indices } = ops.topk(nodeOf(this), k, axis ?? -1, ops.largestOf(options))
    return { values: this.wrap(values), indices: this.wrap(indices) }
  }
}
