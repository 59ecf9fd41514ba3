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

type Spatial = 1 | 2 | 3

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
type Pooled<S extends Shape, R extends Spatial, K extends PerDim, O, Op extends string> = O extends {
  readonly ceilMode: true
}
  ? S extends readonly [infer N extends number, infer C extends number, ...infer Rest]
    ? [N, C, ...{ [I in keyof Rest]: number }]
    : Shape
  : Ok<Pool<S, R, K, O, Op>>
type Kernel<S extends Shape, R extends Spatial, K extends PerDim, O, Op extends string> = O extends {
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

// One factory per operation: the one-, two- and three-dimensional forms differ in a name and a number.

const convOf =
  <const Op extends string>(op: Op, spatial: Spatial) =>
  <X extends Shape, D extends DType, W extends Shape, E extends DType, const O extends ConvOptions = None>(
    x: Tensor<X, D>,
    weight: Fits<Conv<X, W, O, Op>, Tensor<W, E>>,
    options?: O & Biased,
  ): Tensor<Ok<Conv<X, W, O, Op>>, FloatOf<Promote<D, E>>> => {
    const given = options ?? {}
    return fromNode(ops.conv(op, spatial, nodeIn(op, x), nodeIn(op, weight), biasOf(op, given), given))
  }

const convTransposeOf =
  (op: string, spatial: Spatial) =>
  <X extends Shape, D extends DType, W extends Shape, E extends DType, const O extends ops.ConvTransposeOptions = None>(
    x: Tensor<X, D>,
    weight: Tensor<W, E>,
    options?: O & Biased,
  ): Tensor<TransposedShape<X, W, O>, FloatOf<Promote<D, E>>> => {
    const given = options ?? {}
    return fromNode(ops.convTranspose(op, spatial, nodeIn(op, x), nodeIn(op, weight), biasOf(op, given), given))
  }

const maxPoolOf =
  <const Op extends string, R extends Spatial>(op: Op, spatial: R) =>
  <S extends Shape, D extends DType, const K extends PerDim, const O extends MaxPoolOptions = None>(
    x: Tensor<S, D>,
    kernel: Kernel<S, R, K, O, Op>,
    options?: O,
  ): Tensor<Pooled<S, R, K, O, Op>, FloatOf<D>> =>
    fromNode(pool.maxPool(op, spatial, nodeIn(op, x), kernel as PerDim, options ?? {}))

const avgPoolOf =
  <const Op extends string, R extends Spatial>(op: Op, spatial: R) =>
  <S extends Shape, D extends DType, const K extends PerDim, const O extends pool.AvgPoolOptions = None>(
    x: Tensor<S, D>,
    kernel: Kernel<S, R, K, O, Op>,
    options?: O,
  ): Tensor<Pooled<S, R, K, O, Op>, FloatOf<D>> =>
    fromNode(pool.avgPool(op, spatial, nodeIn(op, x), kernel as PerDim, options ?? {}))

const adaptivePoolOf =
  (op: string, spatial: Spatial, kind: 'mean' | 'max') =>
  <S extends Shape, D extends DType, const P extends PerDim>(
    x: Tensor<S, D>,
    outputSize: P,
  ): Tensor<Adapted<S, P>, FloatOf<D>> =>
    fromNode(pool.adaptivePool(op, spatial, nodeIn(op, x), outputSize, kind))

/**
 * Cross-correlation of x [N, C, L] with weight [O, C / groups, ...kernel], as torch.nn.functional.conv1d.
 * `padding: 'same'` gives ceil(size / stride) outputs.
 */
export const conv1d = /* @__PURE__ */ convOf('conv1d', 1)

/**
 * Cross-correlation of x [N, C, H, W] with weight [O, C / groups, ...kernel], as torch.nn.functional.conv2d.
 * `padding: 'same'` gives ceil(size / stride) outputs.
 */
export const conv2d = /* @__PURE__ */ convOf('conv2d', 2)

/**
 * Cross-correlation of x [N, C, D, H, W] with weight [O, C / groups, ...kernel], as torch.nn.functional.conv3d.
 * `padding: 'same'` gives ceil(size / stride) outputs.
 */
export const conv3d = /* @__PURE__ */ convOf('conv3d', 3)

/** The transposed convolution of x [N, C, L] with weight [C, O / groups, ...kernel], as torch.nn.functional.conv_transpose1d. */
export const convTranspose1d = /* @__PURE__ */ convTransposeOf('convTranspose1d', 1)

/** The transposed convolution of x [N, C, H, W] with weight [C, O / groups, ...kernel], as torch.nn.functional.conv_transpose2d. */
export const convTranspose2d = /* @__PURE__ */ convTransposeOf('convTranspose2d', 2)

/** The transposed convolution of x [N, C, D, H, W] with weight [C, O / groups, ...kernel], as torch.nn.functional.conv_transpose3d. */
export const convTranspose3d = /* @__PURE__ */ convTransposeOf('convTranspose3d', 3)

/** The largest element of each window of x [N, C, L]; NaN wins. The stride is the kernel unless given. */
export const maxPool1d = /* @__PURE__ */ maxPoolOf('maxPool1d', 1)

/** The largest element of each window of x [N, C, H, W]; NaN wins. The stride is the kernel unless given. */
export const maxPool2d = /* @__PURE__ */ maxPoolOf('maxPool2d', 2)

/** The largest element of each window of x [N, C, D, H, W]; NaN wins. The stride is the kernel unless given. */
export const maxPool3d = /* @__PURE__ */ maxPoolOf('maxPool3d', 3)

/** The mean of each window of x [N, C, L]. The stride is the kernel unless given. */
export const avgPool1d = /* @__PURE__ */ avgPoolOf('avgPool1d', 1)

/** The mean of each window of x [N, C, H, W]. The stride is the kernel unless given. */
export const avgPool2d = /* @__PURE__ */ avgPoolOf('avgPool2d', 2)

/** The mean of each window of x [N, C, D, H, W]. The stride is the kernel unless given. */
export const avgPool3d = /* @__PURE__ */ avgPoolOf('avgPool3d', 3)

/** Pools x [N, C, L] to an output size, with windows as PyTorch cuts them: the mean of each. */
export const adaptiveAvgPool1d = /* @__PURE__ */ adaptivePoolOf('adaptiveAvgPool1d', 1, 'mean')

/** Pools x [N, C, H, W] to an output size, with windows as PyTorch cuts them: the mean of each. */
export const adaptiveAvgPool2d = /* @__PURE__ */ adaptivePoolOf('adaptiveAvgPool2d', 2, 'mean')

/** Pools x [N, C, D, H, W] to an output size, with windows as PyTorch cuts them: the mean of each. */
export const adaptiveAvgPool3d = /* @__PURE__ */ adaptivePoolOf('adaptiveAvgPool3d', 3, 'mean')

/** Pools x [N, C, L] to an output size, with windows as PyTorch cuts them: the largest element of each. */
export const adaptiveMaxPool1d = /* @__PURE__ */ adaptivePoolOf('adaptiveMaxPool1d', 1, 'max')

/** Pools x [N, C, H, W] to an output size, with windows as PyTorch cuts them: the largest element of each. */
export const adaptiveMaxPool2d = /* @__PURE__ */ adaptivePoolOf('adaptiveMaxPool2d', 2, 'max')

/** Pools x [N, C, D, H, W] to an output size, with windows as PyTorch cuts them: the largest element of each. */
export const adaptiveMaxPool3d = /* @__PURE__ */ adaptivePoolOf('adaptiveMaxPool3d', 3, 'max')
