import type { AsShape, Differs, Shape } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/**
 * The shape that two shapes broadcast to, aligned at the last dimension, as NumPy and PyTorch do.
 * An unknown size against a known one other than 1 gives the known one: the run-time check makes it so.
 * @example Broadcast<[64, 10], [10]> // [64, 10]
 * @example Broadcast<[2, 3], [4, 3], 'add'> // ShapeError<'add: shapes [2,3] and [4,3] do not broadcast'>
 */
export type Broadcast<A extends Shape, B extends Shape, Op extends string = 'broadcast'> =
  TryBroadcast<A, B> extends infer R extends Shape
    ? [R] extends [never]
      ? ShapeError<`${Op}: shapes ${ShowShape<A>} and ${ShowShape<B>} do not broadcast`>
      : R
    : never

/** {@link Broadcast} with `never` for shapes that do not fit. */
export type TryBroadcast<A extends Shape, B extends Shape> = number extends A['length']
  ? Shape
  : number extends B['length']
    ? Shape
    : BroadcastDims<A, B>

type BroadcastDims<A extends Shape, B extends Shape, Out extends Shape = []> = A extends readonly [
  ...infer As extends Shape,
  infer X extends number,
]
  ? B extends readonly [...infer Bs extends Shape, infer Y extends number]
    ? [BroadcastSize<X, Y>] extends [never]
      ? never
      : BroadcastDims<As, Bs, [BroadcastSize<X, Y>, ...Out]>
    : [...A, ...Out]
  : [...B, ...Out]

type BroadcastSize<X extends number, Y extends number> = number extends X
  ? Y extends 1
    ? number
    : Y
  : number extends Y
    ? X extends 1
      ? number
      : X
    : X extends 1
      ? Y
      : Y extends 1
        ? X
        : X & Y

/**
 * The shape that three shapes broadcast to, for `where` and `clamp`.
 * @example Broadcast3<[2, 1], [3], []> // [2, 3]
 */
export type Broadcast3<A extends Shape, B extends Shape, C extends Shape, Op extends string = 'broadcast'> =
  TryBroadcast<A, B> extends infer AB extends Shape
    ? [AB] extends [never]
      ? Broadcast<A, B, Op>
      : Broadcast<AB, C, Op>
    : never

/**
 * The shape after repeating dimensions of size 1 to a larger shape; -1 keeps a size, as PyTorch's `expand` has it.
 * @example Expand<[3, 1], [2, 3, 4]> // [2, 3, 4]
 * @example Expand<[3, 1], [-1, 4]> // [3, 4]
 */
export type Expand<S extends Shape, To extends Shape, Op extends string = 'expand'> = number extends To['length']
  ? Shape
  : number extends S['length']
    ? { -readonly [K in keyof To]: To[K] extends -1 ? number : To[K] }
    : ExpandDims<S, To> extends infer R extends Shape
      ? [R] extends [never]
        ? ShapeError<`${Op}: shape ${ShowShape<S>} does not expand to ${ShowShape<To>}`>
        : R
      : never

type ExpandDims<S extends Shape, To extends Shape, Out extends Shape = []> = S extends readonly [
  ...infer Ss extends Shape,
  infer X extends number,
]
  ? To extends readonly [...infer Ts extends Shape, infer Y extends number]
    ? Y extends -1
      ? ExpandDims<Ss, Ts, [X, ...Out]>
      : X extends 1
        ? ExpandDims<Ss, Ts, [Y, ...Out]>
        : Differs<X, Y> extends true
          ? never
          : ExpandDims<Ss, Ts, [Y, ...Out]>
    : never
  : -1 extends To[number]
    ? number extends To[number]
      ? [...AsShape<To>, ...Out]
      : never
    : [...AsShape<To>, ...Out]
