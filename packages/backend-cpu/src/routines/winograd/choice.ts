import type { Kernel } from '@tessella/compiler'
import { type Axis, convShapeOf } from '../window.ts'
import { paddedChannels } from './channels.ts'
import { f2, f4, kernelSize, type Scheme } from './scheme.ts'

export type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>

/** An axis of the image, the zeros before it, and of the results. */
export interface Side {
  readonly image: number
  readonly lo: number
  readonly output: number
}

/** A convolution with 3x3 kernels and steps of 1, or its gradient: which images of what are correlated. */
export interface Correlation {
  readonly n: number
  /** Result channels. */
  readonly rows: number
  readonly channels: number
  readonly y: Side
  readonly x: Side
}

/** Transformed weights of more bytes than this are not worth their memory. */
const mostWeightBytes = 40 * 1024 * 1024
/** The same for a row of tiles, of which each thread holds one at least. */
const mostRowBytes = 32 * 1024 * 1024

export const tilesOf = ({ output }: Side, { tile }: Scheme): number => Math.ceil(output / tile)

/** What a convolution correlates: its gradients are those of the convolution, but for the input's, which is one itself. */
export function correlationOf({ kind, domain, a, b, attrs }: ConvKernel): Correlation | undefined {
  if (domain.length !== 4 || [...domain, ...a.shape, ...b.shape].includes(0)) return undefined
  const back = kind === 'convGradInput'
  const shape = back
    ? convShapeOf(domain, b.shape, a.shape, attrs)
    : kind === 'conv'
      ? convShapeOf(a.shape, b.shape, domain, attrs)
      : convShapeOf(a.shape, domain, b.shape, attrs)
  const [, y, x] = shape.axes
  const three = [y, x].every((axis) => axis.kernel === kernelSize && axis.stride === 1 && axis.dilation === 1)
  if (!three || shape.groups !== 1) return undefined
  const side = ({ input, output, lo }: Axis): Side =>
    back ? { image: output, lo: kernelSize - 1 - lo, output: input } : { image: input, lo, output }
  const correlation = {
    n: shape.n,
    rows: back ? shape.channels : shape.outputs,
    channels: back ? shape.outputs : shape.channels,
    y: side(y),
    x: side(x),
  }
  // Transforms read whole vectors along x.
  const least = kind === 'convGradWeight' ? Math.min(correlation.x.image, correlation.x.output) : correlation.x.image
  return fits(correlation.x) && fits(correlation.y) && least >= 4 ? correlation : undefined
}

/** Whether nothing of the image is cut off, and no patch is outside of it. */
const fits = ({ image, lo, output }: Side): boolean => {
  const hi = output + kernelSize - 1 - lo - image
  return lo >= 0 && hi >= 0 && lo < kernelSize && hi < kernelSize
}

/** Time of a scheme in vector multiply-adds, as measured: `transforms` is what a product costs outside of its sum. */
function costOf({ n, rows, channels, y, x }: Correlation, scheme: Scheme): number {
  const tiles = n * tilesOf(y, scheme) * tilesOf(x, scheme)
  const { products, tile } = scheme
  const multiply = products * Math.ceil(rows / 4) * channels
  const transforms = 0.6 * tile * products * (paddedChannels(channels) + paddedChannels(rows))
  return tiles * (multiply + transforms) + 1.5 * rows * channels * products
}

const takesLittle = ({ rows, channels, x }: Correlation, scheme: Scheme): boolean => {
  const bytes = 4 * scheme.products
  return bytes * rows * channels <= mostWeightBytes && bytes * (rows + channels) * tilesOf(x, scheme) <= mostRowBytes
}

/** The fastest scheme for a kernel, `accurate` or not; undefined where plain sums are faster. */
export function schemeFor(kernel: ConvKernel, accurate: boolean): Scheme | undefined {
  const c = correlationOf(kernel)
  if (!c) return undefined
  const plain = (c.n * c.y.output * c.x.output * kernelSize ** 2 * c.rows * c.channels) / 4
  const schemes = (accurate ? [f2] : [f2, f4]).filter((s) => takesLittle(c, s))
  let best: Scheme | undefined
  let least = 0.85 * plain
  for (const scheme of schemes) {
    const cost = costOf(c, scheme)
    if (cost < least) [best, least] = [scheme, cost]
  }
  return best
}

/** Whether Winograd can be faster than plain sums: it is not known yet whether results must be accurate. */
export const isWinograd = (kernel: ConvKernel): boolean => schemeFor(kernel, false) !== undefined
