import type { DType } from '@tessella/ir'
import type { ArithOf, FloatOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import { axesOf, axisOf, keepdimOf } from '../ops/reduce.ts'
import * as ops from '../ops/statistics.ts'
import type { AxesOf, KeepDims, Reduced } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Axes, Shape } from '../types/index.ts'

/** The sum of the elements that are not NaN. */
export const nansum = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'nansum'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'nansum'>, ArithOf<D>> =>
  fromNode(ops.nansum(nodeIn('nansum', x), axesOf(axis), keepdimOf('nansum', options)))

/** The mean of the elements that are not NaN; NaN where all are. */
export const nanmean = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'nanmean'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'nanmean'>, FloatOf<D>> =>
  fromNode(ops.nanmean(nodeIn('nanmean', x), axesOf(axis), keepdimOf('nanmean', options)))

/** The k-th smallest element along an axis (the last unless given), k from 1, and its int32 index; NaN is the largest. */
export const kthvalue = <S extends Shape, D extends DType, const A extends number = -1, K extends boolean = false>(
  x: Tensor<S, D>,
  k: number,
  axis?: AxesOf<S, A, 'kthvalue'>,
  options: KeepDims<K> = {},
): {
  readonly values: Tensor<Reduced<S, A, K, 'kthvalue'>, D>
  readonly indices: Tensor<Reduced<S, A, K, 'kthvalue'>, 'int32'>
} => {
  const keepdim = keepdimOf('kthvalue', options)
  const { values, indices } = ops.kthvalue(nodeIn('kthvalue', x), k, axisOf(axis) ?? -1, keepdim)
  return { values: fromNode(values), indices: fromNode(indices) }
}

/**
 * The number below which the share `q` (0 to 1) of the elements lies, linear between neighbours, along an axis or of all
 * elements; NaN where there is one. `quantile(x, 0.5)` is the usual median.
 * @example quantile(tensor([1, 2, 3, 4]), 0.5) // 2.5
 */
export const quantile = <
  S extends Shape,
  D extends DType,
  const A extends number | undefined = undefined,
  K extends boolean = false,
>(
  x: Tensor<S, D>,
  q: number,
  axis?: AxesOf<S, A, 'quantile'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'quantile'>, FloatOf<D>> =>
  fromNode(ops.quantile('quantile', nodeIn('quantile', x), q, axisOf(axis), keepdimOf('quantile', options)))

/**
 * The middle element in order along an axis, or of all elements; of two the lower, as torch.median (`quantile(x, 0.5)` is
 * their mean); NaN where there is one.
 * @example median(tensor([4, 1, 3, 2])) // 2
 */
export const median = <
  S extends Shape,
  D extends DType,
  const A extends number | undefined = undefined,
  K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'median'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'median'>, D> =>
  fromNode(ops.median(nodeIn('median', x), axisOf(axis), keepdimOf('median', options)))
