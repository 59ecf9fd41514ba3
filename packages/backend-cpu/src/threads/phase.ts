import { callWork, type KernelCode } from '../kernels/context.ts'
import { chunkBits } from './control.ts'

/** How programs use threads. */
export interface Threading {
  /** The main thread included. */
  readonly threads: number
  /** Address of the control block. */
  readonly control: number
  /** Whether the main thread may sleep: not in a page. */
  readonly sleeps: boolean
  /** Work (element operations) from which a kernel is shared between threads. */
  readonly shared: number
  /** Whether it is shared even where that was slower; for tests. */
  readonly always: boolean
  /** Milliseconds that the main thread waits for a claimed chunk before it takes the worker for dead. */
  readonly patience: number
}

/** A unit can be a sort of many millions; all other chunks take a fraction of a millisecond. */
export const patience = 60_000
/** About 3 microseconds: what handing work over and waiting for the last chunk costs is a small part of it. */
export const sharedWork = 4096
const leastChunk = 2048
/** Chunks of a thread's share, so that others can take over from one that is late. */
const chunksPerThread = 4

/** A kernel as the main thread starts it. */
export interface Phase extends KernelCode {
  /** Units that a thread claims at once; undefined for kernels that the main thread runs alone. */
  readonly chunk: number | undefined
}

/** Work of a kernel in element operations. */
export const workOf = ({ units, grain }: KernelCode): number => (units * callWork) / grain

export function phaseOf(code: KernelCode, threading: Threading | undefined): Phase {
  const work = workOf(code)
  const { units, grain } = code
  if (!threading || units < 2 || work < threading.shared) return { ...code, chunk: undefined }
  const wanted = Math.max(Math.min(leastChunk, threading.shared), work / (chunksPerThread * threading.threads))
  const chunk = Math.max(1, Math.min(grain, Math.round((wanted * grain) / callWork)))
  return { ...code, chunk: Math.max(chunk, Math.ceil(units / (2 ** chunkBits - 1))) }
}
