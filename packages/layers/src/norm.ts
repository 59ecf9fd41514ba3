import { OpError, type Shape, type Tensor, type Variable } from '@tessella/tensor'
import { checkCount, checkFeatures, checkNotEmpty, checkOptions } from './checks.ts'
import { ones, zeros } from './init.ts'
import { defineLayer } from './layer.ts'
import { parameter } from './recipe.ts'
import type { ChannelsSpec, FeaturesSpec, LayerCall, SameSpec } from './types/index.ts'

/** Settings of normalisations that keep no statistics. */
export interface NormOptions<A extends boolean = boolean> {
  /** Added to the mean square. Default 1e-5. */
  readonly eps?: number | undefined
  /** A learned scale and shift. Default true, for `instanceNorm` false, as in PyTorch. */
  readonly affine?: A | undefined
}

interface ScaleAndShift<S extends Shape, A extends boolean> {
  readonly weight: A extends true ? Variable<S, 'float32'> : undefined
  readonly bias: A extends true ? Variable<S, 'float32'> : undefined
}

function settings(
  op: string,
  options: NormOptions,
  affine: boolean,
): { readonly eps: number; readonly affine: boolean } {
  checkOptions(op, options, ['eps', 'affine'])
  const { eps = 1e-5 } = options
  if (!(eps > 0)) throw new OpError(op, `eps must be above 0, got ${eps}`)
  return { eps, affine: options.affine ?? affine }
}

function scaleAndShift(shape: Shape, affine: boolean) {
  if (!affine) return { parts: { weight: undefined, bias: undefined }, recipes: [], apply: (x: Tensor) => x }
  const weight = parameter('weight', shape, ones, { role: 'other', seed: 0 })
  const bias = parameter('bias', shape, zeros, { role: 'other', seed: 0 })
  const apply = (x: Tensor, column: Shape = shape): Tensor =>
    x.mul(weight.variable.value.reshape(column) as Tensor).add(bias.variable.value.reshape(column) as Tensor) as Tensor
  return { parts: { weight: weight.variable, bias: bias.variable }, recipes: [weight.recipe, bias.recipe], apply }
}

/** (x - mean) / sqrt(var + eps) over axes. */
function standardized(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const centred = x.sub(x.mean(axes, { keepdim: true }) as Tensor) as Tensor
  const variance = centred.square().mean(axes, { keepdim: true }) as Tensor
  return centred.mul(variance.add(eps).rsqrt() as Tensor) as Tensor
}

const lastAxes = (x: Tensor, count: number): number[] => Array.from({ length: count }, (_, i) => x.ndim - count + i)

/** Layer normalisation with its parameters. */
export type LayerNorm<N extends number | Shape, A extends boolean = true> = LayerCall<
  N extends number ? FeaturesSpec<'layerNorm', N, N> : SameSpec<'layerNorm'>
> &
  ScaleAndShift<N extends number ? [N] : N extends Shape ? [...N] : never, A>

/**
 * (x - mean) / sqrt(var + eps) weight + bias over the last axis, or the last axes that a list names
 * (Ba et al., 2016), as `torch.nn.LayerNorm`.
 * @example layerNorm(64)(zeros([8, 10, 64]))
 */
export function layerNorm<const N extends number | Shape, const A extends boolean = true>(
  normalizedShape: N,
  options: NormOptions<A> = {},
): LayerNorm<N, A> {
  const sizes: Shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape
  for (const n of sizes) checkCount('layerNorm', 'normalizedShape', n)
  const { eps, affine } = settings('layerNorm', options, true)
  const { parts, recipes, apply } = scaleAndShift(sizes, affine)
  const last = sizes.at(-1) as number
  const spec =
    typeof normalizedShape === 'number'
      ? { kind: 'features', name: 'layerNorm', in: last, out: last }
      : { kind: 'same', name: 'layerNorm' }
  return defineLayer({
    spec,
    modal: false,
    parts,
    recipes,
    forward: (x) => {
      checkFeatures('layerNorm', x, last, sizes)
      if (x.shape.slice(-sizes.length).join() !== sizes.join())
        throw new OpError('layerNorm', 'the last sizes of the input differ', { shapes: [x.shape, sizes] })
      return apply(standardized(x, lastAxes(x, sizes.length), eps))
    },
  }) as unknown as LayerNorm<N, A>
}

/** A layer that scales by the root mean square, with its weight. */
export type RmsNorm<N extends number> = LayerCall<FeaturesSpec<'rmsNorm', N, N>> & {
  readonly weight: Variable<[N], 'float32'>
}

/** x / sqrt(mean(x^2) + eps) weight over the last axis (Zhang and Sennrich, 2019). The default eps is 1e-6. */
export function rmsNorm<const N extends number>(features: N, options: { readonly eps?: number } = {}): RmsNorm<N> {
  checkCount('rmsNorm', 'features', features)
  const { eps } = settings('rmsNorm', { eps: 1e-6, ...options }, true)
  const { variable, recipe } = parameter('weight', [features], ones, { role: 'other', seed: 0 })
  return defineLayer({
    spec: { kind: 'features', name: 'rmsNorm', in: features, out: features },
    modal: false,
    parts: { weight: variable },
    recipes: [recipe],
    forward: (x) => {
      checkFeatures('rmsNorm', x, features, [features])
      const scale = x.square().mean(-1, { keepdim: true }).add(eps).rsqrt() as Tensor
      return x.mul(scale).mul(variable.value as unknown as Tensor) as Tensor
    },
  }) as unknown as RmsNorm<N>
}

/** A normalisation of channels with its parameters. */
export type ChannelNorm<N extends string, C extends number, A extends boolean> = LayerCall<ChannelsSpec<N, C>> &
  ScaleAndShift<[C], A>

function grouped(
  op: string,
  groups: number,
  channels: number,
  options: NormOptions,
  affineByDefault: boolean,
): unknown {
  checkCount(op, 'groups', groups)
  checkCount(op, 'channels', channels)
  if (channels % groups !== 0)
    throw new OpError(op, `${channels} channels do not split into ${groups} groups`, { hint: 'Use a divisor.' })
  const { eps, affine } = settings(op, options, affineByDefault)
  const { parts, recipes, apply } = scaleAndShift([channels], affine)
  return defineLayer({
    spec: { kind: 'channels', name: op, channels },
    modal: false,
    parts,
    recipes,
    forward: (x) => {
      if (x.ndim < 2 || x.shape[1] !== channels)
        throw new OpError(op, `expects ${channels} channels, the input has ${x.shape[1] ?? 'none'}`, {
          shapes: [x.shape, [channels]],
          hint: 'Axis 1 holds the channels.',
        })
      checkNotEmpty(op, x)
      const split = x.reshape([x.shape[0] as number, groups, -1]) as Tensor
      const y = standardized(split, [2], eps).reshape(x.shape) as Tensor
      return apply(y, [channels, ...x.shape.slice(2).map(() => 1)])
    },
  })
}

/** Normalises each group of channels of each example (Wu and He, 2018), as `torch.nn.GroupNorm`. */
export const groupNorm = <const C extends number, const A extends boolean = true>(
  groups: number,
  channels: C,
  options: NormOptions<A> = {},
) => grouped('groupNorm', groups, channels, options, true) as ChannelNorm<'groupNorm', C, A>

/** Normalises each channel of each example (Ulyanov et al., 2016), as `torch.nn.InstanceNorm2d` without statistics. */
export const instanceNorm = <const C extends number, const A extends boolean = false>(
  channels: C,
  options: NormOptions<A> = {},
) => grouped('instanceNorm', channels, channels, options, false) as ChannelNorm<'instanceNorm', C, A>

/** Settings of {@link localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number
  /** Default 0.75. */
  readonly beta?: number
  /** Default 1. */
  readonly k?: number
}

/** x / (k + alpha / size sum of x^2 over `size` neighbouring channels)^beta (Krizhevsky et al., 2012). */
export function localResponseNorm(
  size: number,
  options: LocalResponseNormOptions = {},
): LayerCall<SameSpec<'localResponseNorm'>> {
  checkCount('localResponseNorm', 'size', size)
  checkOptions('localResponseNorm', options, ['alpha', 'beta', 'k'])
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options
  return defineLayer({
    spec: { kind: 'same', name: 'localResponseNorm' },
    modal: false,
    parts: {},
    forward: (x) => {
      if (x.ndim < 3) throw new OpError('localResponseNorm', 'expects [n, channels, ...]', { shapes: [x.shape] })
      const channels = x.shape[1] as number
      const before = Math.floor(size / 2)
      const border = x.shape.map((_, i): [number, number] => (i === 1 ? [before, size - 1 - before] : [0, 0]))
      const squares = x.square().pad(border) as Tensor
      let sum = squares.narrow(1, 0, channels) as Tensor
      for (let i = 1; i < size; i++) sum = sum.add(squares.narrow(1, i, channels) as Tensor) as Tensor
      return x.div(
        sum
          .mul(alpha / size)
          .add(k)
          .pow(beta) as Tensor,
      ) as Tensor
    },
  })
}
