import type { AxisKeys, BadAxis } from './reduce.ts'
import type { AxisKey, Shape, SizeAt, UnknownSizes } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/**
 * The shape with its dimensions reordered.
 * @example Permute<[2, 3, 4], [2, 0, 1]> // [4, 2, 3]
 * @example Permute<[2, 3, 4], [0, -1, 1]> // [2, 4, 3]
 */
export type Permute<
  S extends Shape,
  P extends readonly number[],
  Op extends string = 'permute',
> = number extends S['length']
  ? { -readonly [K in keyof P]: number }
  : number extends P['length']
    ? UnknownSizes<S>
    : BadAxis<S, P, Op> extends infer Bad
      ? [Bad] extends [never]
        ? keyof S & `${number}` extends AxisKeys<S, P>
          ? P['length'] extends S['length']
            ? { -readonly [K in keyof P]: SizeAt<S, AxisKey<S, P[K]>> }
            : NotAPermutation<S, P, Op>
          : NotAPermutation<S, P, Op>
        : Bad
      : never

type NotAPermutation<
  S extends Shape,
  P extends readonly number[],
  Op extends string,
> = ShapeError<`${Op}: axes ${ShowShape<P>} do not name every axis of shape ${ShowShape<S>} once`>

/**
 * The shape with two dimensions exchanged, the last two unless axes are given.
 * @example Transpose<[2, 3, 4]> // [2, 4, 3]
 * @example Transpose<[2, 3, 4], 0, -1> // [4, 3, 2]
 */
export type Transpose<
  S extends Shape,
  A extends number = -2,
  B extends number = -1,
  Op extends string = 'transpose',
> = number extends S['length']
  ? Shape
  : BadAxis<S, [A, B], Op> extends infer Bad
    ? [Bad] extends [never]
      ? Exchange<S, AxisKey<S, A>, AxisKey<S, B>>
      : Bad
    : never

type Exchange<S extends Shape, A, B> = string extends A | B
  ? UnknownSizes<S>
  : { -readonly [K in keyof S]: K extends A ? SizeAt<S, B> : K extends B ? SizeAt<S, A> : S[K] }
