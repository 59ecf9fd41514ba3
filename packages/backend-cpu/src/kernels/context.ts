import type { DType } from '@tessella/ir'
import type { FunctionBuilder, FunctionRef, GlobalRef, Local } from '../wasm/assembler.ts'
import type { CodeContext } from '../wasm/dataflow.ts'

/** Address of the pointer-table word that holds an address, or the global of each thread that does. */
export type Slot = number | GlobalRef

/** What an emitter of kernels may use; one per module. */
export interface KernelContext extends CodeContext {
  readonly dtypeOf: (buffer: number) => DType
  /** Where a buffer's address is found during a run. */
  readonly slot: (buffer: number) => Slot
  /**
   * Address of the pointer-table word that holds the address of a scratch area of at least this many bytes, 64-byte
   * aligned, uninitialised, shared by all kernels of the program (they run one after the other) and all threads.
   */
  readonly scratch: (bytes: number) => number
  /** What pushes the address of such an area that each thread has for itself, for the length of one call of a kernel. */
  readonly own: (bytes: number) => (f: FunctionBuilder) => void
  /** Bytes at the start of each routine's own scratch that belong to the routine which calls it; see `chainCode.ts`. */
  readonly reserved?: number
}

/**
 * A kernel as code: `f(begin, end)` (two i32) computes the work units [begin, end) of [0, units), in any order of calls.
 * The program calls it with at most `grain` units at a time, so that engines can replace it by faster code between calls.
 */
export interface KernelCode {
  readonly f: FunctionRef
  readonly units: number
  readonly grain: number
}

/** Work per call of a kernel, in element operations: about 20 to 100 microseconds. */
export const callWork = 32768

/**
 * V8 with `--experimental-wasm-revectorize` loses halves of merged values that do not fit its 15 registers: kernels that
 * need more than this have one vector per round, and so nothing to merge. Always: another backend may set the flag.
 */
export const mergeableRegisters = 14

/** Units per call for units of this much work. */
export const grainFor = (workPerUnit: number): number => Math.max(1, Math.floor(callWork / Math.max(1, workPerUnit)))

/** Pushes the address of a buffer's first element. */
export function pushPointer(f: FunctionBuilder, slot: Slot): void {
  if (typeof slot !== 'number') {
    f.getGlobal(slot)
    return
  }
  f.i32(0)
  f.load('i32.load', slot)
}

/** A new local with the address of a buffer's first element. */
export function pointerLocal(f: FunctionBuilder, slot: Slot): Local {
  const local = f.local('i32')
  pushPointer(f, slot)
  f.set(local)
  return local
}
