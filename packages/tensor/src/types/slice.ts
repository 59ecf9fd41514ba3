import type { Add, CeilDiv, LessThan, Min, Sub } from './digits.ts'
import type { BadAxis } from './reduce.ts'
import type { AxisKey, Before, From, Shape, SizeAt, UnknownSizes, WithSize } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/**
 * The size of a slice, as Python counts it: negative ends count from the end, ends outside are cut off.
 * @example SliceSize<10, 2, 5> // 3
 * @example SliceSize<10, -3, undefined> // 3
 */
export type SliceSize<
  N extends number,
  Start extends number | undefined = undefined,
  Stop extends number | undefined = undefined,
  Step extends number | undefined = undefined,
> = number extends N
  ? number
  : SliceSpan<SliceEnd<N, Start, 0>, SliceEnd<N, Stop, N>, [Step] extends [undefined] ? 1 : Step>

type SliceSpan<From extends number, To extends number, Step> = [Step] extends [infer P extends number]
  ? number extends P
    ? number
    : `${P}` extends `-${string}`
      ? number
      : LessThan<From, To> extends infer L extends boolean
        ? boolean extends L
          ? number
          : L extends true
            ? CeilDiv<Sub<To, From>, P>
            : 0
        : never
  : number

type SliceEnd<N extends number, End, Default extends number> = [End] extends [undefined]
  ? Default
  : [End] extends [infer E extends number]
    ? number extends E
      ? number
      : `${E}` extends `-${infer Back extends number}`
        ? LessThan<N, Back> extends true
          ? 0
          : Sub<N, Back>
        : Min<E, N>
    : number

/**
 * The shape after a slice of one dimension.
 * @example SliceDim<[60000, 28, 28], 0, 0, 100> // [100, 28, 28]
 */
export type SliceDim<
  S extends Shape,
  A extends number,
  Start extends number | undefined = undefined,
  Stop extends number | undefined = undefined,
  Step extends number | undefined = undefined,
  Op extends string = 'slice',
> = number extends S['length']
  ? Shape
  : BadAxis<S, A, Op> extends infer Bad
    ? [Bad] extends [never]
      ? AxisKey<S, A> extends infer Key extends string
        ? string extends Key
          ? UnknownSizes<S>
          : WithSize<S, Key, SliceSize<SizeAt<S, Key>, Start, Stop, Step>>
        : never
      : Bad
    : never

/**
 * The shape with one dimension replaced by the shape of the indices that pick from it: `gather` of rows, embedding.
 * A scalar index (`[]`) drops the dimension.
 * @example Take<[5000, 64], [32, 10]> // [32, 10, 64]
 * @example Take<[2, 3, 4], [], 1> // [2, 4]
 */
export type Take<
  S extends Shape,
  Index extends Shape,
  A extends number = 0,
  Op extends string = 'take',
> = number extends S['length']
  ? Shape
  : number extends Index['length']
    ? Shape
    : BadAxis<S, A, Op> extends infer Bad
      ? [Bad] extends [never]
        ? AxisKey<S, A> extends infer Key extends string
          ? string extends Key
            ? UnknownSizes<[...Before<S, '0'>, ...Index, ...From<S, '1'>]>
            : From<S, Key> extends readonly [number, ...infer Tail extends Shape]
              ? [...Before<S, Key>, ...Index, ...Tail]
              : never
          : never
        : Bad
      : never

/**
 * The shape after padding: one pair `[before, after]` for each dimension. A number pads every side alike.
 * @example Pad<[3, 28], [[0, 0], [2, 2]]> // [3, 32]
 */
export type Pad<
  S extends Shape,
  P extends number | readonly (readonly [number, number])[],
  Op extends string = 'pad',
> = number extends S['length']
  ? Shape
  : P extends number
    ? { -readonly [K in keyof S]: Add<S[K], Add<P, P>> }
    : P extends readonly (readonly [number, number])[]
      ? number extends P['length']
        ? UnknownSizes<S>
        : P['length'] extends S['length']
          ? { -readonly [K in keyof S]: K extends keyof P ? Padded<S[K], P[K]> : number }
          : ShapeError<`${Op}: ${P['length']} pairs of widths for shape ${ShowShape<S>}`>
      : never

type Padded<N extends number, P> = P extends readonly [infer Before extends number, infer After extends number]
  ? Add<Add<N, Before>, After>
  : number
