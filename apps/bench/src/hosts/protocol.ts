import type { Work } from '../cases/work.ts'
import type { SystemName } from '../contract.ts'

/** What the benchmark asks of the process or page that holds a system. One question at a time. */
export type Question =
  | { readonly op: 'open'; readonly system: SystemName | 'oracle'; readonly threads?: number }
  | { readonly op: 'prepare'; readonly work: Work }
  | { readonly op: 'sample'; readonly runs: number; readonly indices: Readonly<Record<string, readonly number[]>> }
  /** With `settle`, untimed runs come first: until one takes about `each` seconds, at most that many seconds. */
  | { readonly op: 'time'; readonly runs: number; readonly settle?: { readonly each: number; readonly most: number } }
  /** Seconds from nothing but an open system to the result of the first run. */
  | { readonly op: 'first'; readonly work: Work }
  | { readonly op: 'bytes' }
  | { readonly op: 'release' }

/** What each question is answered with. */
export interface Answers {
  readonly open: { readonly version: string; readonly threads: number }
  readonly prepare: null
  /** Elements of the results, and how long the runs took that made them. */
  readonly sample: {
    readonly values: Readonly<Record<string, readonly number[]>>
    readonly seconds: number
    readonly threads: number
  }
  readonly time: { readonly seconds: number; readonly threads: number }
  readonly first: { readonly seconds: number }
  readonly bytes: { readonly bytes: number }
  readonly release: null
}

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string }

/** The other side of a conversation with one system. */
export interface Host {
  ask<Q extends Question>(question: Q): Promise<Answers[Q['op']]>
  /** Ends the process or page, also in the middle of an answer. */
  close(): void
}

/** A system that answered with an error, or whose process ended. */
export class HostError extends Error {
  override readonly name = 'HostError'
}
