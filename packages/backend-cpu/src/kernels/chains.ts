import type { Kernel, Program } from '@tessella/compiler'
import { imagesOf, isByImage, lengthOf, overlap, type Touch, touchesOf } from './footprint.ts'

/** Kernels that run one after the other for a few images at a time, so that what they hand on stays in the cache. */
export interface Chain {
  readonly images: number
  readonly members: readonly Kernel[]
}

/** What runs over all its units before the next begins. */
export type Stage = Kernel | Chain

/** How many kernels a later one may be brought forward over. */
const mostSkipped = 4
/** Shorter rows of a map are not worth a loop of their own. */
const shortestRow = 16

interface Step {
  readonly kernel: Kernel
  readonly touches: readonly Touch[]
}

/**
 * The program's kernels in an order that gives the same results, with chains where a kernel reads what the one before
 * made image by image. Two images never share memory in a chain, and nothing else in it is written.
 */
export function chainsOf(program: Program): Stage[] {
  const steps = program.kernels.map((kernel): Step => ({ kernel, touches: touchesOf(kernel) }))
  const used = new Set<Step>()
  const out: Stage[] = []
  for (const [i, step] of steps.entries()) {
    if (used.has(step)) continue
    const images = imagesAt(program, steps, i)
    const members = images === undefined ? [step] : grow(program, steps.slice(i), images, used)
    for (const m of members) used.add(m)
    if (images === undefined || members.length === 1) out.push(step.kernel)
    else out.push({ images, members: members.map((m) => m.kernel) })
  }
  return out
}

/** The images of a kernel, or of the one that a map makes something for. */
function imagesAt(program: Program, steps: readonly Step[], i: number): number | undefined {
  const { kernel, touches } = steps[i] as Step
  if (kernel.kind === 'convGradWeight') return undefined
  if (kernel.kind !== 'map') return imagesOf(kernel)
  const made = new Set(touches.filter((t) => t.written).map((t) => t.buffer))
  const reader = steps
    .slice(i + 1, i + 2 + mostSkipped)
    .find((s) => imagesOf(s.kernel) !== undefined && s.touches.some((t) => made.has(t.buffer) && t.how === 'images'))
  const images = reader && imagesOf(reader.kernel)
  return images !== undefined && fits(program, steps[i] as Step, images) ? images : undefined
}

function grow(program: Program, [first, ...later]: readonly Step[], images: number, used: ReadonlySet<Step>): Step[] {
  const members = [first as Step]
  const skipped: Step[] = []
  if (!fits(program, first as Step, images)) return members
  for (const step of later) {
    if (used.has(step)) continue
    if (skipped.length > mostSkipped) break
    const joins =
      fits(program, step, images) &&
      members.some((m) => feeds(m, step)) &&
      members.every((m) => inStep(program, m, step, images)) &&
      skipped.every((s) => independent(program, s, step))
    if (joins) members.push(step)
    else skipped.push(step)
    // The weight's gradient sums over images: what it writes is there at the end.
    if (joins && step.kernel.kind === 'convGradWeight') break
  }
  return members
}

/** Whether a kernel can do its work image by image. */
function fits(program: Program, { kernel, touches }: Step, images: number): boolean {
  if (kernel.kind === 'convGradWeight') return imagesOf(kernel) === images
  const writes = touches.filter((t) => t.written)
  if (!writes.every((t) => isByImage(t, lengthOf(program, t.buffer), images))) return false
  if (kernel.kind !== 'map') return imagesOf(kernel) === images
  const [size = 1, ...rest] = kernel.domain
  return size % images === 0 && (size / images) * rest.reduce((a, b) => a * b, 1) >= shortestRow
}

const feeds = (from: Step, to: Step): boolean =>
  from.touches.some((t) => t.written && to.touches.some((r) => !r.written && r.buffer === t.buffer))

/** Whether `later` may run on an image before `earlier` has run on all. */
function inStep(program: Program, earlier: Step, later: Step, images: number): boolean {
  const local = (t: Touch): boolean => isByImage(t, lengthOf(program, t.buffer), images)
  const atEnd = later.kernel.kind === 'convGradWeight'
  return earlier.touches.every((e) =>
    later.touches.every((l) => {
      // The epilogue of a weight's gradient runs after the last image.
      if ((!e.written && !l.written) || (atEnd && l.how !== 'images')) return true
      return !overlap(program, e.buffer, l.buffer) || (e.buffer === l.buffer && local(e) && local(l))
    }),
  )
}

const independent = (program: Program, a: Step, b: Step): boolean =>
  a.touches.every((x) => b.touches.every((y) => (!x.written && !y.written) || !overlap(program, x.buffer, y.buffer)))
