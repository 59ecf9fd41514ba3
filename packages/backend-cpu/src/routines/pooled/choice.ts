import type { Kernel } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import { type ConvShape, convShapeOf } from '../window.ts'
import { isWinograd } from '../winograd/choice.ts'

export type GradientKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>

export const shapeOf = ({ kind, domain, a, b, attrs }: GradientKernel): ConvShape =>
  kind === 'convGradInput' ? convShapeOf(domain, b.shape, a.shape, attrs) : convShapeOf(a.shape, domain, b.shape, attrs)

/** Floats of a row of registers: all forms of the code have room for the widest. */
const registerFloats = 8

/** Elements of a row of weights with their channels, in whole registers. */
export const rowFloats = (elements: number): number => Math.ceil(elements / registerFloats) * registerFloats

/**
 * Whether a gradient of a convolution before a 2x2 pool is faster by the pool's elements than by all: a quarter of the
 * products, but each with a load, and in rows of whole registers.
 */
export function pooledPays(kernel: GradientKernel): boolean {
  if (kernel.kind === 'conv' || kernel.domain.length !== 4 || sizeOf(kernel.domain) === 0) return false
  const { groups, channels, axes, taps } = shapeOf(kernel)
  const [, y, x] = axes
  const plain = [y, x].every((a) => a.dilation === 1 && a.output >= 2 && a.lo >= 0 && a.lo < a.kernel)
  if (groups !== 1 || !plain || isWinograd(kernel)) return false
  const back = kernel.kind === 'convGradInput'
  const [height, width] = back ? [y.kernel + y.stride, x.kernel + x.stride] : [y.kernel, x.kernel]
  const registers = height * (rowFloats(width * channels) / registerFloats)
  const overhead = 2 * Math.ceil(registers / 12)
  return 1.5 * (registers + overhead) < (4 * taps * channels) / registerFloats
}
