import type { Mul } from './digits.ts'
import type { Differs, Shape } from './shape.ts'
import type { ShapeError, ShowShape, ShowSize } from './shapeError.ts'
import type { PerDim, SlideWindows, SpatialRank, WindowOptions } from './window.ts'

/** The numbers of a convolution. */
export interface ConvOptions extends WindowOptions {
  readonly groups?: number | undefined
}

type Groups<O> = O extends { readonly groups: infer G extends number } ? G : 1

/**
 * The shape of a convolution of `[n, c, ...spatial]` with weights `[out, c / groups, ...kernel]`, for one, two or
 * three spatial dimensions.
 * @example Conv<[64, 1, 28, 28], [6, 1, 5, 5]> // [64, 6, 24, 24]
 * @example Conv<[8, 3, 224, 224], [64, 3, 7, 7], { stride: 2; padding: 3 }> // [8, 64, 112, 112]
 */
export type Conv<X extends Shape, W extends Shape, O = unknown, Op extends string = 'conv'> = number extends W['length']
  ? Shape
  : W extends readonly [infer Out extends number, infer In extends number, ...infer K extends Shape]
    ? number extends X['length']
      ? [number, Out, ...{ [I in keyof K]: number }]
      : X extends readonly [infer N extends number, infer C extends number, ...infer Ns extends Shape]
        ? Ns['length'] extends K['length']
          ? Differs<C, Mul<In, Groups<O>>> extends true
            ? ShapeError<`${Op}: input ${ShowShape<X>} has ${ShowSize<C>} channels, weights ${ShowShape<W>} take ${ShowSize<Mul<In, Groups<O>>>}`>
            : SlideWindows<Ns, K, O, Op> extends infer R
              ? R extends Shape
                ? [N, Out, ...R]
                : R
              : never
          : ConvRank<X, W, Op>
        : ConvRank<X, W, Op>
    : ConvRank<X, W, Op>

type ConvRank<
  X extends Shape,
  W extends Shape,
  Op extends string,
> = ShapeError<`${Op}: input ${ShowShape<X>} and weights ${ShowShape<W>} differ in spatial dimensions`>

/** The leading sizes and the last one, two or three; `null` where there are too few. */
export type SplitSpatial<S extends Shape, R extends SpatialRank> = R extends 1
  ? S extends readonly [...infer Lead extends Shape, infer A extends number]
    ? [Lead, [A]]
    : null
  : R extends 2
    ? S extends readonly [...infer Lead extends Shape, infer A extends number, infer B extends number]
      ? [Lead, [A, B]]
      : null
    : S extends readonly [
          ...infer Lead extends Shape,
          infer A extends number,
          infer B extends number,
          infer C extends number,
        ]
      ? [Lead, [A, B, C]]
      : null

/**
 * The shape after pooling the last `R` dimensions with windows; the stride is the kernel unless given.
 * @example Pool<[64, 6, 24, 24], 2, 2> // [64, 6, 12, 12]
 */
export type Pool<
  S extends Shape,
  R extends SpatialRank,
  K extends PerDim,
  O = unknown,
  Op extends string = 'pool',
> = number extends S['length']
  ? Shape
  : SplitSpatial<S, R> extends [infer Lead extends Shape, infer Ns extends Shape]
    ? SlideWindows<Ns, K, PoolOptions<K, O>, Op> extends infer Out
      ? Out extends Shape
        ? [...Lead, ...Out]
        : Out
      : never
    : ShapeError<`${Op}: shape ${ShowShape<S>} has fewer than ${R} dimensions`>

/** Window options with the stride defaulting to the kernel. */
export type PoolOptions<K extends PerDim, O> = O extends { readonly stride: PerDim } ? O : O & { readonly stride: K }
