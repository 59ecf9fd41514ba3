import type { Add, CeilDiv, FloorDiv, Mul, Sub } from './digits.ts'
import type { Shape } from './shape.ts'
import type { ShapeError, ShowShape, ShowSize } from './shapeError.ts'

/** One number for every spatial dimension, or one each. */
export type PerDim = number | readonly number[]

/** Zeros on both sides of each spatial dimension; `'same'` gives ceil(size / stride), `'valid'` pads nothing. */
export type Padding = PerDim | 'same' | 'valid'

/**
 * How many places a sliding window has: floor((n + 2 p - d (k - 1) - 1) / s) + 1, as in `torch.nn.Conv2d`.
 * `never` where the window is larger than the padded input.
 * @example WindowSize<28, 5> // 24
 * @example WindowSize<224, 7, 2, 3> // 112
 */
export type WindowSize<
  N extends number,
  K extends number,
  S extends number = 1,
  P extends number = 0,
  D extends number = 1,
> =
  Sub<Add<N, Add<P, P>>, Reach<K, D>> extends infer Room extends number
    ? number extends Room
      ? number
      : `${Room}` extends `-${string}`
        ? never
        : Add<FloorDiv<Room, S>, 1>
    : never

/** d (k - 1) + 1: how far a dilated window reaches. */
type Reach<K extends number, D extends number> = D extends 1 ? K : Add<Mul<D, Sub<K, 1>>, 1>

type At<P, I extends string, Default extends number> = P extends undefined
  ? Default
  : P extends number
    ? P
    : P extends readonly number[]
      ? number extends P['length']
        ? number
        : I extends keyof P
          ? Extract<P[I], number>
          : number
      : number

type OneWindow<N extends number, K extends number, S extends number, P, I extends string, D extends number> = [
  P,
] extends ['same']
  ? CeilDiv<N, S>
  : [P] extends ['valid']
    ? WindowSize<N, K, S, 0, D>
    : WindowSize<N, K, S, At<P, I, 0>, D>

/** The sizes of several windows; `never` where one does not fit. */
type Windows<Ns extends Shape, K, S, P, D, Out extends Shape = []> = Ns extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? OneWindow<
      N,
      At<K, `${Out['length']}`, 1>,
      At<S, `${Out['length']}`, 1>,
      P,
      `${Out['length']}`,
      At<D, `${Out['length']}`, 1>
    > extends infer M extends number
    ? [M] extends [never]
      ? never
      : Windows<Rest, K, S, P, D, [...Out, M]>
    : never
  : Out

/** Spatial sizes of which nothing is known. */
export interface UnknownSpatial {
  1: [number]
  2: [number, number]
  3: [number, number, number]
}

/** One, two or three spatial dimensions. */
export type SpatialRank = 1 | 2 | 3

/** The numbers of a sliding window. */
export interface WindowOptions {
  readonly stride?: PerDim | undefined
  readonly padding?: Padding | undefined
  readonly dilation?: PerDim | undefined
}

type Option<O, Name extends string> = O extends { readonly [K in Name]?: infer V } ? V : undefined
type Given<O, Name extends string> = Name extends keyof O
  ? Exclude<Option<O, Name>, undefined> extends infer V
    ? [V] extends [never]
      ? undefined
      : V
    : never
  : undefined

/**
 * Spatial sizes after windows slide over them, or an error that names the kernel.
 * @example SlideWindows<[28, 28], 5> // [24, 24]
 */
export type SlideWindows<Ns extends Shape, K extends PerDim, O = unknown, Op extends string = 'window'> =
  Windows<Ns, K, Given<O, 'stride'>, Given<O, 'padding'>, Given<O, 'dilation'>> extends infer R extends Shape
    ? [R] extends [never]
      ? ShapeError<`${Op}: a kernel of ${ShowPerDim<K>} does not fit an input of ${ShowShape<Ns>}`>
      : R
    : never

/** Kernel sizes as text. */
export type ShowPerDim<K extends PerDim> = K extends number ? ShowSize<K> : K extends Shape ? ShowShape<K> : never
