import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d as conv1dOf,
  conv2d as conv2dOf,
  conv3d as conv3dOf,
  convTranspose1d as convTranspose1dOf,
  convTranspose2d as convTranspose2dOf,
  convTranspose3d as convTranspose3dOf,
  OpError,
  type PerDim,
  type SpatialRank,
  type Tensor,
  type UnknownSpatial,
  type Variable,
} from '@tessella/tensor'
import { checkChannels, checkCount, checkOptions, checkWindow } from './checks.ts'
import { defineLayer } from './layer.ts'
import { type BiasOf, type WeightOptions, weightAndBias } from './linear.ts'
import type { ConvSpec, ConvTransposeSpec, LayerCall } from './types/index.ts'

/** Settings of a convolution; `padding` is a width, `'same'` or `'valid'`. */
export interface ConvLayerOptions extends ConvOptions, WeightOptions {}
/** Settings of a transposed convolution. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions, WeightOptions {}

type None = Record<never, never>
type HasBias<O> = O extends { readonly bias: infer B extends boolean } ? B : true

interface Filters<R extends SpatialRank, First extends number, O extends number, B extends boolean> {
  readonly weight: Variable<[First, number, ...UnknownSpatial[R]], 'float32'>
  readonly bias: BiasOf<B, O>
}
/** A convolution with its parameters. */
export type Convolution<
  N extends string,
  R extends SpatialRank,
  I extends number,
  O extends number,
  K extends PerDim,
  Options,
> = LayerCall<ConvSpec<N, R, I, O, K, Options>> & Filters<R, O, O, HasBias<Options>>
/** A transposed convolution with its parameters. */
export type TransposedConvolution<
  N extends string,
  R extends SpatialRank,
  I extends number,
  O extends number,
  K extends PerDim,
  Options,
> = LayerCall<ConvTransposeSpec<N, R, I, O, K, Options>> & Filters<R, I, O, HasBias<Options>>

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const weightOptions = ['bias', 'init', 'biasInit', 'seed']

interface Numbers {
  readonly kernel: readonly number[]
  readonly groups: number
}

/** Checks what every convolution has. */
function numbers(op: string, rank: number, i: number, o: number, kernel: PerDim, groups: number): Numbers {
  checkCount(op, 'inChannels', i)
  checkCount(op, 'outChannels', o)
  checkCount(op, 'groups', groups)
  const ks = typeof kernel === 'number' ? new Array<number>(rank).fill(kernel) : kernel
  if (ks.length !== rank)
    throw new OpError(op, `the kernel [${ks.join(', ')}] needs ${rank} sizes`, {
      hint: 'Give one number, or one for each spatial axis.',
    })
  for (const k of ks) checkCount(op, 'kernel', k)
  if (i % groups !== 0 || o % groups !== 0)
    throw new OpError(op, `${i} and ${o} channels do not split into ${groups} groups`, {
      hint: 'Both must be multiples of groups.',
    })
  return { kernel: ks, groups }
}

type ConvFn = (x: Tensor, weight: Tensor, options: ConvOptions & { readonly bias?: Tensor | undefined }) => Tensor

function convolution<N extends string, R extends SpatialRank>(name: N, rank: R, run: ConvFn) {
  return <
    const I extends number,
    const O extends number,
    const K extends PerDim,
    const Options extends ConvLayerOptions = None,
  >(
    inChannels: I,
    outChannels: O,
    kernel: K,
    options?: Options,
  ): Convolution<N, R, I, O, K, Options> => {
    const settings: ConvLayerOptions = options ?? {}
    checkOptions(name, settings, ['stride', 'padding', 'dilation', 'groups', ...weightOptions])
    checkWindow(name, rank, settings, ["'same'", "'valid'"])
    const { kernel: ks, groups } = numbers(name, rank, inChannels, outChannels, kernel, settings.groups ?? 1)
    const perFilter = (inChannels / groups) * size(ks)
    const shape = [outChannels, inChannels / groups, ...ks]
    const { parts, value, recipes } = weightAndBias(shape, outChannels, perFilter, settings)
    const { stride, padding, dilation } = settings
    const layer = defineLayer({
      spec: { kind: 'conv', name, rank, in: inChannels, out: outChannels, kernel, options: settings },
      modal: false,
      parts,
      recipes,
      macs: (_, output) => size(output) * perFilter,
      forward: (x) => {
        checkChannels(name, x, inChannels, rank, shape)
        return run(x, value.weight(), { stride, padding, dilation, groups, bias: value.bias() })
      },
    })
    return layer as unknown as Convolution<N, R, I, O, K, Options>
  }
}

type ConvTransposeFn = (
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions & { readonly bias?: Tensor | undefined },
) => Tensor

function transposed<N extends string, R extends SpatialRank>(name: N, rank: R, run: ConvTransposeFn) {
  return <
    const I extends number,
    const O extends number,
    const K extends PerDim,
    const Options extends ConvTransposeLayerOptions = None,
  >(
    inChannels: I,
    outChannels: O,
    kernel: K,
    options?: Options,
  ): TransposedConvolution<N, R, I, O, K, Options> => {
    const settings: ConvTransposeLayerOptions = options ?? {}
    checkOptions(name, settings, ['stride', 'padding', 'outputPadding', 'dilation', 'groups', ...weightOptions])
    checkWindow(name, rank, settings)
    const { kernel: ks, groups } = numbers(name, rank, inChannels, outChannels, kernel, settings.groups ?? 1)
    const perInput = (outChannels / groups) * size(ks)
    const shape = [inChannels, outChannels / groups, ...ks]
    // PyTorch counts the fan in of a transposed weight by its second axis too.
    const { parts, value, recipes } = weightAndBias(shape, outChannels, perInput, settings)
    const { stride, padding, outputPadding, dilation } = settings
    const layer = defineLayer({
      spec: { kind: 'convTranspose', name, rank, in: inChannels, out: outChannels, kernel, options: settings },
      modal: false,
      parts,
      recipes,
      macs: (input) => size(input) * perInput,
      forward: (x) => {
        checkChannels(name, x, inChannels, rank, shape)
        return run(x, value.weight(), { stride, padding, outputPadding, dilation, groups, bias: value.bias() })
      },
    })
    return layer as unknown as TransposedConvolution<N, R, I, O, K, Options>
  }
}

/**
 * Cross-correlation of [n, in, length] as `torch.nn.Conv1d`; the weight is [out, in / groups, kernel].
 * The output has floor((length + 2 p - d (k - 1) - 1) / s) + 1 places.
 * @example conv1d(1, 8, 3)(zeros([4, 1, 100])) // Tensor<[4, 8, 98], 'float32'>
 */
export const conv1d = convolution('conv1d', 1, (x, w, o) => conv1dOf(x, w, o))
/**
 * Cross-correlation of [n, in, height, width] as `torch.nn.Conv2d`; the weight is [out, in / groups, kh, kw].
 * @example conv2d(1, 6, 5)(zeros([64, 1, 28, 28])) // Tensor<[64, 6, 24, 24], 'float32'>
 * @example conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })
 */
export const conv2d = convolution('conv2d', 2, (x, w, o) => conv2dOf(x, w, o))
/** Cross-correlation of [n, in, depth, height, width] as `torch.nn.Conv3d`; the weight is [out, in / groups, kd, kh, kw]. */
export const conv3d = convolution('conv3d', 3, (x, w, o) => conv3dOf(x, w, o))

/** The transposed convolution of [n, in, length] as `torch.nn.ConvTranspose1d`; the weight is [in, out / groups, kernel]. */
export const convTranspose1d = transposed('convTranspose1d', 1, (x, w, o) => convTranspose1dOf(x, w, o))
/**
 * The transposed convolution of [n, in, height, width] as `torch.nn.ConvTranspose2d`: the output has
 * (size - 1) s - 2 p + d (k - 1) + outputPadding + 1 places. The weight is [in, out / groups, kh, kw].
 * @example convTranspose2d(16, 3, 4, { stride: 2, padding: 1 })(zeros([8, 16, 14, 14])) // Tensor<[8, 3, 28, 28], 'float32'>
 */
export const convTranspose2d = transposed('convTranspose2d', 2, (x, w, o) => convTranspose2dOf(x, w, o))
/** The transposed convolution of [n, in, depth, height, width] as `torch.nn.ConvTranspose3d`. */
export const convTranspose3d = transposed('convTranspose3d', 3, (x, w, o) => convTranspose3dOf(x, w, o))
