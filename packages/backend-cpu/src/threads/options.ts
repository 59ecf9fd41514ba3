import { BackendError } from '@tessella/ir'
import { mostThreads } from './control.ts'

/** More threads than this are not chosen unasked: barriers and the memory bus eat what they bring. */
const mostByDefault = 8

/** Whether this place lets threads share memory: Node does, pages only when they are isolated from other origins. */
export const canShareMemory = (): boolean =>
  typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false

/**
 * Threads for an option: all cores by default, at most 8; 1 where memory cannot be shared.
 * @throws BackendError 'bad-option' for anything but whole numbers from 1 to 64
 */
export function threadsFor(option: number | undefined): number {
  if (option !== undefined && !(Number.isInteger(option) && option >= 1 && option <= mostThreads))
    throw new BackendError(
      'cpu',
      'bad-option',
      `threads: ${option} is not a number of threads. Use a whole number from 1 to ${mostThreads}, or leave it out.`,
    )
  if (!canShareMemory()) return 1
  return option ?? Math.max(1, Math.min(mostByDefault, globalThis.navigator?.hardwareConcurrency ?? 1))
}

/** Whether this thread may sleep in an atomic wait: the main thread of a page may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1)
    return true
  } catch {
    return false
  }
}
