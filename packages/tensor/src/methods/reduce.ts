import type { DType } from '@tessella/ir'
import type { ArithOf, ComputeOf, FloatOf } from '../dtypes.ts'
import { nodeOf } from '../handle.ts'
import * as ops from '../ops/reduce.ts'
import type { AxesOf, KeepDims, Reduced, Spreading } from '../signatures.ts'
import type { Tensor } from '../tensor.ts'
import type { Axes, Shape } from '../types/index.ts'
import { ElementwiseMethods } from './elementwise.ts'

/** Reductions: one axis, several, or all when none is given; negative axes count from the end. */
export abstract class ReduceMethods<S extends Shape, D extends DType> extends ElementwiseMethods<S, D> {
  /** The sum; bool and uint8 add up in int32. */
  sum<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'sum'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'sum'>, ArithOf<D>> {
    return this.wrap(ops.sum(nodeOf(this), ops.axesOf(axis), ops.keepdimOf('sum', options)))
  }
  /** The product. */
  prod<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'prod'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'prod'>, ArithOf<D>> {
    return this.wrap(ops.prod(nodeOf(this), ops.axesOf(axis), ops.keepdimOf('prod', options)))
  }
  /** The mean; integers give float32. */
  mean<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'mean'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'mean'>, FloatOf<D>> {
    return this.wrap(ops.mean(nodeOf(this), ops.axesOf(axis), ops.keepdimOf('mean', options)))
  }
  /** The largest element; NaN wins. The index is `argmax`. */
  max<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'max'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'max'>, ComputeOf<D>> {
    return this.wrap(ops.amax(nodeOf(this), ops.axesOf(axis), ops.keepdimOf('max', options)))
  }
  /** The smallest element; NaN wins. */
  min<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'min'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'min'>, ComputeOf<D>> {
    return this.wrap(ops.amin(nodeOf(this), ops.axesOf(axis), ops.keepdimOf('min', options)))
  }
  /** Whether an element is not zero. */
  any<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S>,
    axis?: AxesOf<S, A, 'any'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'any'>, 'bool'> {
    return this.wrap(ops.anyAll('any', nodeOf(this), ops.axesOf(axis), ops.keepdimOf('any', options)))
  }
  /** Whether no element is zero. */
  all<S extends Shape, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S>,
    axis?: AxesOf<S, A, 'all'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'all'>, 'bool'> {
    return this.wrap(ops.anyAll('all', nodeOf(this), ops.axesOf(axis), ops.keepdimOf('all', options)))
  }
  /** sum((x - mean)^2) / (n - correction); correction 1, the unbiased estimate, unless given. */
  var<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'var'>,
    options: Spreading<K> = {},
  ): Tensor<Reduced<S, A, K, 'var'>, FloatOf<D>> {
    return this.wrap(
      ops.variance(
        'var',
        nodeOf(this),
        ops.axesOf(axis),
        options.correction ?? 1,
        ops.keepdimOf('var', options, 'correction'),
      ),
    )
  }
  /** The square root of `var`. */
  std<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'std'>,
    options: Spreading<K> = {},
  ): Tensor<Reduced<S, A, K, 'std'>, FloatOf<D>> {
    return this.wrap(
      ops.std(nodeOf(this), ops.axesOf(axis), options.correction ?? 1, ops.keepdimOf('std', options, 'correction')),
    )
  }
  /** (sum |x|^p)^(1/p); p is 2 unless given, Infinity for the largest size. */
  norm<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'norm'>,
    options: KeepDims<K> & { readonly p?: number | undefined } = {},
  ): Tensor<Reduced<S, A, K, 'norm'>, FloatOf<D>> {
    return this.wrap(ops.norm(nodeOf(this), options.p ?? 2, ops.axesOf(axis), ops.keepdimOf('norm', options, 'p')))
  }
  /** log(sum(exp(x))) without overflow. */
  logsumexp<S extends Shape, D extends DType, const A extends Axes = undefined, K extends boolean = false>(
    this: Tensor<S, D>,
    axis?: AxesOf<S, A, 'logsumexp'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'logsumexp'>, FloatOf<D>> {
    return this.wrap(ops.logsumexp(nodeOf(this), ops.axesOf(axis), ops.keepdimOf('logsumexp', options)))
  }
  /** The int32 index of the first largest element along an axis, or in the flattened tensor without one. */
  argmax<S extends Shape, const A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S>,
    axis?: AxesOf<S, A, 'argmax'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'argmax'>, 'int32'> {
    return this.wrap(ops.argExtreme('max', nodeOf(this), ops.axisOf(axis), ops.keepdimOf('argmax', options)))
  }
  /** The int32 index of the first smallest element along an axis, or in the flattened tensor without one. */
  argmin<S extends Shape, const A extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<S>,
    axis?: AxesOf<S, A, 'argmin'>,
    options: KeepDims<K> = {},
  ): Tensor<Reduced<S, A, K, 'argmin'>, 'int32'> {
    return this.wrap(ops.argExtreme('min', nodeOf(this), ops.axisOf(axis), ops.keepdimOf('argmin', options)))
  }
  /** Running sum along an axis. */
  cumsum<S extends Shape, D extends DType>(this: Tensor<S, D>, axis: number): Tensor<S, ArithOf<D>> {
    return this.wrap(ops.cumulative('cumsum', 'sum', nodeOf(this), axis))
  }
  /** Running product along an axis. */
  cumprod<S extends Shape, D extends DType>(this: Tensor<S, D>, axis: number): Tensor<S, ArithOf<D>> {
    return this.wrap(ops.cumulative('cumprod', 'prod', nodeOf(this), axis))
  }
  /** Running maximum along an axis. */
  cummax<S extends Shape, D extends DType>(this: Tensor<S, D>, axis: number): Tensor<S, ComputeOf<D>> {
    return this.wrap(ops.cumulative('cummax', 'max', nodeOf(this), axis))
  }
  /** Running minimum along an axis. */
  cummin<S extends Shape, D extends DType>(this: Tensor<S, D>, axis: number): Tensor<S, ComputeOf<D>> {
    return this.wrap(ops.cumulative('cummin', 'min', nodeOf(this), axis))
  }
}
