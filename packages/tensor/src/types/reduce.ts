import type { AxisKey, Shape, UnknownSizes, WithoutKeys } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/** One axis, several, or `undefined` for all; negative axes count from the end. */
export type Axes = number | readonly number[] | undefined

/**
 * The shape after a reduction such as `sum` or `max`.
 * @example Reduce<[2, 3, 4], -1> // [2, 3]
 * @example Reduce<[2, 3, 4], [0, 2], true> // [1, 3, 1]
 * @example Reduce<[2, 3, 4], undefined> // []
 */
export type Reduce<
  S extends Shape,
  A extends Axes = undefined,
  KeepDims extends boolean | undefined = false,
  Op extends string = 'reduce',
> = [A] extends [undefined]
  ? ReduceAll<S, KeepDims>
  : undefined extends A
    ? Shape
    : number extends S['length']
      ? Shape
      : BadAxis<S, A, Op> extends infer Bad
        ? [Bad] extends [never]
          ? ReduceKeys<S, AxisKeys<S, A>, KeepDims>
          : Bad
        : never

type ReduceAll<S extends Shape, KeepDims> = boolean extends KeepDims
  ? Shape
  : KeepDims extends true
    ? { -readonly [K in keyof S]: 1 }
    : []

type ReduceKeys<S extends Shape, Keys, KeepDims> = boolean extends KeepDims
  ? Shape
  : string extends Keys
    ? KeepDims extends true
      ? UnknownSizes<S>
      : Shape
    : KeepDims extends true
      ? { -readonly [K in keyof S]: K extends Keys ? 1 : S[K] }
      : WithoutKeys<S, Keys>

/** The union of the tuple keys that axes name. */
export type AxisKeys<S extends Shape, A> = [A] extends [infer N extends number]
  ? AxisKey<S, N>
  : A extends readonly number[]
    ? number extends A['length']
      ? string
      : { [K in keyof A]: AxisKey<S, Extract<A[K], number>> }[number]
    : string

/** The error for the first axis that a shape does not have; `never` where all are there. */
export type BadAxis<S extends Shape, A, Op extends string> = number extends S['length']
  ? never
  : [A] extends [number]
    ? BadAxisOf<S, A, Op>
    : A extends readonly [infer First extends number, ...infer Rest]
      ? [BadAxisOf<S, First, Op>] extends [never]
        ? BadAxis<S, Rest, Op>
        : BadAxisOf<S, First, Op>
      : never

type BadAxisOf<S extends Shape, A extends number, Op extends string> = [AxisKey<S, A>] extends [never]
  ? ShapeError<`${Op}: axis ${A} is out of range for shape ${ShowShape<S>}`>
  : never
