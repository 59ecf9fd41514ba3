import type { Add } from './digits.ts'
import type { BadAxis } from './reduce.ts'
import type { InsertSize } from './reshape.ts'
import type { AxisKey, Differs, Meet, Shape, UnknownSizes, WithSize } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/**
 * The shape of tensors joined along an axis that they all have: sizes there add up, the others must be equal.
 * @example Concat<[[2, 3], [4, 3]], 0> // [6, 3]
 * @example Concat<[[2, 3], [4, 5]], 0> // ShapeError<'concat: shapes [2,3] and [4,5] differ outside axis 0'>
 */
export type Concat<
  Ss extends readonly Shape[],
  A extends number = 0,
  Op extends string = 'concat',
> = number extends Ss['length']
  ? AnyCount<Ss[number], A>
  : Ss extends readonly [infer First extends Shape, ...infer Rest extends readonly Shape[]]
    ? AnyRankUnknown<Ss> extends true
      ? Shape
      : BadAxis<First, A, Op> extends infer Bad
        ? [Bad] extends [never]
          ? ConcatRest<First, Rest, A, AxisKey<First, A>, Op>
          : Bad
        : never
    : ShapeError<`${Op}: no tensors to join`>

type AnyCount<S extends Shape, A extends number> = number extends S['length']
  ? Shape
  : AxisKey<S, A> extends infer Key extends string
    ? string extends Key
      ? UnknownSizes<S>
      : WithSize<S, Key, number>
    : never

type AnyRankUnknown<Ss extends readonly Shape[]> = number extends Ss[number]['length'] ? true : false

type ConcatRest<
  Sum extends Shape,
  Rest extends readonly Shape[],
  A extends number,
  Key extends string,
  Op extends string,
> = string extends Key
  ? UnknownSizes<Sum>
  : Rest extends readonly [infer Next extends Shape, ...infer More extends readonly Shape[]]
    ? ConcatTwo<Sum, Next, Key> extends infer Joined extends Shape
      ? [Joined] extends [never]
        ? ShapeError<`${Op}: shapes ${ShowShape<Sum>} and ${ShowShape<Next>} differ outside axis ${A}`>
        : ConcatRest<Joined, More, A, Key, Op>
      : never
    : [...Sum]

type ConcatTwo<A extends Shape, B extends Shape, Key> = A['length'] extends B['length'] ? ConcatDims<A, B, Key> : never

type ConcatDims<A extends Shape, B extends Shape, Key, Out extends Shape = []> = A extends readonly [
  infer X extends number,
  ...infer As extends Shape,
]
  ? B extends readonly [infer Y extends number, ...infer Bs extends Shape]
    ? `${Out['length']}` extends Key
      ? ConcatDims<As, Bs, Key, [...Out, Add<X, Y>]>
      : Differs<X, Y> extends true
        ? never
        : ConcatDims<As, Bs, Key, [...Out, Meet<X, Y>]>
    : never
  : Out

/**
 * The shape of equal shapes joined along a new axis.
 * @example Stack<[[2, 3], [2, 3]]> // [2, 2, 3]
 * @example Stack<[[2, 3], [2, 3]], -1> // [2, 3, 2]
 */
export type Stack<
  Ss extends readonly Shape[],
  A extends number = 0,
  Op extends string = 'stack',
> = number extends Ss['length']
  ? number extends Ss[number]['length']
    ? Shape
    : InsertSize<Ss[number], A, number, Op>
  : Ss extends readonly [infer First extends Shape, ...infer Rest extends readonly Shape[]]
    ? AnyRankUnknown<Ss> extends true
      ? Shape
      : SameShape<First, Rest, Op> extends infer Same
        ? Same extends Shape
          ? InsertSize<Same, A, Ss['length'] & number, Op>
          : Same
        : never
    : ShapeError<`${Op}: no tensors to join`>

type SameShape<S extends Shape, Rest extends readonly Shape[], Op extends string> = Rest extends readonly [
  infer Next extends Shape,
  ...infer More extends readonly Shape[],
]
  ? ConcatTwo<S, Next, never> extends infer Both extends Shape
    ? [Both] extends [never]
      ? ShapeError<`${Op}: shapes ${ShowShape<S>} and ${ShowShape<Next>} differ`>
      : SameShape<Both, More, Op>
    : never
  : S
