import type { Mnist } from '@tessella/datasets'
import type { Markup } from '../report/html.ts'

/** What a topic is run with. */
export interface Context {
  readonly seed: number
  /** Fewer steps on fewer data, to see that all works. */
  readonly quick: boolean
  /** Fires on Ctrl-C; a topic that trains looks at it between steps. */
  readonly signal: AbortSignal
  /** Takes remarks on how far it is. */
  readonly note: (remark: string) => void
  /** MNIST, read when a topic first asks for it. */
  readonly mnist: () => Promise<Mnist>
  /** Fashion-MNIST, which has to be got first. Throws {@link MissingDataError} where nobody has. */
  readonly fashion: () => Promise<Mnist>
}

/** Data that a topic needs are not on this machine; the message says how to get them. Not a failure. */
export class MissingDataError extends Error {
  override readonly name = 'MissingDataError'
}

/** What a lecture says beside what was measured. */
export interface Claim {
  readonly said: string
  /** The row of the list of features that it belongs to. */
  readonly row: string
  readonly measured: string
  readonly agrees: boolean
  /** Where the two differ, why; a misprint on a slide, a form that is usual elsewhere. */
  readonly remark?: string
}

/** One part of a page. */
export interface Section {
  readonly title: string
  readonly lede: string | Markup
  readonly body: Markup
}

/** What a topic found. */
export interface Page {
  /** The result in a sentence. */
  readonly found: string
  /** The picture that stands first, and small in the index. */
  readonly picture: Markup
  readonly caption: string | Markup
  readonly sections: readonly Section[]
  readonly claims: readonly Claim[]
  /** The measured numbers, by name. */
  readonly numbers: Readonly<Record<string, number | readonly number[]>>
}

/** One topic of the lectures. */
export interface Topic {
  /** What it is called on the command line. */
  readonly name: string
  readonly title: string
  /** What it is about, in a sentence. */
  readonly about: string
  /** Its rows in the list of features: F7, T12, ... */
  readonly rows: readonly string[]
  readonly run: (context: Context) => Promise<Page>
}
