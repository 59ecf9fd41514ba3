import type { Shape } from './shape.ts'

declare const message: unique symbol

/**
 * What a shape computation answers when the shapes do not fit: no value has this type, so a parameter that asks
 * for it rejects every argument and the compiler prints the message.
 */
export interface ShapeError<Message extends string = string> {
  readonly [message]: Message
}

/**
 * The type of an argument that must fit: `T` where the result is a shape, and the message itself, which nothing
 * fits, where it is an error. The compiler then prints: Argument of type 'Tensor<[4, 3]>' is not assignable to
 * parameter of type '"add: shapes [2,3] and [4,3] do not broadcast"'. Unions fit when one member fits.
 * @example declare function add<A extends Shape, B extends Shape>(
 *   a: Tensor<A>, b: Fits<Broadcast<A, B, 'add'>, Tensor<B>>): Tensor<Ok<Broadcast<A, B, 'add'>>>
 */
export type Fits<Result, T> = [Result] extends [ShapeError<infer Message>] ? Message : T

/** The shape in a result; a shape of unknown rank where it is an error, so that one mistake is reported once. */
export type Ok<Result> = [Result] extends [ShapeError] ? Shape : Extract<Result, Shape>

/**
 * A shape as text for messages: unknown sizes are `?`, an unknown rank is `...`.
 * @example ShowShape<[2, 3]> // '[2,3]'
 * @example ShowShape<[number, 10]> // '[?,10]'
 */
export type ShowShape<S extends Shape> = `[${ShowDims<S>}]`

type ShowDims<S extends Shape, Out extends string = ''> = S extends readonly []
  ? Out
  : S extends readonly [infer N extends number, ...infer Rest extends Shape]
    ? ShowDims<Rest, `${Comma<Out>}${ShowSize<N>}`>
    : S extends readonly [...infer Lead extends Shape, infer N extends number]
      ? `${ShowDims<Lead, Out>},${ShowSize<N>}`
      : `${Comma<Out>}...`

type Comma<Out extends string> = Out extends '' ? '' : `${Out},`

/** A size as text for messages: `?` where it is unknown. */
export type ShowSize<N extends number> = number extends N ? '?' : `${N}`

/** The shape of a tensor type; a number counts as a scalar. */
export type ShapeOf<T> = T extends { readonly shape: infer S extends Shape } ? S : []

/** The shapes of a list of tensor types. */
export type ShapesOf<Ts extends readonly unknown[]> = { -readonly [K in keyof Ts]: ShapeOf<Ts[K]> }
