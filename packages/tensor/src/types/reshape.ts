import type { FloorDiv, Mod } from './digits.ts'
import type { BadAxis } from './reduce.ts'
import type {
  AsShape,
  AxisKey,
  Before,
  Differs,
  From,
  Product,
  Shape,
  SizeAt,
  UnknownSizes,
  WithoutKeys,
} from './shape.ts'
import type { ShapeError, ShowShape, ShowSize } from './shapeError.ts'

/**
 * The shape after `reshape`: one size may be -1 and is worked out, and the number of elements must stay.
 * @example Reshape<[2, 3, 4], [6, -1]> // [6, 4]
 * @example Reshape<[number, 16, 4, 4], [-1, 256]> // [number, 256]
 * @example Reshape<[2, 3], [4, 2]> // ShapeError<'reshape: [2,3] has 6 elements and [4,2] has 8'>
 */
export type Reshape<S extends Shape, To extends Shape, Op extends string = 'reshape'> = number extends To['length']
  ? Shape
  : -1 extends To[number]
    ? number extends To[number]
      ? UnknownOrInferred<To>
      : InferSize<S, To, Op>
    : Differs<Product<S>, Product<To>> extends true
      ? ShapeError<`${Op}: ${ShowShape<S>} has ${Product<S>} elements and ${ShowShape<To>} has ${Product<To>}`>
      : AsShape<To>

type UnknownOrInferred<To extends Shape> = { -readonly [K in keyof To]: To[K] extends -1 ? number : To[K] }

type InferSize<S extends Shape, To extends Shape, Op extends string> =
  Others<To> extends infer Rest extends Shape
    ? -1 extends Rest[number]
      ? ShapeError<`${Op}: ${ShowShape<To>} has more than one -1`>
      : Product<S> extends infer N extends number
        ? Mod<N, Product<Rest>> extends infer Left extends number
          ? Differs<Left, 0> extends true
            ? ShapeError<`${Op}: ${ShowShape<S>} has ${N} elements, not a multiple of ${Product<Rest>} as ${ShowShape<To>} needs`>
            : { -readonly [K in keyof To]: To[K] extends -1 ? FloorDiv<N, Product<Rest>> : To[K] }
          : never
        : never
    : never

/** The shape without its first -1. */
type Others<To extends Shape, Seen extends Shape = []> = To extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? N extends -1
    ? [...Seen, ...Rest]
    : Others<Rest, [...Seen, N]>
  : Seen

/**
 * The shape with the dimensions from `Start` to `End` (both included, negative from the end) made one.
 * @example Flatten<[64, 16, 4, 4], 1> // [64, 256]
 * @example Flatten<[2, 3, 4]> // [24]
 */
export type Flatten<
  S extends Shape,
  Start extends number = 0,
  End extends number = -1,
  Op extends string = 'flatten',
> = number extends S['length']
  ? Shape
  : S extends readonly []
    ? [1]
    : BadAxis<S, [Start, End], Op> extends infer Bad
      ? [Bad] extends [never]
        ? FlattenKeys<S, AxisKey<S, Start>, AxisKey<S, End>> extends infer R extends Shape
          ? [R] extends [never]
            ? ShapeError<`${Op}: start ${Start} lies after end ${End}`>
            : R
          : never
        : Bad
      : never

/** `never` where the start lies after the end. */
type FlattenKeys<S extends Shape, Start, End> = string extends Start | End
  ? Shape
  : Before<S, Start> extends infer Lead extends Shape
    ? End extends keyof Lead
      ? never
      : From<S, End> extends readonly [number, ...infer Tail extends Shape]
        ? [...Lead, Product<DropTail<From<S, Start>, Tail>>, ...Tail]
        : never
    : never

type DropTail<S extends Shape, Tail extends readonly unknown[]> = Tail extends readonly [unknown, ...infer Ts]
  ? S extends readonly [...infer Rest extends Shape, number]
    ? DropTail<Rest, Ts>
    : []
  : S

/**
 * The shape without dimensions of size 1: the named ones, or all. Naming a dimension of another size is an error.
 * @example Squeeze<[1, 3, 1]> // [3]
 * @example Squeeze<[1, 3, 1], -1> // [1, 3]
 */
export type Squeeze<
  S extends Shape,
  A extends number | readonly number[] | undefined = undefined,
  Op extends string = 'squeeze',
> = number extends S['length']
  ? Shape
  : [A] extends [undefined]
    ? number extends S[number]
      ? Shape
      : WithoutOnes<S>
    : undefined extends A
      ? Shape
      : BadAxis<S, A, Op> extends infer Bad
        ? [Bad] extends [never]
          ? SqueezeAxes<S, A extends number ? [A] : A, Op>
          : Bad
        : never

type WithoutOnes<S extends Shape, Out extends Shape = []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? WithoutOnes<Rest, N extends 1 ? Out : [...Out, N]>
  : Out

type SqueezeAxes<S extends Shape, A, Op extends string, Keys = never> = A extends readonly []
  ? WithoutKeys<S, Keys>
  : A extends readonly [infer First extends number, ...infer Rest]
    ? AxisKey<S, First> extends infer Key extends string
      ? string extends Key
        ? Shape
        : Differs<SizeAt<S, Key>, 1> extends true
          ? ShapeError<`${Op}: axis ${First} of ${ShowShape<S>} has size ${ShowSize<SizeAt<S, Key>>}, not 1`>
          : SqueezeAxes<S, Rest, Op, Keys | Key>
      : never
    : Shape

/**
 * The shape with a dimension of size 1 put in before an axis; a negative axis counts from the end of the result.
 * @example Unsqueeze<[2, 3], 0> // [1, 2, 3]
 * @example Unsqueeze<[2, 3], -1> // [2, 3, 1]
 */
export type Unsqueeze<S extends Shape, A extends number, Op extends string = 'unsqueeze'> = InsertSize<S, A, 1, Op>

/** The shape with one more dimension of a given size before an axis, which counts in the result. */
export type InsertSize<
  S extends Shape,
  A extends number,
  N extends number,
  Op extends string,
> = number extends S['length']
  ? Shape
  : AxisKey<[...S, N], A> extends infer Key extends string
    ? [Key] extends [never]
      ? ShapeError<`${Op}: axis ${A} is out of range for shape ${ShowShape<S>} with one more dimension`>
      : string extends Key
        ? UnknownSizes<[...S, N]>
        : [...Before<S, Key>, N, ...From<S, Key>]
    : never
