import { type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionBuilder } from '../wasm/assembler.ts'
import { addScaled } from './epilogue.ts'

/** Pushes an address. */
export type Push = (f: FunctionBuilder) => void

export const bufferAddress =
  (context: KernelContext, buffer: number): Push =>
  (f) =>
    pushPointer(f, context.slot(buffer))

/** Areas of scratch memory start at whole lines of the cache. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64

/** Scratch memory of one routine. */
export interface Workspace {
  /** Memory that one part of the routine writes and a later one reads. */
  readonly shared: Push
  /** Memory for one call of a part: each thread has its own. */
  readonly own: Push
}

export function workspace(context: KernelContext, sharedBytes: number, ownBytes: number): Workspace {
  const nowhere: Push = (f) => f.i32(0)
  const slot = sharedBytes > 0 ? context.scratch(sharedBytes) : undefined
  const reserved = aligned(context.reserved ?? 0)
  return {
    shared: slot === undefined ? nowhere : (f) => pushPointer(f, slot),
    own: ownBytes > 0 ? after(context.own(reserved + ownBytes), reserved) : nowhere,
  }
}

const after =
  (start: Push, bytes: number): Push =>
  (f) => {
    start(f)
    addScaled(f, 1, bytes)
  }
