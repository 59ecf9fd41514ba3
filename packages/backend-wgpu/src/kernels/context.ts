import type { BufferPlan } from '@tessella/compiler'
import type { Capabilities } from '../device/capabilities.ts'
import type { Slots } from '../kernel.ts'

/** What every kernel is emitted with. */
export interface KernelContext {
  readonly buffers: readonly BufferPlan[]
  readonly slots: Slots
  readonly capabilities: Capabilities
  /** Where buffers that are parts of others begin in their slot, in elements; 0 for the rest. */
  readonly bases?: ReadonlyMap<number, number>
  /** Of slots of several pages: those that the kernel touches. All, where a slot is missing. */
  readonly windows?: ReadonlyMap<number, readonly number[]>
}

/** The pages that a kernel binds of a slot that has several. */
export function pagesBound(slot: number, { slots, windows }: KernelContext): readonly number[] | undefined {
  const count = slots.pages(slot)
  return count === 1 ? undefined : (windows?.get(slot) ?? Array.from({ length: count }, (_, page) => page))
}

/** Bindings that these buffers take together. */
export function bindingsOf(buffers: Iterable<number>, context: KernelContext): number {
  const slots = new Set([...buffers].map((buffer) => context.slots.slotOf(buffer)))
  return [...slots].reduce((sum, slot) => sum + (pagesBound(slot, context)?.length ?? 1), 0)
}
