import type {
  Add,
  AsShape,
  Broadcast,
  Differs,
  Flatten,
  Mul,
  PerDim,
  PoolOptions,
  Product,
  Shape,
  ShapeError,
  ShowShape,
  SlideWindows,
  SpatialRank,
  SplitSpatial,
  Sub,
  UnknownSpatial,
} from '@tessella/tensor'
import type { RunChain, SpecOf } from './chain.ts'
import type {
  ChainSpec,
  ChannelsSpec,
  ConvSpec,
  ConvTransposeSpec,
  FeaturesSpec,
  FlattenSpec,
  FunctionSpec,
  InputSpec,
  LookupSpec,
  PoolSpec,
  ResidualSpec,
  ResizeSpec,
  SameSpec,
  UnflattenSpec,
} from './specs.ts'

/** How a message names what a layer is given. */
export type Giver = 'the input has' | 'the layer before gives'

/**
 * The shape that a layer makes of a shape, or a `ShapeError` that says what it expects and what it got.
 * @example Step<[64, 784], FeaturesSpec<'linear', 784, 10>> // [64, 10]
 * @example Step<[64, 256], FeaturesSpec<'linear', 400, 120>>
 * // ShapeError<'linear expects 400 features, the input has 256'>
 */
export type Step<S extends Shape, P, From extends Giver = 'the input has'> = P extends SameSpec<string> & {
  readonly kind: 'same'
}
  ? S
  : P extends FeaturesSpec<infer Name, infer In, infer Out>
    ? StepFeatures<S, Name, In, Out, From>
    : P extends ConvSpec<infer Name, infer Rank, infer In, infer Out, infer Kernel, infer Options>
      ? StepConv<S, Name, Rank, In, From> extends infer Ns
        ? Ns extends Shape
          ? SlideWindows<Ns, Kernel, Options, Name> extends infer R
            ? R extends Shape
              ? [BatchOf<S>, Out, ...R]
              : R
            : never
          : Ns
        : never
      : P extends PoolSpec<infer Name, infer Rank, infer Kernel, infer Options>
        ? StepPool<S, Name, Rank, Kernel, Options, From>
        : P extends FlattenSpec<infer Start, infer End>
          ? StepFlatten<S, Start, End>
          : P extends ChannelsSpec<infer Name, infer C>
            ? StepChannels<S, Name, C, From>
            : P extends ChainSpec<infer Layers>
              ? RunChain<S, Layers, From>
              : P extends LookupSpec<string, infer Dim>
                ? [...S, Dim]
                : P extends InputSpec<infer Sizes>
                  ? StepInput<S, Sizes>
                  : StepOther<S, P, From>

type Count<N extends number, Noun extends string> = N extends 1 ? `1 ${Noun}` : `${N} ${Noun}s`

type StepOther<S extends Shape, P, From extends Giver> =
  P extends ResizeSpec<infer Name, infer Sizes>
    ? StepResize<S, Name, Sizes, From>
    : P extends UnflattenSpec<infer Axis, infer Sizes>
      ? StepUnflatten<S, Axis, Sizes, From>
      : P extends ConvTransposeSpec<infer Name, infer Rank, infer In, infer Out, infer Kernel, infer Options>
        ? StepConv<S, Name, Rank, In, From> extends infer Ns
          ? Ns extends Shape
            ? [BatchOf<S>, Out, ...Grow<Ns, Kernel, Options>]
            : Ns
          : never
        : P extends ResidualSpec<infer Inner>
          ? StepResidual<S, Step<S, SpecOf<Inner>, From>>
          : P extends FunctionSpec<infer Name, infer In, infer Out>
            ? StepFunction<S, Name, In, Out, From>
            : Shape

type BatchOf<S extends Shape> = S extends readonly [infer N extends number, ...Shape] ? N : number

type StepFeatures<
  S extends Shape,
  Name extends string,
  In extends number,
  Out extends number,
  From extends Giver,
> = S extends readonly [...infer Lead extends Shape, infer N extends number]
  ? Differs<N, In> extends true
    ? ShapeError<`${Name} expects ${Count<In, 'feature'>}, ${From} ${N}`>
    : [...Lead, Out]
  : S extends readonly []
    ? ShapeError<`${Name} expects ${Count<In, 'feature'>}, ${From} none`>
    : [...S, Out]

/** The names of the axes that a layer with spatial dimensions wants. */
interface AxesText {
  1: '[n,channels,length]'
  2: '[n,channels,height,width]'
  3: '[n,channels,depth,height,width]'
}

/** The spatial sizes that reach a convolution, after the check of rank and channels. */
type StepConv<
  S extends Shape,
  Name extends string,
  Rank extends SpatialRank,
  In extends number,
  From extends Giver,
> = number extends S['length']
  ? UnknownSpatial[Rank]
  : S extends readonly [number, infer C extends number, ...infer Ns extends Shape]
    ? Ns['length'] extends Rank
      ? Differs<C, In> extends true
        ? ShapeError<`${Name} expects ${Count<In, 'channel'>}, ${From} ${C}`>
        : Ns
      : ShapeError<`${Name} expects ${AxesText[Rank]}, ${From} ${ShowShape<S>}`>
    : ShapeError<`${Name} expects ${AxesText[Rank]}, ${From} ${ShowShape<S>}`>

type StepPool<
  S extends Shape,
  Name extends string,
  Rank extends SpatialRank,
  Kernel extends PerDim,
  Options,
  From extends Giver,
> = number extends S['length']
  ? Shape
  : S extends readonly [number, number, ...infer Ns extends Shape]
    ? Ns['length'] extends Rank
      ? SlideWindows<Ns, Kernel, PoolOptions<Kernel, Options>, Name> extends infer R
        ? R extends Shape
          ? [S[0], S[1], ...R]
          : R
        : never
      : ShapeError<`${Name} expects ${AxesText[Rank]}, ${From} ${ShowShape<S>}`>
    : ShapeError<`${Name} expects ${AxesText[Rank]}, ${From} ${ShowShape<S>}`>

/** From axis 1 on, a shape of unknown rank becomes a matrix. */
type StepFlatten<S extends Shape, Start extends number, End extends number> = number extends S['length']
  ? [Start, End] extends [1, -1]
    ? [number, number]
    : Shape
  : Flatten<S, Start, End>

type StepChannels<
  S extends Shape,
  Name extends string,
  C extends number,
  From extends Giver,
> = number extends S['length']
  ? S
  : S extends readonly [number, infer N extends number, ...Shape]
    ? Differs<N, C> extends true
      ? ShapeError<`${Name} expects ${Count<C, 'channel'>}, ${From} ${N}`>
      : S
    : ShapeError<`${Name} expects [n,channels,...], ${From} ${ShowShape<S>}`>

type StepInput<S extends Shape, Sizes extends Shape> = number extends S['length']
  ? [number, ...Sizes]
  : MeetShapes<S, [number, ...Sizes]> extends infer R extends Shape
    ? [R] extends [never]
      ? ShapeError<`the model expects inputs ${ShowShape<[number, ...Sizes]>}, the input has ${ShowShape<S>}`>
      : R
    : never

/** Both shapes at once, the more precise size of each axis; `never` where they differ. */
type MeetShapes<A extends Shape, B extends Shape, Out extends Shape = []> = A extends readonly [
  infer X extends number,
  ...infer As extends Shape,
]
  ? B extends readonly [infer Y extends number, ...infer Bs extends Shape]
    ? Differs<X, Y> extends true
      ? never
      : MeetShapes<As, Bs, [...Out, X & Y]>
    : never
  : B extends readonly []
    ? Out
    : never

type StepResidual<S extends Shape, R> = R extends Shape ? Broadcast<S, R, 'residual'> : R

type StepFunction<
  S extends Shape,
  Name extends string,
  In extends Shape,
  Out extends Shape,
  From extends Giver,
> = number extends S['length'] | In['length']
  ? Out
  : [MeetShapes<S, In>] extends [never]
    ? ShapeError<`${Name} expects ${ShowShape<In>}, ${From} ${ShowShape<S>}`>
    : Out

type StepResize<
  S extends Shape,
  Name extends string,
  Sizes extends Shape,
  From extends Giver,
> = number extends S['length']
  ? Shape
  : SplitSpatial<S, Sizes['length'] & SpatialRank> extends [infer Lead extends Shape, Shape]
    ? [...Lead, ...Sizes]
    : ShapeError<`${Name} expects ${Sizes['length']} axes to resize, ${From} ${ShowShape<S>}`>

/** Axis 1 is the usual one; others are not followed. */
type StepUnflatten<S extends Shape, Axis extends number, Sizes extends Shape, From extends Giver> = [Axis] extends [1]
  ? number extends S['length']
    ? Shape
    : S extends readonly [infer N extends number, infer F extends number, ...infer Tail extends Shape]
      ? Differs<F, Product<Sizes>> extends true
        ? ShapeError<`unflatten to ${ShowShape<Sizes>} expects ${Count<Product<Sizes>, 'feature'>}, ${From} ${F}`>
        : [N, ...Sizes, ...Tail]
      : ShapeError<`unflatten expects [n,features], ${From} ${ShowShape<S>}`>
  : Shape

type OptionAt<O, Name extends string, I extends string, Default extends number> = O extends {
  readonly [K in Name]: infer V
}
  ? V extends number
    ? V
    : V extends readonly number[]
      ? I extends keyof V
        ? Extract<V[I], number>
        : number
      : number
  : Default

/** (n - 1) s - 2 p + d (k - 1) + outputPadding + 1, as in `torch.nn.ConvTranspose2d`. */
type Grow<Ns extends Shape, K, O, Out extends Shape = []> = Ns extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Grow<
      Rest,
      K,
      O,
      [...Out, GrowOne<N, OptionAt<{ readonly k: K }, 'k', `${Out['length']}`, 1>, O, `${Out['length']}`>]
    >
  : AsShape<Out>

type GrowOne<N extends number, K extends number, O, I extends string> = Sub<
  Add<
    Add<Mul<Sub<N, 1>, OptionAt<O, 'stride', I, 1>>, Mul<OptionAt<O, 'dilation', I, 1>, Sub<K, 1>>>,
    Add<OptionAt<O, 'outputPadding', I, 0>, 1>
  >,
  Mul<OptionAt<O, 'padding', I, 0>, 2>
>
