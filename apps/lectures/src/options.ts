import { parseArgs } from 'node:util'
import type { ModelName } from './models.ts'
import { lectureRun, quickRun } from './record.ts'

/** What can compute. */
export const backendNames = ['cpu', 'wgpu', 'reference'] as const
export type BackendName = (typeof backendNames)[number]

export interface Options {
  readonly models: readonly ModelName[]
  readonly backend: BackendName
  readonly epochs: number
  readonly seed: number
  readonly threads: number | undefined
  /** Vectors of 256 bits, where the engine has them. */
  readonly wide: boolean
  /** A few epochs on a part of the data, to see that all works. */
  readonly quick: boolean
  readonly resume: boolean
  readonly out: string
  readonly help: boolean
}

export const usage = `Trains the lectures' networks on MNIST and writes a report.

  npx pnpm@12 start [options]

  --model mlp|cnn|both        which network (default both)
  --epochs N                  passes over the training set (default 15)
  --backend NAME              what computes: cpu (default), wgpu (the graphics card), reference (a slow interpreter)
  --seed N                    weights and order of the images (default 1)
  --threads N                 threads of the cpu backend (default: one per core, at most 8)
  --no-wide                   128-bit vectors only: leaves the experimental 256-bit mode of the engine off
  --quick                     2 epochs on 10,000 training and 2,000 test images
  --resume                    go on from where the last run with these options stopped
  --out DIR                   where report and checkpoints go (default out)
  --help                      this text
`

/** A mistake on the command line; the message says which and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A whole number of at least `least`. Throws {@link UsageError}. */
export function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`--${name} takes a whole number from ${least} on, not '${text}'`)
  return value
}

/** One of the words allowed. Throws {@link UsageError}. */
export function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a === text)
  if (found === undefined) throw new UsageError(`--${name} takes ${allowed.join(', ')}, not '${text}'`)
  return found
}

/** The name of a folder. Throws {@link UsageError}. */
export function folder(text: string, option = 'out'): string {
  if (text === '') throw new UsageError(`--${option} takes the name of a folder`)
  return text
}

/** Reads the command line. Throws {@link UsageError}. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = read(args)
  const quick = values.quick ?? false
  const backend = oneOf('backend', values.backend ?? 'cpu', backendNames)
  if (backend !== 'cpu' && values.threads !== undefined) throw new UsageError('--threads is for --backend cpu only')
  if (backend !== 'cpu' && values['no-wide']) throw new UsageError('--no-wide is for --backend cpu only')
  const model = oneOf('model', values.model ?? 'both', ['mlp', 'cnn', 'both'])
  return {
    models: model === 'both' ? ['mlp', 'cnn'] : [model],
    backend,
    epochs: whole('epochs', values.epochs ?? String((quick ? quickRun : lectureRun).epochs), 1),
    seed: whole('seed', values.seed ?? '1', 0),
    threads: values.threads === undefined ? undefined : whole('threads', values.threads, 1),
    wide: !values['no-wide'],
    quick,
    resume: values.resume ?? false,
    out: folder(values.out ?? 'out'),
    help: values.help ?? false,
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      // pnpm hands over a leading '--' as it is.
      args: args.filter((a, i) => !(a === '--' && i === 0)),
      options: {
        model: { type: 'string' },
        epochs: { type: 'string' },
        backend: { type: 'string' },
        seed: { type: 'string' },
        threads: { type: 'string' },
        'no-wide': { type: 'boolean' },
        quick: { type: 'boolean' },
        resume: { type: 'boolean' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
