import { parseArgs } from 'node:util'
import { type BackendName, backendNames, folder, oneOf, UsageError, whole } from './options.ts'
import type { Topic } from './pages/topic.ts'

/** What `lecture` was asked to do. */
export interface LectureOptions {
  /** Topics to run, in order; none lists them. */
  readonly topics: readonly Topic[]
  /** All of them were asked for: an index belongs to it. */
  readonly all: boolean
  readonly backend: BackendName
  readonly seed: number
  readonly quick: boolean
  readonly out: string
  /** The folder with Fashion-MNIST's files; where Debian's package puts them unless given. */
  readonly fashion: string | undefined
  readonly help: boolean
}

export const lectureUsage = `Runs topics of the lectures and writes a page for each.

  npx pnpm@12 lecture                  lists the topics
  npx pnpm@12 lecture <topic> ...      runs them
  npx pnpm@12 lecture all              runs all and writes index.html

  --backend NAME              what computes: cpu (default), wgpu (the graphics card), reference (a slow interpreter)
  --seed N                    weights, noise and order of the data (default 1)
  --quick                     fewer steps on fewer data, to see that all works
  --out DIR                   where the pages go (default out)
  --fashion DIR               the four files of Fashion-MNIST, for the topic fashion (default: where Debian's package
                              dataset-fashion-mnist puts them)
  --help                      this text
`

/** A topic that does not exist; `suggestions` are names that look like it. */
export class UnknownTopicError extends UsageError {
  readonly topic: string
  readonly suggestions: readonly string[]

  constructor(topic: string, suggestions: readonly string[]) {
    const hint = suggestions.length > 0 ? ` Did you mean ${suggestions.join(' or ')}?` : ''
    super(`There is no topic '${topic}'.${hint} 'npx pnpm@12 lecture' lists them.`)
    this.topic = topic
    this.suggestions = suggestions
  }
}

/** How many letters to insert, delete or change to make one word the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** Names that begin alike, hold the word, or differ in a few letters; the nearest first, at most three. */
export function suggest(word: string, names: readonly string[]): readonly string[] {
  const lower = word.toLowerCase()
  const cost = (name: string): number => {
    if (lower.length >= 3 && (name.includes(lower) || lower.includes(name))) return 0
    return editDistance(lower, name) / Math.max(lower.length, name.length)
  }
  return names
    .map((name) => ({ name, cost: cost(name) }))
    .filter((n) => n.cost <= 0.45)
    .sort((a, b) => a.cost - b.cost)
    .slice(0, 3)
    .map((n) => n.name)
}

/** Reads the command line of `lecture`. Throws {@link UsageError}, for an unknown topic {@link UnknownTopicError}. */
export function parseLectureOptions(args: readonly string[], known: readonly Topic[]): LectureOptions {
  const { values, positionals } = read(args)
  const all = positionals.includes('all')
  return {
    topics: all ? known : [...new Set(positionals)].map((name) => find(name, known)),
    all,
    backend: oneOf('backend', values.backend ?? 'cpu', backendNames),
    seed: whole('seed', values.seed ?? '1', 0),
    quick: values.quick ?? false,
    out: folder(values.out ?? 'out'),
    fashion: values.fashion === undefined ? undefined : folder(values.fashion, 'fashion'),
    help: values.help ?? false,
  }
}

function find(name: string, known: readonly Topic[]): Topic {
  const topic = known.find((t) => t.name === name)
  if (topic !== undefined) return topic
  throw new UnknownTopicError(name, suggest(name, [...known.map((t) => t.name), 'all']))
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      // pnpm hands over a leading '--' as it is.
      args: args.filter((a, i) => !(a === '--' && i === 0)),
      allowPositionals: true,
      options: {
        backend: { type: 'string' },
        seed: { type: 'string' },
        quick: { type: 'boolean' },
        out: { type: 'string' },
        fashion: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
