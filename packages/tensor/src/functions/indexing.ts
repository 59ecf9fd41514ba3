import type { DType } from '@tessella/ir'
import type { ArithOf, Promote } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/indexing.ts'
import type { PartOf } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Fits, Ok, Shape, Take } from '../types/index.ts'

/**
 * torch.gather: out[i] = x[i with `axis` replaced by index[i]]. The index has x's rank and its shape is the result's.
 * An index outside gives NaN, 0 for integers.
 */
export const gather = <D extends DType, I extends Shape>(
  x: Tensor<Shape, D>,
  axis: number,
  index: Tensor<I>,
): Tensor<I, D> => fromNode(ops.gather(nodeIn('gather', x), axis, nodeIn('gather', index)))

/**
 * Slices of x along an axis (rows unless given), picked by an index tensor of any shape, which takes the axis' place:
 * an embedding lookup. An index outside gives NaN, 0 for integers.
 * @example take(ones([5000, 64]), zeros([32, 10], 'int32')) // Tensor<[32, 10, 64], 'float32'>
 */
export const take = <S extends Shape, D extends DType, I extends Shape, const A extends number = 0>(
  x: Tensor<S, D>,
  index: Tensor<I>,
  axis?: Fits<Take<S, I, A>, A>,
): Tensor<Ok<Take<S, I, A>>, D> =>
  fromNode(ops.take('take', nodeIn('take', x), nodeIn('take', index), (axis ?? 0) as number))

/** Slices of x along an axis, picked by a vector of indices. */
export const indexSelect = <S extends Shape, D extends DType, const A extends number, N extends number>(
  x: Tensor<S, D>,
  axis: A,
  index: Tensor<[N]>,
): Tensor<PartOf<S, A, N>, D> => fromNode(ops.indexSelect(nodeIn('indexSelect', x), axis, nodeIn('indexSelect', index)))

/** torch.scatter_add: x plus, for each i, source[i] at i with `axis` replaced by index[i]. Indices outside are dropped. */
export const scatterAdd = <S extends Shape, D extends DType, E extends DType>(
  x: Tensor<S, D>,
  axis: number,
  index: Tensor,
  source: Tensor<Shape, E>,
): Tensor<S, ArithOf<Promote<D, E>>> =>
  fromNode(ops.scatterAdd(nodeIn('scatterAdd', x), axis, nodeIn('scatterAdd', index), nodeIn('scatterAdd', source)))

/** x plus slices of source at the places along an axis that a vector of indices names. */
export const indexAdd = <S extends Shape, D extends DType, E extends DType>(
  x: Tensor<S, D>,
  axis: number,
  index: Tensor,
  source: Tensor<Shape, E>,
): Tensor<S, ArithOf<Promote<D, E>>> =>
  fromNode(ops.indexAdd(nodeIn('indexAdd', x), axis, nodeIn('indexAdd', index), nodeIn('indexAdd', source)))

/** Ordered values and the int32 indices they came from. */
export interface Ordered<S extends Shape, D extends DType> {
  readonly values: Tensor<S, D>
  readonly indices: Tensor<S, 'int32'>
}
/** Largest first instead of smallest first. */
export interface SortOptions {
  readonly descending?: boolean | undefined
}

/** The order along an axis, the last unless given, as int32 indices; stable, NaN counts as the largest. */
export const argsort = <S extends Shape>(x: Tensor<S>, axis = -1, options: SortOptions = {}): Tensor<S, 'int32'> =>
  fromNode(ops.argsort('argsort', nodeIn('argsort', x), axis, ops.descendingOf('argsort', options)))

/** Elements in order along an axis, the last unless given; stable, NaN counts as the largest. */
export const sort = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axis = -1,
  options: SortOptions = {},
): Ordered<S, D> => {
  const { values, indices } = ops.sort(nodeIn('sort', x), axis, ops.descendingOf('sort', options))
  return { values: fromNode(values), indices: fromNode(indices) }
}

/** The k largest elements along an axis (the last unless given) in order, or the smallest with `largest: false`. */
export const topk = <S extends Shape, D extends DType, const K extends number, const A extends number = -1>(
  x: Tensor<S, D>,
  k: K,
  axis?: A,
  options: { readonly largest?: boolean | undefined } = {},
): Ordered<PartOf<S, A, K>, D> => {
  const { values, indices } = ops.topk(nodeIn('topk', x), k, axis ?? -1, ops.largestOf(options))
  return { values: fromNode(values), indices: fromNode(indices) }
}
