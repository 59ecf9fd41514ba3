import type { ConvAttrs, Dims, PoolAttrs } from '@tessella/ir'
import { windowSize } from '@tessella/ir'
import { points } from './interpret.ts'

export const outputSizes = (input: Dims, kernel: Dims, attrs: ConvAttrs | PoolAttrs): number[] =>
  input.map((n, i) =>
    windowSize(n, kernel[i]!, attrs.stride[i]!, attrs.padding[i]![0], attrs.padding[i]![1], attrs.dilation[i]!),
  )

const flat = (shape: Dims, index: Dims): number => index.reduce((at, v, d) => at * shape[d]! + v, 0)

/** Calls back with the positions in x, w and y of every product of a convolution. */
export function convProducts(
  x: Dims,
  w: Dims,
  y: Dims,
  attrs: ConvAttrs,
  each: (x: number, w: number, y: number) => void,
) {
  const kernel = w.slice(2)
  for (const index of points(y)) {
    const [n, o, ...out] = index as [number, number, ...number[]]
    const group = Math.floor(o / (w[0]! / attrs.groups))
    for (let c = 0; c < w[1]!; c++)
      for (const k of points(kernel)) {
        const at = out.map((v, i) => v * attrs.stride[i]! + k[i]! * attrs.dilation[i]! - attrs.padding[i]![0])
        if (at.some((v, i) => v < 0 || v >= x[i + 2]!)) continue
        each(flat(x, [n, group * w[1]! + c, ...at]), flat(w, [o, c, ...k]), flat(y, index))
      }
  }
}

/** For every window of a pool, the position of its first maximum (NaN wins); -1 if it sees padding only. */
export function poolMaxima(x: Dims, y: Dims, data: Float32Array, attrs: PoolAttrs): number[] {
  return [...points(y)].map(([n, c, ...out]) => {
    let best = -1
    for (const k of points(attrs.kernel)) {
      const at = out.map((v, i) => v * attrs.stride[i]! + k[i]! * attrs.dilation[i]! - attrs.padding[i]![0])
      if (at.some((v, i) => v < 0 || v >= x[i + 2]!)) continue
      const p = flat(x, [n!, c!, ...at])
      if (best < 0 || (!Number.isNaN(data[best]!) && !(data[p]! <= data[best]!))) best = p
    }
    return best
  })
}
