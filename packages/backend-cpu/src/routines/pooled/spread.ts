import type { Affine, Kernel } from '@tessella/compiler'
import type { ConvShape } from '../window.ts'
import { rowFloats } from './choice.ts'

/**
 * Weights [o][row][element][channel] with zeros around them, so that a patch of all elements that a window of the pool reaches
 * can be read for each place of the maximum in it: `y.stride` more rows and `x.stride` more elements than the kernel has.
 */
export interface Spread {
  /** Floats of a row of a patch, in whole registers. */
  readonly floats: number
  readonly rowBytes: number
  readonly planeBytes: number
  /** Bytes to the patch for the first place. */
  readonly start: number
  /** Floats in all. */
  readonly length: number
}

export function spreadOf({ channels, outputs, axes: [, y, x] }: ConvShape): Spread {
  const floats = rowFloats((x.kernel + x.stride) * channels)
  const before = rowFloats(x.stride * channels)
  const rowBytes = 4 * (before + floats)
  const planeBytes = (y.kernel + 2 * y.stride) * rowBytes
  return { floats, rowBytes, planeBytes, start: y.stride * rowBytes + 4 * before, length: (outputs * planeBytes) / 4 }
}

/** The kernels that spread the weights of buffer `from` into `to`. */
export function spreadKernels(shape: ConvShape, from: number, to: number): Kernel[] {
  const { channels, outputs, taps, axes } = shape
  const [, y, x] = axes
  const { planeBytes, rowBytes, start, length } = spreadOf(shape)
  const dimensions = [
    { size: outputs, read: channels * taps, write: planeBytes / 4 },
    { size: y.kernel, read: x.kernel, write: rowBytes / 4 },
    { size: x.kernel, read: 1, write: channels },
    { size: channels, read: taps, write: 1 },
  ].filter((d) => d.size > 1)
  const at = (offset: number, of: 'read' | 'write'): Affine => ({ offset, strides: dimensions.map((d) => d[of]) })
  return [
    {
      kind: 'map',
      domain: [length],
      writes: [
        { buffer: to, at: { offset: 0, strides: [1] }, value: { kind: 'constant', dtype: 'float32', value: 0 } },
      ],
    },
    {
      kind: 'map',
      domain: dimensions.map((d) => d.size),
      writes: [
        {
          buffer: to,
          at: at(start / 4, 'write'),
          value: { kind: 'load', dtype: 'float32', buffer: from, at: at(0, 'read') },
        },
      ],
    },
  ]
}
