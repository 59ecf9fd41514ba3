import type { Mul, Sub } from './digits.ts'

/**
 * Sizes of a tensor, outermost first. A size typed `number` is unknown; `readonly number[]` has an unknown rank.
 * What is unknown is not checked when compiling, and never turns into `never` or `any`.
 */
export type Shape = readonly number[]

/** The shape as a plain mutable tuple, so that `as const` arguments and results print alike. */
export type AsShape<S extends Shape> = [...S]

/** The same rank with every size unknown. */
export type UnknownSizes<S extends Shape> = { -readonly [K in keyof S]: number }

/** Two sizes that must be equal: the more precise of them, `never` where they differ. */
export type Meet<A extends number, B extends number> = A & B

/** `true` where two sizes cannot be equal. */
export type Differs<A extends number, B extends number> = [A & B] extends [never] ? true : false

/** A literal as it is, and `number` for a union of literals. */
export type Literal<N extends number> = LiteralOf<N, N>
type LiteralOf<N extends number, Whole extends number> = N extends unknown ? ([Whole] extends [N] ? N : number) : never

/**
 * The place of an axis as a tuple key, counting negative axes from the end: `'0'` is the first.
 * `never` where it is out of range and `string` where it is not known.
 * @example AxisKey<[2, 3, 4], -1> // '2'
 */
export type AxisKey<S extends Shape, A extends number> =
  number extends Literal<A>
    ? string
    : number extends S['length']
      ? string
      : `${A}` extends `-${infer N extends number}`
        ? `${Sub<S['length'], N>}` & keyof S
        : `${A}` & keyof S

/** The size of one dimension; `number` where it is not known. */
export type SizeAt<S extends Shape, Key> = Key extends keyof S ? Extract<S[Key], number> : number

/** The shape with the size at one place replaced. */
export type WithSize<S extends Shape, Key, N extends number> = { -readonly [K in keyof S]: K extends Key ? N : S[K] }

/** The shape without the places in a union of keys. */
export type WithoutKeys<
  S extends Shape,
  Keys,
  Out extends Shape = [],
  At extends readonly unknown[] = [],
> = S extends readonly [infer N extends number, ...infer Rest extends Shape]
  ? WithoutKeys<Rest, Keys, `${At['length']}` extends Keys ? Out : [...Out, N], [...At, unknown]>
  : Out

/** The first sizes of a shape, up to and without a key. */
export type Before<S extends Shape, Key, Out extends Shape = []> = `${Out['length']}` extends Key
  ? Out
  : S extends readonly [infer N extends number, ...infer Rest extends Shape]
    ? Before<Rest, Key, [...Out, N]>
    : Out

/** The last sizes of a shape, from a key on. */
export type From<S extends Shape, Key, At extends readonly unknown[] = []> = `${At['length']}` extends Key
  ? [...S]
  : S extends readonly [number, ...infer Rest extends Shape]
    ? From<Rest, Key, [...At, unknown]>
    : []

/**
 * The number of elements; `number` where a size is unknown.
 * @example Product<[3, 224, 224]> // 150528
 */
export type Product<S extends Shape> = number extends S[number]
  ? number
  : number extends S['length']
    ? number
    : ProductOf<S>

type ProductOf<S extends Shape, Out extends number = 1> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? ProductOf<Rest, Mul<Out, N>>
  : Out
