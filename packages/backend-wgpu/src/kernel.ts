import type { BufferPlan, Kernel } from '@tessella/compiler'
import type { Capabilities } from './device/capabilities.ts'
import { emitInWindows } from './windows/emit.ts'

/** A storage buffer of a dispatch: one page of a slot. */
export interface Binding {
  readonly slot: number
  readonly page: number
  readonly access: 'read' | 'read_write'
}

/** One dispatch. Everything about shapes is a constant in the text, so equal texts share a pipeline. */
export interface Dispatch {
  /** The operation, for error messages and profiles: 'matmul [84, 10] k=64'. */
  readonly label: string
  /** Entry point `main`; binding i of group 0 is `bindings[i]`. */
  readonly wgsl: string
  readonly bindings: readonly Binding[]
  readonly workgroups: readonly [number, number, number]
}

/** How a program's buffers lie in memory. */
export interface Slots {
  /** Two buffers with one slot share a GPUBuffer: an in-place temporary, or an output over a donated input. */
  readonly slotOf: (buffer: number) => number
  /** Pages of a slot; one, but for values above the size of a binding. */
  readonly pages: (slot: number) => number
  /** A slot of at least this many bytes that lives for this kernel only. */
  scratch(bytes: number): number
}

/**
 * The dispatches of one kernel, to run in order. Each sees what the earlier ones stored.
 *
 * @example
 * const dispatches = program.kernels.flatMap((kernel) => emitKernel(kernel, program.buffers, slots, capabilities))
 */
export function emitKernel(
  kernel: Kernel,
  buffers: readonly BufferPlan[],
  slots: Slots,
  capabilities: Capabilities,
): readonly Dispatch[] {
  return emitInWindows(kernel, { buffers, slots, capabilities })
}
