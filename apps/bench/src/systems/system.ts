import type { Work } from '../cases/work.ts'

/** One prepared case on one system. */
export interface Runner {
  /** Does the work this many times and returns when all of it is done. */
  run(times: number): Promise<void>
  /** Results of the last run by name; in training, `loss` has the losses of all steps so far. */
  outputs(): Promise<Record<string, ArrayLike<number>>>
  /** Bytes that the system says it holds, for the memory case. */
  bytes?(): number
  dispose(): void
}

/** A system that was opened, in a process or page of its own. */
export interface Session {
  readonly version: string
  readonly threads: number
  /** Prepares a case. Throws {@link Unsupported}, or whatever the system throws. */
  build(work: Work): Promise<Runner>
  close(): void
}

export interface OpenOptions {
  readonly threads: number | undefined
}

/** What this system has no way of doing; the message is the row's error. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported'
}

export const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return (text.split('\n')[0] ?? '').slice(0, 240) || 'failed without a message'
}
