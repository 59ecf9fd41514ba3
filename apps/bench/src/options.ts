import { parseArgs } from 'node:util'
import { type Case, cases } from './cases/table.ts'
import { type SystemName, systemNames } from './contract.ts'

export interface Options {
  readonly suite: 'cpu' | 'gpu' | 'all'
  readonly cases: readonly Case[]
  readonly systems: readonly SystemName[]
  readonly threads: number | undefined
  readonly runs: number
  readonly quick: boolean
  readonly where: 'node' | 'browser'
  readonly isolated: boolean
  readonly json: string | undefined
  readonly html: string | undefined
  /** Two files to compare instead of measuring. */
  readonly compare: readonly [string, string] | undefined
  readonly help: boolean
}

export const usage = `Measures Tessella's backends and their peers on the same cases, in one run.

  npx pnpm@12 bench [options]

  --suite cpu|gpu|all      which systems (default cpu; gpu is wgpu alone)
  --case GLOB              cases by name, such as 'matmul/*'; may be repeated
  --system GLOB            systems by name, such as 'cpu*'; may be repeated
  --threads N              threads of our CPU backends (default: what they choose)
  --runs N                 timed rounds (default 9, with --quick 5)
  --quick                  a few cases, short rounds: under two minutes
  --where node|browser     where the JavaScript systems run (default node; browser: a headless Chromium)
  --isolated yes|no        browser: whether the page is cross-origin isolated, so has shared memory (default yes)
  --json FILE              writes the results
  --html FILE              writes a page with charts
  --compare A B            prints what changed from one results file to another, beyond noise
  --help                   this text

Systems: ${systemNames.join(', ')}
`

/** A mistake on the command line; the message says which and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const gpuSystems: readonly SystemName[] = ['wgpu']

function whole(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} takes a whole number from 1 on, not '${text}'`)
  return value
}

function oneOf<T extends string>(name: string, text: string | undefined, allowed: readonly [T, ...T[]]): T {
  if (text === undefined) return allowed[0]
  const found = allowed.find((a) => a === text)
  if (found === undefined) throw new UsageError(`--${name} takes ${allowed.join(', ')}, not '${text}'`)
  return found
}

/** `*` stands for anything, slashes too. */
export function matches(glob: string, name: string): boolean {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}

function chosen<T>(name: string, globs: readonly string[], all: readonly T[], nameOf: (item: T) => string): T[] {
  for (const glob of globs)
    if (!all.some((item) => matches(glob, nameOf(item))))
      throw new UsageError(`--${name} '${glob}' fits none of: ${all.map(nameOf).join(', ')}`)
  return all.filter((item) => globs.some((glob) => matches(glob, nameOf(item))))
}

function suiteOf(suite: Options['suite']): readonly SystemName[] {
  if (suite === 'all') return systemNames
  return systemNames.filter((name) => gpuSystems.includes(name) === (suite === 'gpu'))
}

/** Reads the command line. Throws {@link UsageError}. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = read(args)
  const compared = values.compare === undefined ? [] : [values.compare, ...positionals]
  const [before, after] = compared
  if (compared.length > 0 && (compared.length !== 2 || before === undefined || after === undefined))
    throw new UsageError('--compare takes two files: --compare before.json after.json')
  if (compared.length === 0 && positionals.length > 0) throw new UsageError(`'${positionals[0]}' is not an option`)
  const quick = values.quick ?? false
  const suite = oneOf('suite', values.suite, ['cpu', 'gpu', 'all'])
  const where = oneOf('where', values.where, ['node', 'browser'])
  if (values.isolated !== undefined && where === 'node') throw new UsageError('--isolated is for --where browser only')
  const named = values.system !== undefined
  return {
    suite,
    cases: values.case ? chosen('case', values.case, cases, (c) => c.name) : cases.filter((c) => !quick || c.quick),
    // A system that is named is meant, whatever the suite.
    systems: named
      ? chosen('system', values.system ?? [], values.suite ? suiteOf(suite) : systemNames, (s) => s)
      : suiteOf(suite),
    threads: values.threads === undefined ? undefined : whole('threads', values.threads, 1),
    runs: whole('runs', values.runs, quick ? 5 : 9),
    quick,
    where,
    isolated: oneOf('isolated', values.isolated, ['yes', 'no']) === 'yes',
    json: values.json,
    html: values.html,
    compare: before !== undefined && after !== undefined ? [before, after] : undefined,
    help: values.help ?? false,
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      // pnpm hands over a leading '--' as it is.
      args: args.filter((a, i) => !(a === '--' && i === 0)),
      allowPositionals: true,
      options: {
        suite: { type: 'string' },
        case: { type: 'string', multiple: true },
        system: { type: 'string', multiple: true },
        threads: { type: 'string' },
        runs: { type: 'string' },
        quick: { type: 'boolean' },
        where: { type: 'string' },
        isolated: { type: 'string' },
        json: { type: 'string' },
        html: { type: 'string' },
        compare: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
