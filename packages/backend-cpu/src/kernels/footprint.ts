import type { Affine, Kernel, Program } from '@tessella/compiler'
import { byteWidth, sizeOf } from '@tessella/ir'
import { isPairs } from '../routines/poolPairs.ts'
import { isWinograd } from '../routines/winograd/choice.ts'
import { leaves } from '../wasm/expr.ts'
import { planReduce, reductionOf } from './reducePlan.ts'

/** How a kernel touches one buffer: by affine forms over a domain, whole values by image, or anyhow. */
export interface Touch {
  readonly buffer: number
  readonly written: boolean
  /** `images`: image n of the kernel is exactly the n-th part of the buffer. */
  readonly how: { readonly at: Affine; readonly domain: readonly number[] } | 'images' | 'anyhow'
}

/** All that a kernel reads and writes. */
export function touchesOf(kernel: Kernel): Touch[] {
  const reads = (buffer: number, how: Touch['how']): Touch => ({ buffer, written: false, how })
  switch (kernel.kind) {
    case 'map':
      return pointwise(kernel.domain, kernel.writes)
    case 'reduce':
      return [
        ...loads(
          [...kernel.domain, ...kernel.inner],
          kernel.accumulators.map((a) => a.value),
        ),
        ...pointwise(kernel.domain, kernel.writes),
      ]
    case 'rows': {
      const inside = kernel.passes.flatMap((p) => [...p.accumulators, ...p.writes])
      const stores = kernel.passes.flatMap((p) => p.writes)
      const read = pointwise([], [...kernel.writes, ...stores]).map((t): Touch => ({ ...t, how: 'anyhow' }))
      return [...buffersOf(inside.map((x) => x.value)).map((b) => reads(b, 'anyhow')), ...read]
    }
    case 'matmul':
      return [
        reads(kernel.a.buffer, 'anyhow'),
        reads(kernel.b.buffer, 'anyhow'),
        ...pointwise(kernel.domain, kernel.writes),
      ]
    case 'conv':
    case 'convGradInput': {
      const gradient = pooledTouches(kernel) ?? [reads(kernel.a.buffer, 'images')]
      const weights = kernel.pooled?.weights ?? kernel.b.buffer
      return [...gradient, reads(weights, 'anyhow'), ...pointwise(kernel.domain, kernel.writes)]
    }
    case 'convGradWeight': {
      const gradient = pooledTouches(kernel) ?? [reads(kernel.b.buffer, 'images')]
      return [reads(kernel.a.buffer, 'images'), ...gradient, ...pointwise(kernel.domain, kernel.writes)]
    }
    case 'maxPool':
      return [
        reads(kernel.x.buffer, 'images'),
        ...(kernel.places === undefined ? [] : [{ buffer: kernel.places, written: true, how: 'images' as const }]),
        ...pointwise(kernel.domain, kernel.writes),
      ]
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return [
        reads(kernel.places ?? kernel.x.buffer, 'images'),
        reads(kernel.other.buffer, 'images'),
        ...pointwise(kernel.domain, kernel.writes),
      ]
    case 'cumulative':
    case 'argsort':
      return [reads(kernel.x, 'anyhow'), { buffer: kernel.out, written: true, how: 'anyhow' }]
    case 'scatterAdd':
      return [
        reads(kernel.index, 'anyhow'),
        reads(kernel.values, 'anyhow'),
        { buffer: kernel.out, written: true, how: 'anyhow' },
      ]
  }
}

const pooledTouches = ({ pooled }: Extract<Kernel, { pooled?: unknown }>): Touch[] | undefined =>
  pooled && [pooled.values, pooled.places].map((buffer) => ({ buffer, written: false, how: 'images' }))

type Writes = Extract<Kernel, { kind: 'map' }>['writes']

function pointwise(domain: readonly number[], writes: Writes): Touch[] {
  const stores = writes.map(({ buffer, at }): Touch => ({ buffer, written: true, how: { at, domain } }))
  return [
    ...stores,
    ...loads(
      domain,
      writes.map((w) => w.value),
    ),
  ]
}

function loads(domain: readonly number[], roots: Parameters<typeof leaves>[0]): Touch[] {
  const touches: Touch[] = []
  for (const e of leaves(roots)) {
    if (e.kind === 'load') touches.push({ buffer: e.buffer, written: false, how: { at: e.at, domain } })
    else if (e.kind === 'gather') touches.push({ buffer: e.buffer, written: false, how: 'anyhow' })
    else if (e.kind === 'random') touches.push({ buffer: e.key, written: false, how: 'anyhow' })
  }
  return touches
}

const buffersOf = (roots: Parameters<typeof leaves>[0]): number[] =>
  leaves(roots).flatMap((e) =>
    e.kind === 'load' || e.kind === 'gather' ? [e.buffer] : e.kind === 'random' ? [e.key] : [],
  )

/** Whether the work on image n of `images` touches the n-th part of the buffer and nothing else of it. */
export function isByImage({ how }: Touch, length: number, images: number): boolean {
  if (how === 'images') return length % images === 0
  if (how === 'anyhow' || length % images !== 0) return false
  const part = length / images
  const [size = 1, ...rest] = how.domain
  const [stride = 0, ...strides] = how.at.strides
  if (size % images !== 0) return false
  const inner = size / images
  if (stride * inner !== part) return false
  let [low, high] = [how.at.offset, how.at.offset]
  for (const [i, n] of [inner, ...rest].entries()) {
    const reach = (n - 1) * ([stride, ...strides][i] as number)
    low += Math.min(0, reach)
    high += Math.max(0, reach)
  }
  return low >= 0 && high < part
}

/** Whether two buffers may share bytes. */
export function overlap({ buffers }: Program, a: number, b: number): boolean {
  if (a === b) return true
  const [p, q] = [buffers[a], buffers[b]]
  if (!p || !q) return true
  if (p.place.kind === 'temporary' && q.place.kind === 'temporary') {
    const end = ({ length, dtype }: typeof p, offset: number): number => offset + length * byteWidth(dtype)
    return p.place.offset < end(q, q.place.offset) && q.place.offset < end(p, p.place.offset)
  }
  const [x, y] = [inputOf(p), inputOf(q)]
  return x !== undefined && x === y
}

/** The input that a buffer is, or may lie in: only one that no other input shares is overwritten. */
const inputOf = ({ place }: Program['buffers'][number]): number | undefined =>
  place.kind === 'input' ? place.index : place.kind === 'output' ? place.reuses : undefined

/** Bytes of the buffers that a kernel touches by image, for one image. */
export function imageBytes(program: Program, touches: readonly Touch[], images: number): number {
  const seen = new Set(touches.filter((t) => isByImage(t, lengthOf(program, t.buffer), images)).map((t) => t.buffer))
  return [...seen].reduce((sum, b) => {
    const { dtype, length } = program.buffers[b] as Program['buffers'][number]
    return sum + (length * byteWidth(dtype)) / images
  }, 0)
}

export const lengthOf = ({ buffers }: Program, buffer: number): number => buffers[buffer]?.length ?? 0

/** Images of a kernel that goes from image to image, undefined for others. */
export function imagesOf(kernel: Kernel): number | undefined {
  switch (kernel.kind) {
    case 'conv':
    case 'convGradInput':
      return sizeOf(kernel.domain) > 0 && !isWinograd(kernel) ? kernel.domain[0] : undefined
    case 'maxPool':
      return sizeOf(kernel.domain) > 0 ? kernel.domain[0] : undefined
    case 'reduce':
      // Otherwise neighbouring results are computed together, across images.
      return sizeOf(kernel.domain) > 0 && planReduce(reductionOf(kernel, false), false).lanesReduced
        ? kernel.domain[0]
        : undefined
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return sizeOf(kernel.domain) > 0 && isPairs(kernel) ? kernel.domain[0] : undefined
    case 'convGradWeight':
      return sizeOf(kernel.domain) > 0 && !isWinograd(kernel) ? kernel.a.shape[0] : undefined
    default:
      return undefined
  }
}
