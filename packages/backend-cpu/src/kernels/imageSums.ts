import {
  type Accumulator,
  type Affine,
  type BufferPlan,
  type Kernel,
  mapLeaves,
  type Program,
} from '@tessella/compiler'
import { byteWidth, sizeOf, stridesOf } from '@tessella/ir'
import { aligned } from '../routines/workspace.ts'
import { imagesOf, isByImage, lengthOf, overlap, type Touch, touchesOf } from './footprint.ts'

type Reduce = Extract<Kernel, { kind: 'reduce' }>

/**
 * Reductions over images and over what lies in each (the gradient of a convolution's bias, the statistics of batch
 * normalisation) in two steps: right behind the kernel that makes the images those of each image, which a chain can take
 * along while the image is in the cache, and at the old place the few results of all images.
 */
export function splitByImage(program: Program): Program {
  const touches = program.kernels.map(touchesOf)
  const buffers = [...program.buffers]
  let temporaryBytes = aligned(program.temporaryBytes)
  const behind = new Map<number, Kernel[]>()
  const kernels = program.kernels.map((kernel, i): Kernel => {
    const maker = kernel.kind === 'reduce' ? makerOf(program, touches, i) : undefined
    if (kernel.kind !== 'reduce' || maker === undefined) return kernel
    const images = kernel.inner[0] as number
    const partials = kernel.accumulators.map(({ value: { dtype } }): number => {
      const length = images * sizeOf(kernel.domain)
      const plan: BufferPlan = { dtype, length, place: { kind: 'temporary', offset: temporaryBytes } }
      temporaryBytes += aligned(length * byteWidth(dtype))
      return buffers.push(plan) - 1
    })
    behind.set(maker, [...(behind.get(maker) ?? []), eachImage(kernel, partials)])
    return allImages(kernel, partials)
  })
  if (behind.size === 0) return program
  return { ...program, buffers, kernels: kernels.flatMap((k, i) => [k, ...(behind.get(i) ?? [])]), temporaryBytes }
}

/** The last kernel before a reduction that writes what it reads, if both go from image to image. */
function makerOf(program: Program, touches: readonly (readonly Touch[])[], at: number): number | undefined {
  const kernel = program.kernels[at] as Reduce
  const { accumulators, domain, inner } = kernel
  const [images = 0] = inner
  const foldable = accumulators.every((a) => a.fn !== 'argmax' && a.fn !== 'argmin' && a.value.dtype !== 'bool')
  if (!foldable || domain.length === 0 || inner.length < 2) return undefined
  const each = eachImage(
    kernel,
    accumulators.map(() => 0),
  )
  if (imagesOf(each) !== images) return undefined
  const reads = touchesOf({ ...each, writes: [] })
  if (reads.length === 0 || !reads.every((t) => isByImage(t, lengthOf(program, t.buffer), images))) return undefined
  const makes = (t: Touch): boolean => t.written && reads.some((r) => overlap(program, r.buffer, t.buffer))
  const maker = touches.slice(0, at).findLastIndex((all) => all.some(makes))
  const made = program.kernels[maker]
  return made && imagesOf(made) === images && made.kind !== 'convGradWeight' ? maker : undefined
}

/** The reduction of each image: [images, ...domain] results in every partial buffer. */
function eachImage(kernel: Reduce, partials: readonly number[]): Reduce {
  const { domain, inner, accumulators } = kernel
  const [images = 0, ...rest] = inner
  const image = domain.length
  const move = mapLeaves((leaf) => ({ ...leaf, at: imageFirst(leaf.at, image) }))
  return {
    kind: 'reduce',
    domain: [images, ...domain],
    inner: rest,
    accumulators: accumulators.map((a) => ({ ...a, value: move(a.value) })),
    writes: partials.map((buffer, index) => ({
      buffer,
      at: { offset: 0, strides: stridesOf([images, ...domain]) },
      value: { kind: 'result', dtype: (accumulators[index] as Accumulator).value.dtype, index },
    })),
  }
}

const imageFirst = ({ offset, strides }: Affine, image: number): Affine => ({
  offset,
  strides: [strides[image] as number, ...strides.toSpliced(image, 1)],
})

/** The reduction of the partial results, which writes what the whole one wrote. */
function allImages(kernel: Reduce, partials: readonly number[]): Reduce {
  const { domain, inner, accumulators } = kernel
  const strides = [...stridesOf(domain), sizeOf(domain)]
  return {
    ...kernel,
    inner: [inner[0] as number],
    accumulators: accumulators.map(({ fn, value: { dtype } }, i) => ({
      fn,
      value: { kind: 'load', dtype, buffer: partials[i] as number, at: { offset: 0, strides } },
    })),
  }
}
