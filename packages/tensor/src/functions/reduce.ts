import type { DType } from '@tessella/ir'
import type { ArithOf, ComputeOf, FloatOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/reduce.ts'
import type { AxesOf, KeepDims, Reduced, Spreading } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Axes, Shape } from '../types/index.ts'

/** The sum; bool and uint8 add up in int32. Without an axis, of all elements. */
export const sum = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'sum'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'sum'>, ArithOf<D>> =>
  fromNode(ops.sum(nodeIn('sum', x), ops.axesOf(axis), ops.keepdimOf('sum', options)))
/** The product. */
export const prod = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'prod'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'prod'>, ArithOf<D>> =>
  fromNode(ops.prod(nodeIn('prod', x), ops.axesOf(axis), ops.keepdimOf('prod', options)))
/** The mean; integers give float32. */
export const mean = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'mean'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'mean'>, FloatOf<D>> =>
  fromNode(ops.mean(nodeIn('mean', x), ops.axesOf(axis), ops.keepdimOf('mean', options)))
/** The largest element; NaN wins. */
export const max = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'max'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'max'>, ComputeOf<D>> =>
  fromNode(ops.amax(nodeIn('max', x), ops.axesOf(axis), ops.keepdimOf('max', options)))
/** The smallest element; NaN wins. */
export const min = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'min'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'min'>, ComputeOf<D>> =>
  fromNode(ops.amin(nodeIn('min', x), ops.axesOf(axis), ops.keepdimOf('min', options)))
/** Whether an element is not zero. */
export const any = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'any'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'any'>, 'bool'> =>
  fromNode(ops.anyAll('any', nodeIn('any', x), ops.axesOf(axis), ops.keepdimOf('any', options)))
/** Whether no element is zero. */
export const all = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'all'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'all'>, 'bool'> =>
  fromNode(ops.anyAll('all', nodeIn('all', x), ops.axesOf(axis), ops.keepdimOf('all', options)))
/** The number of elements that are not zero. */
export const countNonzero = <
  S extends Shape,
  D extends DType,
  const A extends Axes = undefined,
  K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'countNonzero'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'countNonzero'>, 'int32'> =>
  fromNode(ops.countNonzero(nodeIn('countNonzero', x), ops.axesOf(axis), ops.keepdimOf('countNonzero', options)))
/** sum((x - mean)^2) / (n - correction); correction 1, the unbiased estimate, unless given. */
export const variance = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'variance'>,
  options: Spreading<K> = {},
): Tensor<Reduced<S, A, K, 'variance'>, FloatOf<D>> =>
  fromNode(
    ops.variance(
      'variance',
      nodeIn('variance', x),
      ops.axesOf(axis),
      options.correction ?? 1,
      ops.keepdimOf('variance', options, 'correction'),
    ),
  )
/** The square root of the variance. */
export const std = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'std'>,
  options: Spreading<K> = {},
): Tensor<Reduced<S, A, K, 'std'>, FloatOf<D>> =>
  fromNode(
    ops.std(nodeIn('std', x), ops.axesOf(axis), options.correction ?? 1, ops.keepdimOf('std', options, 'correction')),
  )
/** (sum |x|^p)^(1/p); p is 2 unless given. */
export const norm = <S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'norm'>,
  options: KeepDims<K> & { readonly p?: number | undefined } = {},
): Tensor<Reduced<S, A, K, 'norm'>, FloatOf<D>> =>
  fromNode(ops.norm(nodeIn('norm', x), options.p ?? 2, ops.axesOf(axis), ops.keepdimOf('norm', options, 'p')))
/** log(sum(exp(x))) without overflow. */
export const logsumexp = <
  S extends Shape,
  D extends DType,
  const A extends Axes = undefined,
  K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: AxesOf<S, A, 'logsumexp'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'logsumexp'>, FloatOf<D>> =>
  fromNode(ops.logsumexp(nodeIn('logsumexp', x), ops.axesOf(axis), ops.keepdimOf('logsumexp', options)))
/** The int32 index of the first largest element along an axis, or in the flattened tensor without one. */
export const argmax = <S extends Shape, const A extends number | undefined = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: AxesOf<S, A, 'argmax'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'argmax'>, 'int32'> =>
  fromNode(ops.argExtreme('max', nodeIn('argmax', x), ops.axisOf(axis), ops.keepdimOf('argmax', options)))
/** The int32 index of the first smallest element along an axis, or in the flattened tensor without one. */
export const argmin = <S extends Shape, const A extends number | undefined = undefined, K extends boolean = false>(
  x: Tensor<S>,
  axis?: AxesOf<S, A, 'argmin'>,
  options: KeepDims<K> = {},
): Tensor<Reduced<S, A, K, 'argmin'>, 'int32'> =>
  fromNode(ops.argExtreme('min', nodeIn('argmin', x), ops.axisOf(axis), ops.keepdimOf('argmin', options)))
/** Running sum along an axis. */
export const cumsum = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis: number): Tensor<S, ArithOf<D>> =>
  fromNode(ops.cumulative('cumsum', 'sum', nodeIn('cumsum', x), axis))
/** Running product along an axis. */
export const cumprod = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis: number): Tensor<S, ArithOf<D>> =>
  fromNode(ops.cumulative('cumprod', 'prod', nodeIn('cumprod', x), axis))
/** Running maximum along an axis. */
export const cummax = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis: number): Tensor<S, ComputeOf<D>> =>
  fromNode(ops.cumulative('cummax', 'max', nodeIn('cummax', x), axis))
/** Running minimum along an axis. */
export const cummin = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis: number): Tensor<S, ComputeOf<D>> =>
  fromNode(ops.cumulative('cummin', 'min', nodeIn('cummin', x), axis))
