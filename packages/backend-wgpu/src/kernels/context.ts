import type { BufferPlan } from '@tessella/compiler'
import type { Capabilities } from '../device/capabilities.ts'
import type { Slots } from '../kernel.ts'

/** What every kernel is emitted with. */
export interface KernelContext {
  readonly buffers: readonly BufferPlan[]
  readonly slots: Slots
  readonly capabilities: Capabilities
}
