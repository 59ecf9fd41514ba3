import type { DType } from '@tessella/ir'
import type { FloatOf, Promote } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as pool from '../ops/pool.ts'
import * as ops from '../ops/window.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Conv, ConvOptions, Fits, Mul, Ok, PerDim, Pool, Shape } from '../types/index.ts'

export type { AvgPoolOptions } from '../ops/pool.ts'
export type { ConvTransposeOptions } from '../ops/window.ts'

/** No options at all: every setting has its default. */
type None = Record<never, never>

/** A bias of one number for each output channel. */
interface Biased {
  readonly bias?: Tensor | undefined
}
const biasOf = (op: string, options: Biased) => (options.bias === undefined ? undefined : nodeIn(op, options.bias))

type Groups<O> = O extends { readonly groups: infer G extends number } ? G : 1
type TransposedShape<X extends Shape, W extends Shape, O> = X extends readonly [
  infer N extends number,
  number,
  ...infer Rest,
]
  ? W extends readonly [number, infer C extends number, ...Shape]
    ? [N, Mul<C, Groups<O>>, ...{ [K in keyof Rest]: number }]
    : Shape
  : Shape

/** Settings of max pooling. */
export interface MaxPoolOptions {
  /** The kernel unless given. */
  readonly stride?: PerDim | undefined
  readonly padding?: PerDim | undefined
  readonly dilation?: PerDim | undefined
  /** Lets the last window reach beyond the border. */
  readonly ceilMode?: boolean | undefined
}
type Pooled<S extends Shape, R extends 1 | 2 | 3, K extends PerDim, O, Op extends string> = O extends {
  readonly ceilMode: true
}
  ? S extends readonly [infer N extends number, infer C extends number, ...infer Rest]
    ? [N, C, ...{ [I in keyof Rest]: number }]
    : Shape
  : Ok<Pool<S, R, K, O, Op>>
type Kernel<S extends Shape, R extends 1 | 2 | 3, K extends PerDim, O, Op extends string> = O extends {
  readonly ceilMode: true
}
  ? K
  : Fits<Pool<S, R, K, O, Op>, K>
type Adapted<S extends Shape, P extends PerDim> = S extends readonly [
  infer N extends number,
  infer C extends number,
  ...infer Rest,
]
  ? [N, C, ...{ [I in keyof Rest]: P extends number ? P : I extends keyof P ? Extract<P[I], number> : number }]
  : Shape

/**
 * Cross-correlation of x [N, C, L] with weight [O, C / groups, ...kernel], as torch.nn.functional.conv1d.
 * `padding: 'same'` gives ceil(size / stride) outputs.
 */
export const conv1d = <
  X extends Shape,
  D extends DType,
  W extends Shape,
  E extends DType,
  const O extends ConvOptions = None,
>(
  x: Tensor<X, D>,
  weight: Fits<Conv<X, W, O, 'conv1d'>, Tensor<W, E>>,
  options?: O & Biased,
): Tensor<Ok<Conv<X, W, O, 'conv1d'>>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.conv(
      'conv1d',
      1,
      nodeIn('conv1d', x),
      nodeIn('conv1d', weight),
      biasOf('conv1d', options ?? {}),
      options ?? {},
    ),
  )

/**
 * Cross-correlation of x [N, C, H, W] with weight [O, C / groups, ...kernel], as torch.nn.functional.conv2d.
 * `padding: 'same'` gives ceil(size / stride) outputs.
 */
export const conv2d = <
  X extends Shape,
  D extends DType,
  W extends Shape,
  E extends DType,
  const O extends ConvOptions = None,
>(
  x: Tensor<X, D>,
  weight: Fits<Conv<X, W, O, 'conv2d'>, Tensor<W, E>>,
  options?: O & Biased,
): Tensor<Ok<Conv<X, W, O, 'conv2d'>>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.conv(
      'conv2d',
      2,
      nodeIn('conv2d', x),
      nodeIn('conv2d', weight),
      biasOf('conv2d', options ?? {}),
      options ?? {},
    ),
  )

/**
 * Cross-correlation of x [N, C, D, H, W] with weight [O, C / groups, ...kernel], as torch.nn.functional.conv3d.
 * `padding: 'same'` gives ceil(size / stride) outputs.
 */
export const conv3d = <
  X extends Shape,
  D extends DType,
  W extends Shape,
  E extends DType,
  const O extends ConvOptions = None,
>(
  x: Tensor<X, D>,
  weight: Fits<Conv<X, W, O, 'conv3d'>, Tensor<W, E>>,
  options?: O & Biased,
): Tensor<Ok<Conv<X, W, O, 'conv3d'>>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.conv(
      'conv3d',
      3,
      nodeIn('conv3d', x),
      nodeIn('conv3d', weight),
      biasOf('conv3d', options ?? {}),
      options ?? {},
    ),
  )

/** The transposed convolution of x [N, C, L] with weight [C, O / groups, ...kernel], as torch.nn.functional.conv_transpose1d. */
export const convTranspose1d = <
  X extends Shape,
  D extends DType,
  W extends Shape,
  E extends DType,
  const O extends ops.ConvTransposeOptions = None,
>(
  x: Tensor<X, D>,
  weight: Tensor<W, E>,
  options?: O & Biased,
): Tensor<TransposedShape<X, W, O>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.convTranspose(
      'convTranspose1d',
      1,
      nodeIn('convTranspose1d', x),
      nodeIn('convTranspose1d', weight),
      biasOf('convTranspose1d', options ?? {}),
      options ?? {},
    ),
  )

/** The transposed convolution of x [N, C, H, W] with weight [C, O / groups, ...kernel], as torch.nn.functional.conv_transpose2d. */
export const convTranspose2d = <
  X extends Shape,
  D extends DType,
  W extends Shape,
  E extends DType,
  const O extends ops.ConvTransposeOptions = None,
>(
  x: Tensor<X, D>,
  weight: Tensor<W, E>,
  options?: O & Biased,
): Tensor<TransposedShape<X, W, O>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.convTranspose(
      'convTranspose2d',
      2,
      nodeIn('convTranspose2d', x),
      nodeIn('convTranspose2d', weight),
      biasOf('convTranspose2d', options ?? {}),
      options ?? {},
    ),
  )

/** The transposed convolution of x [N, C, D, H, W] with weight [C, O / groups, ...kernel], as torch.nn.functional.conv_transpose3d. */
export const convTranspose3d = <
  X extends Shape,
  D extends DType,
  W extends Shape,
  E extends DType,
  const O extends ops.ConvTransposeOptions = None,
>(
  x: Tensor<X, D>,
  weight: Tensor<W, E>,
  options?: O & Biased,
): Tensor<TransposedShape<X, W, O>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.convTranspose(
      'convTranspose3d',
      3,
      nodeIn('convTranspose3d', x),
      nodeIn('convTranspose3d', weight),
      biasOf('convTranspose3d', options ?? {}),
      options ?? {},
    ),
  )

/** The largest element of each window of x [N, C, L]; NaN wins. The stride is the kernel unless given. */
export const maxPool1d = <
  S extends Shape,
  D extends DType,
  const K extends PerDim,
  const O extends MaxPoolOptions = None,
>(
  x: Tensor<S, D>,
  kernel: Kernel<S, 1, K, O, 'maxPool1d'>,
  options?: O,
): Tensor<Pooled<S, 1, K, O, 'maxPool1d'>, FloatOf<D>> =>
  fromNode(pool.maxPool('maxPool1d', 1, nodeIn('maxPool1d', x), kernel as PerDim, options ?? {}))

/** The largest element of each window of x [N, C, H, W]; NaN wins. The stride is the kernel unless given. */
export const maxPool2d = <
  S extends Shape,
  D extends DType,
  const K extends PerDim,
  const O extends MaxPoolOptions = None,
>(
  x: Tensor<S, D>,
  kernel: Kernel<S, 2, K, O, 'maxPool2d'>,
  options?: O,
): Tensor<Pooled<S, 2, K, O, 'maxPool2d'>, FloatOf<D>> =>
  fromNode(pool.maxPool('maxPool2d', 2, nodeIn('maxPool2d', x), kernel as PerDim, options ?? {}))

/** The largest element of each window of x [N, C, D, H, W]; NaN wins. The stride is the kernel unless given. */
export const maxPool3d = <
  S extends Shape,
  D extends DType,
  const K extends PerDim,
  const O extends MaxPoolOptions = None,
>(
  x: Tensor<S, D>,
  kernel: Kernel<S, 3, K, O, 'maxPool3d'>,
  options?: O,
): Tensor<Pooled<S, 3, K, O, 'maxPool3d'>, FloatOf<D>> =>
  fromNode(pool.maxPool('maxPool3d', 3, nodeIn('maxPool3d', x), kernel as PerDim, options ?? {}))

/** The mean of each window of x [N, C, L]. The stride is the kernel unless given. */
export const avgPool1d = <
  S extends Shape,
  D extends DType,
  const K extends PerDim,
  const O extends pool.AvgPoolOptions = None,
>(
  x: Tensor<S, D>,
  kernel: Kernel<S, 1, K, O, 'avgPool1d'>,
  options?: O,
): Tensor<Pooled<S, 1, K, O, 'avgPool1d'>, FloatOf<D>> =>
  fromNode(pool.avgPool('avgPool1d', 1, nodeIn('avgPool1d', x), kernel as PerDim, options ?? {}))

/** The mean of each window of x [N, C, H, W]. The stride is the kernel unless given. */
export const avgPool2d = <
  S extends Shape,
  D extends DType,
  const K extends PerDim,
  const O extends pool.AvgPoolOptions = None,
>(
  x: Tensor<S, D>,
  kernel: Kernel<S, 2, K, O, 'avgPool2d'>,
  options?: O,
): Tensor<Pooled<S, 2, K, O, 'avgPool2d'>, FloatOf<D>> =>
  fromNode(pool.avgPool('avgPool2d', 2, nodeIn('avgPool2d', x), kernel as PerDim, options ?? {}))

/** The mean of each window of x [N, C, D, H, W]. The stride is the kernel unless given. */
export const avgPool3d = <
  S extends Shape,
  D extends DType,
  const K extends PerDim,
  const O extends pool.AvgPoolOptions = None,
>(
  x: Tensor<S, D>,
  kernel: Kernel<S, 3, K, O, 'avgPool3d'>,
  options?: O,
): Tensor<Pooled<S, 3, K, O, 'avgPool3d'>, FloatOf<D>> =>
  fromNode(pool.avgPool('avgPool3d', 3, nodeIn('avgPool3d', x), kernel as PerDim, options ?? {}))

/** Pools x [N, C, L] to an output size, with windows as PyTorch cuts them: the mean of each. */
export const adaptiveAvgPool1d = <S extends Shape, D extends DType, const P extends PerDim>(
  x: Tensor<S, D>,
  outputSize: P,
): Tensor<Adapted<S, P>, FloatOf<D>> =>
  fromNode(pool.adaptivePool('adaptiveAvgPool1d', 1, nodeIn('adaptiveAvgPool1d', x), outputSize, 'mean'))

/** Pools x [N, C, H, W] to an output size, with windows as PyTorch cuts them: the mean of each. */
export const adaptiveAvgPool2d = <S extends Shape, D extends DType, const P extends PerDim>(
  x: Tensor<S, D>,
  outputSize: P,
): Tensor<Adapted<S, P>, FloatOf<D>> =>
  fromNode(pool.adaptivePool('adaptiveAvgPool2d', 2, nodeIn('adaptiveAvgPool2d', x), outputSize, 'mean'))

/** Pools x [N, C, D, H, W] to an output size, with windows as PyTorch cuts them: the mean of each. */
export const adaptiveAvgPool3d = <S extends Shape, D extends DType, const P extends PerDim>(
  x: Tensor<S, D>,
  outputSize: P,
): Tensor<Adapted<S, P>, FloatOf<D>> =>
  fromNode(pool.adaptivePool('adaptiveAvgPool3d', 3, nodeIn('adaptiveAvgPool3d', x), outputSize, 'mean'))

/** Pools x [N, C, L] to an output size, with windows as PyTorch cuts them: the largest element of each. */
export const adaptiveMaxPool1d = <S extends Shape, D extends DType, const P extends PerDim>(
  x: Tensor<S, D>,
  outputSize: P,
): Tensor<Adapted<S, P>, FloatOf<D>> =>
  fromNode(pool.adaptivePool('adaptiveMaxPool1d', 1, nodeIn('adaptiveMaxPool1d', x), outputSize, 'max'))

/** Pools x [N, C, H, W] to an output size, with windows as PyTorch cuts them: the largest element of each. */
export const adaptiveMaxPool2d = <S extends Shape, D extends DType, const P extends PerDim>(
  x: Tensor<S, D>,
  outputSize: P,
): Tensor<Adapted<S, P>, FloatOf<D>> =>
  fromNode(pool.adaptivePool('adaptiveMaxPool2d', 2, nodeIn('adaptiveMaxPool2d', x), outputSize, 'max'))

/** Pools x [N, C, D, H, W] to an output size, with windows as PyTorch cuts them: the largest element of each. */
export const adaptiveMaxPool3d = <S extends Shape, D extends DType, const P extends PerDim>(
  x: Tensor<S, D>,
  outputSize: P,
): Tensor<Adapted<S, P>, FloatOf<D>> =>
  fromNode(pool.adaptivePool('adaptiveMaxPool3d', 3, nodeIn('adaptiveMaxPool3d', x), outputSize, 'max'))
