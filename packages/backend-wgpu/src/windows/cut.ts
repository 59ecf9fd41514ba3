import type { Kernel } from '@tessella/compiler'

/** A way to do a kernel in parts that each touch less memory. */
export interface Cut {
  /** The parts, as far as the memory that they touch goes. */
  readonly parts: readonly Kernel[]
  /** The kernels that do it, in order; takes scratch memory. */
  readonly make: () => readonly Kernel[]
}

export const plainCut = (parts: readonly Kernel[]): Cut => ({ parts, make: () => parts })
