import {
  type AvgPoolOptions,
  adaptiveAvgPool1d as adaptiveAvgPool1dOf,
  adaptiveAvgPool2d as adaptiveAvgPool2dOf,
  adaptiveAvgPool3d as adaptiveAvgPool3dOf,
  adaptiveMaxPool1d as adaptiveMaxPool1dOf,
  adaptiveMaxPool2d as adaptiveMaxPool2dOf,
  adaptiveMaxPool3d as adaptiveMaxPool3dOf,
  avgPool1d as avgPool1dOf,
  avgPool2d as avgPool2dOf,
  avgPool3d as avgPool3dOf,
  type MaxPoolOptions,
  maxPool1d as maxPool1dOf,
  maxPool2d as maxPool2dOf,
  maxPool3d as maxPool3dOf,
  OpError,
  type PerDim,
  type SpatialRank,
  type Tensor,
} from '@tessella/tensor'
import { checkCount, checkNotEmpty, checkOptions, checkWindow } from './checks.ts'
import { defineLayer } from './layer.ts'
import type { LayerCall, PoolSpec, ResizeSpec } from './types/index.ts'

type None = Record<never, never>

/** With `ceilMode` the sizes are not followed by types. */
type PoolLayer<N extends string, R extends SpatialRank, K extends PerDim, O> = LayerCall<
  O extends { readonly ceilMode: true } ? PoolSpec<N, R, number, { readonly stride: number }> : PoolSpec<N, R, K, O>
>

function pooling<N extends string, R extends SpatialRank, All extends object>(
  name: N,
  rank: R,
  known: readonly string[],
  run: (x: Tensor, kernel: PerDim, options: All) => Tensor,
) {
  return <const K extends PerDim, const O extends All | None = None>(kernel: K, options?: O): PoolLayer<N, R, K, O> => {
    const settings = (options ?? {}) as All
    checkOptions(name, settings, known)
    checkWindow(name, rank, settings)
    const size: PerDim = kernel
    const ks = typeof size === 'number' ? [size] : size
    for (const k of ks) checkCount(name, 'kernel', k)
    if (ks.length !== 1 && ks.length !== rank)
      throw new OpError(name, `the kernel [${ks.join(', ')}] needs ${rank} sizes`, {
        hint: 'Give one number, or one for each spatial axis.',
      })
    return defineLayer({
      spec: { kind: 'pool', name, rank, kernel, options: settings },
      modal: false,
      parts: {},
      forward: (x) => {
        checkNotEmpty(name, x)
        return run(x, kernel, settings)
      },
    }) as unknown as PoolLayer<N, R, K, O>
  }
}

const maxOptions = ['stride', 'padding', 'dilation', 'ceilMode']
const avgOptions = ['stride', 'padding', 'ceilMode', 'countIncludePad']

/** The largest number of each window of [n, channels, length]; the stride is the kernel unless given. */
export const maxPool1d = pooling('maxPool1d', 1, maxOptions, (x, k, o: MaxPoolOptions) => maxPool1dOf(x, k, o))
/**
 * The largest number of each window of [n, channels, height, width]; the stride is the kernel unless given.
 * The gradient goes to the (first) largest only.
 * @example maxPool2d(2)(zeros([64, 6, 24, 24])) // Tensor<[64, 6, 12, 12], 'float32'>
 */
export const maxPool2d = pooling('maxPool2d', 2, maxOptions, (x, k, o: MaxPoolOptions) => maxPool2dOf(x, k, o))
/** The largest number of each window of [n, channels, depth, height, width]; the stride is the kernel unless given. */
export const maxPool3d = pooling('maxPool3d', 3, maxOptions, (x, k, o: MaxPoolOptions) => maxPool3dOf(x, k, o))
/** The mean of each window of [n, channels, length]; the stride is the kernel unless given. */
export const avgPool1d = pooling('avgPool1d', 1, avgOptions, (x, k, o: AvgPoolOptions) => avgPool1dOf(x, k, o))
/** The mean of each window of [n, channels, height, width]; the stride is the kernel unless given. */
export const avgPool2d = pooling('avgPool2d', 2, avgOptions, (x, k, o: AvgPoolOptions) => avgPool2dOf(x, k, o))
/** The mean of each window of [n, channels, depth, height, width]; the stride is the kernel unless given. */
export const avgPool3d = pooling('avgPool3d', 3, avgOptions, (x, k, o: AvgPoolOptions) => avgPool3dOf(x, k, o))

type Sizes1<P extends PerDim> = P extends number ? [P] : P extends readonly [infer A extends number] ? [A] : [number]
type Sizes2<P extends PerDim> = P extends number
  ? [P, P]
  : P extends readonly [infer A extends number, infer B extends number]
    ? [A, B]
    : [number, number]
type Sizes3<P extends PerDim> = P extends number
  ? [P, P, P]
  : P extends readonly [infer A extends number, infer B extends number, infer C extends number]
    ? [A, B, C]
    : [number, number, number]

function adaptive(name: string, rank: number, outputSize: PerDim, run: (x: Tensor) => Tensor): unknown {
  const sizes = typeof outputSize === 'number' ? new Array<number>(rank).fill(outputSize) : outputSize
  for (const n of sizes) checkCount(name, 'outputSize', n)
  return defineLayer({ spec: { kind: 'resize', name, sizes }, modal: false, parts: {}, forward: run })
}

/** Pools [n, channels, length] to a length by means, as `torch.nn.AdaptiveAvgPool1d`. */
export const adaptiveAvgPool1d = <const P extends PerDim>(outputSize: P) =>
  adaptive('adaptiveAvgPool1d', 1, outputSize, (x) => adaptiveAvgPool1dOf(x, outputSize)) as LayerCall<
    ResizeSpec<'adaptiveAvgPool1d', Sizes1<P>>
  >
/**
 * Pools [n, channels, height, width] to a size by means, as `torch.nn.AdaptiveAvgPool2d`.
 * @example adaptiveAvgPool2d(1) // what `globalAvgPool2d` does before it drops the axes
 */
export const adaptiveAvgPool2d = <const P extends PerDim>(outputSize: P) =>
  adaptive('adaptiveAvgPool2d', 2, outputSize, (x) => adaptiveAvgPool2dOf(x, outputSize)) as LayerCall<
    ResizeSpec<'adaptiveAvgPool2d', Sizes2<P>>
  >
/** Pools [n, channels, depth, height, width] to a size by means, as `torch.nn.AdaptiveAvgPool3d`. */
export const adaptiveAvgPool3d = <const P extends PerDim>(outputSize: P) =>
  adaptive('adaptiveAvgPool3d', 3, outputSize, (x) => adaptiveAvgPool3dOf(x, outputSize)) as LayerCall<
    ResizeSpec<'adaptiveAvgPool3d', Sizes3<P>>
  >
/** Pools [n, channels, length] to a length by maxima. */
export const adaptiveMaxPool1d = <const P extends PerDim>(outputSize: P) =>
  adaptive('adaptiveMaxPool1d', 1, outputSize, (x) => adaptiveMaxPool1dOf(x, outputSize)) as LayerCall<
    ResizeSpec<'adaptiveMaxPool1d', Sizes1<P>>
  >
/** Pools [n, channels, height, width] to a size by maxima. */
export const adaptiveMaxPool2d = <const P extends PerDim>(outputSize: P) =>
  adaptive('adaptiveMaxPool2d', 2, outputSize, (x) => adaptiveMaxPool2dOf(x, outputSize)) as LayerCall<
    ResizeSpec<'adaptiveMaxPool2d', Sizes2<P>>
  >
/** Pools [n, channels, depth, height, width] to a size by maxima, as `torch.nn.AdaptiveMaxPool3d`. */
export const adaptiveMaxPool3d = <const P extends PerDim>(outputSize: P) =>
  adaptive('adaptiveMaxPool3d', 3, outputSize, (x) => adaptiveMaxPool3dOf(x, outputSize)) as LayerCall<
    ResizeSpec<'adaptiveMaxPool3d', Sizes3<P>>
  >
