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
 * The demand a shape result puts on an argument: nothing (`unknown`) where it is a shape, and the unmeetable error
 * where it is not. Unions count as fitting when one member fits.
 * @example declare function add<A extends Shape, B extends Shape>(
 *   a: Tensor<A>, b: Tensor<B> & Check<Broadcast<A, B, 'add'>>): Tensor<Ok<Broadcast<A, B, 'add'>>>
 */
export type Check<Result> = [Result] extends [ShapeError] ? Result : unknown

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
