import { type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionBuilder } from '../wasm/assembler.ts'
import { addScaled } from './epilogue.ts'

/** Pushes an address. */
export type Push = (f: FunctionBuilder) => void

export const bufferAddress =
  (context: KernelContext, buffer: number): Push =>
  (f) =>
    pushPointer(f, context.slot(buffer))

/** Scratch memory of one routine. */
export interface Workspace {
  /** Memory that one part of the routine writes and a later one reads. */
  readonly shared: Push
  /** Memory for one call of a part: two threads would each have their own. */
  readonly own: Push
}

export function workspace(context: KernelContext, sharedBytes: number, ownBytes: number): Workspace {
  const start = Math.ceil((sharedBytes + (context.reserved ?? 0)) / 64) * 64
  if (sharedBytes + ownBytes === 0) return { shared: (f) => f.i32(0), own: (f) => f.i32(0) }
  const slot = context.scratch(start + ownBytes)
  const shared: Push = (f) => pushPointer(f, slot)
  return {
    shared,
    own: (f) => {
      shared(f)
      addScaled(f, 1, start)
    },
  }
}
