import type { PerDim, Shape, SpatialRank } from '@tessella/tensor'

/**
 * What a layer does to a shape, as a plain value and as a type: the compiler follows shapes through a model by it,
 * and a summary prints it. `name` is the factory's name, used in messages.
 */
export interface LayerSpec<Kind extends string = string, Name extends string = string> {
  readonly kind: Kind
  readonly name: Name
}

/** Acts on the last axis, whatever comes before it: `linear`, recurrent layers, `layerNorm`. */
export interface FeaturesSpec<Name extends string, In extends number, Out extends number>
  extends LayerSpec<'features', Name> {
  readonly in: In
  readonly out: Out
}

/** Keeps the shape and wants a number of channels on axis 1: `batchNorm2d`, `groupNorm`. */
export interface ChannelsSpec<Name extends string, Channels extends number> extends LayerSpec<'channels', Name> {
  readonly channels: Channels
}

/** A convolution of `[n, in, ...spatial]`; `Options` has stride, padding and dilation. */
export interface ConvSpec<
  Name extends string,
  Rank extends SpatialRank,
  In extends number,
  Out extends number,
  Kernel extends PerDim,
  Options,
> extends LayerSpec<'conv', Name> {
  readonly rank: Rank
  readonly in: In
  readonly out: Out
  readonly kernel: Kernel
  readonly options: Options
}

/** A transposed convolution of `[n, in, ...spatial]`; `Options` has stride, padding, outputPadding and dilation. */
export interface ConvTransposeSpec<
  Name extends string,
  Rank extends SpatialRank,
  In extends number,
  Out extends number,
  Kernel extends PerDim,
  Options,
> extends LayerSpec<'convTranspose', Name> {
  readonly rank: Rank
  readonly in: In
  readonly out: Out
  readonly kernel: Kernel
  readonly options: Options
}

/** Pools the last `Rank` axes with windows; the stride is the kernel unless `Options` gives one. */
export interface PoolSpec<Name extends string, Rank extends SpatialRank, Kernel extends PerDim, Options>
  extends LayerSpec<'pool', Name> {
  readonly rank: Rank
  readonly kernel: Kernel
  readonly options: Options
}

/** Makes the last axes the given sizes: `adaptiveAvgPool2d`, `upsample` to a size. */
export interface ResizeSpec<Name extends string, Sizes extends Shape> extends LayerSpec<'resize', Name> {
  readonly sizes: Sizes
}

/** Makes the axes from `Start` to `End` one. */
export interface FlattenSpec<Start extends number, End extends number> extends LayerSpec<'flatten', 'flatten'> {
  readonly start: Start
  readonly end: End
}

/** Splits one axis into several: PyTorch's `Unflatten`. */
export interface UnflattenSpec<Axis extends number, Sizes extends Shape> extends LayerSpec<'unflatten', 'unflatten'> {
  readonly axis: Axis
  readonly sizes: Sizes
}

/** Keeps every shape: activations, `identity`, `dropout`. */
export interface SameSpec<Name extends string> extends LayerSpec<'same', Name> {}

/** Looks up a row of `Dim` numbers for each index: `[...s]` becomes `[...s, dim]`. */
export interface LookupSpec<Name extends string, Dim extends number> extends LayerSpec<'lookup', Name> {
  readonly dim: Dim
}

/** Declares the sizes of one example, without the batch axis. */
export interface InputSpec<Sizes extends Shape> extends LayerSpec<'input', 'input'> {
  readonly sizes: Sizes
}

/** Takes one shape and gives one shape: a plain function of tensors. Unknown sizes are `number`. */
export interface FunctionSpec<Name extends string, In extends Shape, Out extends Shape>
  extends LayerSpec<'function', Name> {
  readonly in: In
  readonly out: Out
}

/** Adds what a layer makes of its input to the input. */
export interface ResidualSpec<Inner> extends LayerSpec<'residual', 'residual'> {
  readonly inner: Inner
}

/** Layers one after the other. */
export interface ChainSpec<Layers extends readonly unknown[]> extends LayerSpec<'chain', 'sequential'> {
  readonly layers: Layers
}
