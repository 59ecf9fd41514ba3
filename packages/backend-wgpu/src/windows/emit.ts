import type { Kernel } from '@tessella/compiler'
import { tooManyPagesError } from '../device/errors.ts'
import type { Dispatch } from '../kernel.ts'
import type { KernelContext } from '../kernels/context.ts'
import { emitAny } from '../kernels/table.ts'
import { pageBytes, pageCount } from '../memory/pages.ts'
import { touched } from '../run/touched.ts'
import type { Cut } from './cut.ts'
import { cutsOf } from './cuts.ts'
import { type Interval, intervalsOf } from './intervals.ts'
import { Workspace } from './workspace.ts'

/**
 * The dispatches of a kernel. Where it touches values of several pages it binds those pages that it needs, and is cut into
 * parts until no part needs more bindings than the device has.
 */
export function emitInWindows(kernel: Kernel, context: KernelContext): readonly Dispatch[] {
  const { slots } = context
  const isPaged = [...touched(kernel)].some((buffer) => slots.pages(slots.slotOf(buffer)) > 1)
  return isPaged ? emitParts(kernel, new Workspace(context)) : emitAny(kernel, context)
}

function emitParts(kernel: Kernel, workspace: Workspace): readonly Dispatch[] {
  const { context } = workspace
  const intervals = intervalsOf(kernel, context)
  const windows = windowsOf(intervals, context)
  const needed = bindingsFor(kernel, windows, context)
  if (needed <= context.capabilities.maxStorageBuffers) return emitAny(kernel, { ...context, windows })
  const cut = best(cutsOf(kernel, workspace), context)
  if (cut === undefined || weightOf(cut, context) >= bytesIn(intervals))
    throw tooManyPagesError(kernel.kind, needed, context.capabilities.maxStorageBuffers)
  return cut.make().flatMap((part) => emitParts(part, workspace))
}

/** The pages of each slot that the intervals lie in. */
function windowsOf(intervals: ReadonlyMap<number, readonly Interval[]>, context: KernelContext): Map<number, number[]> {
  const size = pageBytes(context.capabilities.maxBindingBytes)
  const windows = new Map<number, number[]>()
  for (const [slot, list] of intervals) {
    const pages = new Set<number>()
    const last = context.slots.pages(slot) - 1
    for (const { low, high } of list)
      for (let page = Math.floor(low / size); page * size < high; page++) pages.add(Math.min(page, last))
    windows.set(
      slot,
      [...pages].sort((a, b) => a - b),
    )
  }
  return windows
}

/** Most bindings of a dispatch of the kernel. Sorting has one or two arrays of places beside the kernel's own. */
function bindingsFor(kernel: Kernel, windows: ReadonlyMap<number, readonly number[]>, context: KernelContext): number {
  const all = [...windows.values()].reduce((sum, pages) => sum + pages.length, 0)
  if (kernel.kind !== 'argsort' && kernel.kind !== 'scatterAdd') return all
  const places = 4 * kernel.outer * kernel.length * kernel.inner
  const extra = pageCount(places, context.capabilities.maxBindingBytes)
  // Keys and both arrays of places while sorting; then all of the kernel's and one of them.
  return Math.max(all + extra, 3 * extra)
}

const bytesIn = (intervals: ReadonlyMap<number, readonly Interval[]>): number =>
  [...intervals.values()].flat().reduce((sum, { low, high }) => sum + high - low, 0)

/** Bytes that the widest part touches. */
const weightOf = ({ parts }: Cut, context: KernelContext): number =>
  Math.max(...parts.map((part) => bytesIn(intervalsOf(part, context))))

/** The cut whose parts touch least; of equals, the first. */
const best = (cuts: readonly Cut[], context: KernelContext): Cut | undefined =>
  cuts.reduce<Cut | undefined>(
    (a, b) => (a === undefined || weightOf(b, context) < weightOf(a, context) ? b : a),
    undefined,
  )
