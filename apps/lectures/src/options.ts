import { parseArgs } from 'node:util'
import { modelsOf, type PageBackend, type Settings, usualEpochs } from './live/settings.ts'
import type { ModelName } from './models.ts'

/** What can compute. */
export const backendNames = ['cpu', 'wgpu', 'reference'] as const
export type BackendName = (typeof backendNames)[number]

/** How the page of `--browser` is served. */
export interface BrowserOptions {
  readonly settings: Settings
  /** 0 for one that is free. */
  readonly port: number
  /** Open the default browser, where that is safe. */
  readonly open: boolean
}

export interface Options {
  /** Train in a page instead of here. */
  readonly browser: BrowserOptions | undefined
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
  npx pnpm@12 start --browser [options]    the same in a page of your browser, with live charts

  --model mlp|cnn|both        which network (default both)
  --epochs N                  passes over the training set (default 15)
  --backend NAME              what computes: cpu (default), wgpu (the graphics card), reference (a slow interpreter)
  --seed N                    weights and order of the images (default 1)
  --threads N                 threads of the cpu backend (default: one per core, at most 8)
  --no-wide                   128-bit vectors only: leaves the experimental 256-bit mode of the engine off
  --quick                     2 epochs on 10,000 training and 2,000 test images
  --resume                    go on from where the last run with these options stopped
  --out DIR                   where report and checkpoints go (default out)
  --browser                   serve a page on this machine that trains: buttons, live charts, a place to draw digits
  --port N                    with --browser: the page's port (default: a free one)
  --no-open                   with --browser: print the address only. It is never opened in CI or over SSH
  --help                      this text
`

/** A mistake on the command line; the message says which and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A whole number from `least` to `most`. Throws {@link UsageError}. */
export function whole(name: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text)
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`--${name} takes a whole number ${range}, not '${text}'`)
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
  checkPlace(values)
  if (backend !== 'cpu' && values.threads !== undefined) throw new UsageError('--threads is for --backend cpu only')
  if (backend !== 'cpu' && values['no-wide']) throw new UsageError('--no-wide is for --backend cpu only')
  const model = oneOf('model', values.model ?? 'both', ['mlp', 'cnn', 'both'])
  const epochs = whole('epochs', values.epochs ?? String(usualEpochs(quick)), 1)
  const seed = whole('seed', values.seed ?? '1', 0)
  const threads = values.threads === undefined ? undefined : whole('threads', values.threads, 1)
  return {
    browser: values.browser
      ? {
          settings: { model, backend: pageBackend(values.backend), epochs, seed, quick, ...(threads && { threads }) },
          port: whole('port', values.port ?? '0', 0, 65535),
          open: !values['no-open'],
        }
      : undefined,
    models: modelsOf(model),
    backend,
    epochs,
    seed,
    threads,
    wide: !values['no-wide'],
    quick,
    resume: values.resume ?? false,
    out: folder(values.out ?? 'out'),
    help: values.help ?? false,
  }
}

/** In the page the backend is chosen by what the browser has, unless it is named. */
const pageBackend = (name: string | undefined): PageBackend =>
  oneOf('backend', name ?? 'auto', ['auto', 'wgpu', 'cpu'] as const)

/** Options that belong to a page, and those that do not. */
function checkPlace(values: ReturnType<typeof read>['values']): void {
  if (!values.browser) {
    if (values.port !== undefined) throw new UsageError('--port is for --browser only')
    if (values['no-open']) throw new UsageError('--no-open is for --browser only')
    return
  }
  if (values.backend === 'reference')
    throw new UsageError('--backend with --browser takes wgpu or cpu; left out, the page takes what the browser has')
  const here = (['resume', 'out', 'no-wide'] as const).find((name) => values[name] !== undefined)
  if (here !== undefined)
    throw new UsageError(
      `--${here} is not for --browser: a page keeps no checkpoints, and its report is saved by a button`,
    )
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
        browser: { type: 'boolean' },
        port: { type: 'string' },
        'no-open': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
