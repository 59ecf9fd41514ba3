import type { DType } from '@tessella/ir'
import type { ArithOf, ComputeOf, FloatOf, Promote, WithNumber } from './dtypes.ts'
import type { Tensor } from './tensor.ts'
import type {
  Axes,
  Broadcast,
  Broadcast3,
  Fits,
  Ok,
  Reduce,
  Shape,
  ShapeOf,
  SliceSize,
  UnknownSizes,
} from './types/index.ts'
import type { AxisKey, WithSize } from './types/shape.ts'

/** What binary functions take on either side; a number adopts the tensor's dtype. */
export type Operand = Tensor | number

export type DTypeOf<T> = T extends { readonly dtype: infer D extends DType } ? D : never

/** The second operand: a number always fits, a tensor must broadcast. */
export type Beside<A, B, Op extends string> = A extends number
  ? B
  : B extends number
    ? B
    : Fits<Broadcast<ShapeOf<A>, ShapeOf<B>, Op>, B>
/** The shape of a binary function's result. */
export type Spread<A, B, Op extends string> = A extends number
  ? ShapeOf<B>
  : B extends number
    ? ShapeOf<A>
    : Ok<Broadcast<ShapeOf<A>, ShapeOf<B>, Op>>

/** The common dtype of two operands; two numbers are float32. */
export type Common<A, B> = A extends number
  ? B extends number
    ? 'float32'
    : WithNumber<DTypeOf<B>, A>
  : B extends number
    ? WithNumber<DTypeOf<A>, B>
    : Promote<DTypeOf<A>, DTypeOf<B>>

/** Sums and products of two operands. */
export type Arith<A, B, Op extends string> = Tensor<Spread<A, B, Op>, ArithOf<Common<A, B>>>
/** Quotients and powers of two operands. */
export type Fraction<A, B, Op extends string> = Tensor<Spread<A, B, Op>, FloatOf<Common<A, B>>>
/** One of two operands. */
export type Choice<A, B, Op extends string> = Tensor<Spread<A, B, Op>, ComputeOf<Common<A, B>>>
/** One of two operands, storage dtypes included. */
export type Either<A, B> = Tensor<Spread<A, B, 'where'>, Common<A, B>>
/** A tensor between two bounds. */
export type Between<A, B, C, Op extends string> = Tensor<
  Ok<Broadcast3<ShapeOf<A>, ShapeOf<B>, ShapeOf<C>, Op>>,
  ComputeOf<CommonTensor<A, B> | CommonTensor<A, C>>
>
/** {@link Common} that leaves wide numbers the tensor's dtype alone. */
type CommonTensor<A, B> = number extends B ? DTypeOf<A> : Common<A, B>
/** A truth for two operands. */
export type Truth<A, B, Op extends string> = Tensor<Spread<A, B, Op>, 'bool'>
/** The power of a base: numbers as exponents keep integers. */
export type Power<A, B> = Tensor<Spread<A, B, 'pow'>, B extends number ? ArithOf<Common<A, B>> : FloatOf<Common<A, B>>>

/** Reduced dimensions stay as sizes of 1 with `keepdims`. */
export interface KeepDims<K extends boolean> {
  readonly keepdims?: K | undefined
}
/** `correction` is taken off the count: 1 for the unbiased estimate, 0 for the mean square. */
export interface Spreading<K extends boolean> extends KeepDims<K> {
  readonly correction?: number | undefined
}
/** An argument that names axes of a shape. */
export type AxesOf<S extends Shape, A extends Axes, Op extends string> = Fits<Reduce<S, A, false, Op>, A>
/** The shape after a reduction. */
export type Reduced<S extends Shape, A extends Axes, K extends boolean, Op extends string> = Ok<Reduce<S, A, K, Op>>

type Range = readonly (number | null | undefined)[]
type End<V> = V extends number ? V : undefined
type Part<N extends number, R> = R extends Range
  ? number extends R['length']
    ? number
    : SliceSize<N, End<R[0]>, End<R[1]>, End<R[2]>>
  : N

/** The shape after one range for each leading dimension; numbers drop theirs. */
export type Sliced<S extends Shape, Rs extends readonly unknown[], Out extends Shape = []> = number extends S['length']
  ? Shape
  : number extends Rs['length']
    ? Shape
    : S extends readonly [infer N extends number, ...infer Rest extends Shape]
      ? Rs extends readonly [infer R, ...infer More]
        ? Sliced<Rest, More, R extends number ? Out : [...Out, Part<N, R>]>
        : [...Out, ...S]
      : Out

/** The shape with the size of one axis replaced. */
export type PartOf<S extends Shape, A extends number, N extends number> = number extends S['length']
  ? Shape
  : string extends AxisKey<S, A>
    ? UnknownSizes<S>
    : WithSize<S, AxisKey<S, A>, N>
