import { OpError, type SpatialRank, type Tensor } from '@tessella/tensor'
import { checkNotEmpty } from './checks.ts'
import { defineLayer } from './layer.ts'
import type { FunctionSpec, LayerCall } from './types/index.ts'

/** Inputs by their number of spatial axes. */
interface Inputs {
  1: [number, number, number]
  2: [number, number, number, number]
  3: [number, number, number, number, number]
}

type GlobalPool<N extends string, R extends SpatialRank> = LayerCall<FunctionSpec<N, Inputs[R], [number, number]>>

const axesText = ['[n, channels, length]', '[n, channels, height, width]', '[n, channels, depth, height, width]']

function globalPool<N extends string, R extends SpatialRank>(
  name: N,
  rank: R,
  run: (x: Tensor, axes: number[]) => Tensor,
) {
  return (): GlobalPool<N, R> =>
    defineLayer({
      spec: { kind: 'function', name, in: [], out: [] },
      modal: false,
      parts: {},
      forward: (x) => {
        if (x.ndim !== rank + 2) throw new OpError(name, `expects ${axesText[rank - 1]}`, { shapes: [x.shape] })
        checkNotEmpty(name, x)
        return run(
          x,
          Array.from({ length: rank }, (_, i) => i + 2),
        )
      },
    }) as unknown as GlobalPool<N, R>
}

const mean = (x: Tensor, axes: number[]): Tensor => x.mean(axes) as Tensor
const largest = (x: Tensor, axes: number[]): Tensor => x.max(axes) as Tensor

/** The mean over the length: [n, channels, length] becomes [n, channels]. */
export const globalAvgPool1d = globalPool('globalAvgPool1d', 1, mean)
/** The mean over height and width (Lin et al., 2014): [n, channels, height, width] becomes [n, channels]. */
export const globalAvgPool2d = globalPool('globalAvgPool2d', 2, mean)
/** The mean over depth, height and width: [n, channels, depth, height, width] becomes [n, channels]. */
export const globalAvgPool3d = globalPool('globalAvgPool3d', 3, mean)
/** The largest number over the length: [n, channels, length] becomes [n, channels]. */
export const globalMaxPool1d = globalPool('globalMaxPool1d', 1, largest)
/** The largest number over height and width: [n, channels, height, width] becomes [n, channels]. */
export const globalMaxPool2d = globalPool('globalMaxPool2d', 2, largest)
/** The largest number over depth, height and width: [n, channels, depth, height, width] becomes [n, channels]. */
export const globalMaxPool3d = globalPool('globalMaxPool3d', 3, largest)
