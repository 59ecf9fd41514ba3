import type { Shape, ShapeError } from '@tessella/tensor'
import type { Giver, Step } from './step.ts'

/** What a member of a chain does to shapes; nothing is known of one without a `spec`. */
export type SpecOf<L> = L extends { readonly spec: infer P } ? P : unknown

/** The shape after all layers, or the error of the first that does not fit, with its place in the chain. */
export type RunChain<
  S extends Shape,
  Layers extends readonly unknown[],
  From extends Giver,
  At extends readonly unknown[] = [],
> = Layers extends readonly [infer First, ...infer Rest]
  ? Step<S, SpecOf<First>, From> extends infer R
    ? R extends Shape
      ? RunChain<R, Rest, AfterFirst<First, From>, [...At, unknown]>
      : R extends ShapeError<infer Message>
        ? ShapeError<AtPlace<Message, At>>
        : never
    : never
  : number extends Layers['length']
    ? Shape
    : S

/** An `input` declaration is not a layer that a message could point to. */
type AfterFirst<First, From extends Giver> =
  SpecOf<First> extends { readonly kind: 'input' } ? From : 'the layer before gives'

/** PyTorch's state names number layers from 0 too. The innermost place is the one that is named. */
type AtPlace<Message extends string, At extends readonly unknown[]> = Message extends `${string} (layer ${string})`
  ? Message
  : `${Message} (layer ${At['length'] & number})`

/**
 * A list of layers with the message in the place of each layer that does not fit what comes before it: the type of
 * the arguments of `sequential`. After an error the shape is unknown, so that one mistake is reported once.
 */
export type CheckChain<
  Layers extends readonly unknown[],
  S extends Shape = Shape,
  From extends Giver = 'the input has',
  Out extends readonly unknown[] = [],
> = Layers extends readonly [infer First, ...infer Rest]
  ? Step<S, SpecOf<First>, From> extends infer R
    ? R extends Shape
      ? CheckChain<Rest, R, AfterFirst<First, From>, [...Out, First]>
      : R extends ShapeError<infer Message>
        ? CheckChain<Rest, Shape, 'the layer before gives', [...Out, Message]>
        : never
    : never
  : [...Out, ...Layers]

/**
 * The rest parameter of `sequential`: the layers themselves, or with messages in place of those that do not fit, so
 * that the compiler points at the argument. The detour by two branches is what lets the compiler infer `Layers`.
 * @example declare function sequential<const Ls extends readonly AnyLayer[]>(
 *   ...layers: ChainArguments<Ls>): LayerCall<ChainSpec<Ls>>
 */
export type ChainArguments<Layers extends readonly unknown[]> =
  CheckChain<Layers> extends infer Checked
    ? Layers extends Checked
      ? Layers
      : Checked extends readonly unknown[]
        ? Checked
        : never
    : never
