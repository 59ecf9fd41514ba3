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

/** The second operand of a method: a number always fits, a tensor must broadcast. */
export type BesideOn<S extends Shape, B, Op extends string> = B extends number
  ? B
  : Fits<Broadcast<S, ShapeOf<B>, Op>, B>
/** The shape of a binary method's result; a number leaves it, even where it is generic. */
export type SpreadOn<S extends Shape, B, Op extends string> = B extends number ? S : Ok<Broadcast<S, ShapeOf<B>, Op>>
/** The common dtype of a tensor and an operand. */
export type CommonOn<D extends DType, B> = B extends number ? WithNumber<D, B> : Promote<D, DTypeOf<B>>

/** As {@link BesideOn} where the first operand may be a number too. */
export type Beside<A, B, Op extends string> = A extends number ? B : BesideOn<ShapeOf<A>, B, Op>
export type Spread<A, B, Op extends string> = A extends number ? ShapeOf<B> : SpreadOn<ShapeOf<A>, B, Op>
/** Two numbers are float32. */
export type Common<A, B> = A extends number
  ? B extends number
    ? 'float32'
    : WithNumber<DTypeOf<B>, A>
  : CommonOn<DTypeOf<A>, B>

/** The dtype of a power: numbers as exponents keep integers. */
export type PowerOf<D extends DType, B> = B extends number ? ArithOf<CommonOn<D, B>> : FloatOf<CommonOn<D, B>>

/** The common dtype of a tensor and a bound; a number that is not a literal leaves the tensor's. */
type BoundOf<D extends DType, B> = number extends B ? D : CommonOn<D, B>
/** A tensor between two bounds. */
export type Between<S extends Shape, D extends DType, B, C> = Tensor<
  Ok<Broadcast3<S, ShapeOf<B>, ShapeOf<C>, 'clip'>>,
  ComputeOf<BoundOf<D, B> | BoundOf<D, C>>
>

/** Reduced dimensions stay as sizes of 1 with `keepdim`. */
export interface KeepDims<K extends boolean> {
  readonly keepdim?: K | undefined
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
