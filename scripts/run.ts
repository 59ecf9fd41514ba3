import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '..')

export type Outcome = { readonly ok: boolean; readonly output: string }

/** The pnpm that runs this script, or the one from the registry when started by hand. */
export function pnpm(): string[] {
  const path = process.env.npm_execpath
  if (path === undefined || !path.includes('pnpm')) return ['npx', '--yes', 'pnpm@12']
  return /\.[cm]?js$/.test(path) ? ['node', path] : [path]
}

/** Runs a tool of the workspace and collects its output; with `live` the output goes straight to the terminal. */
export function run(command: readonly string[], options: { cwd?: string; live?: boolean } = {}): Promise<Outcome> {
  const [file = '', ...args] = command
  const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  return new Promise((settle) => {
    const child = spawn(file, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
      stdio: ['ignore', options.live ? 'inherit' : 'pipe', options.live ? 'inherit' : 'pipe'],
      shell: process.platform === 'win32',
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.on('error', (error) => settle({ ok: false, output: `${output}${error.message}\n` }))
    child.on('close', (code) => settle({ ok: code === 0, output }))
  })
}

/** Builds every package; turbo skips what has not changed since. */
export const buildAll = (): Promise<Outcome> =>
  run([...pnpm(), 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only'])

/** Runs jobs a few at a time and joins what the failing ones printed. */
export async function runAll(jobs: readonly (() => Promise<Outcome>)[]): Promise<Outcome> {
  const queue = [...jobs]
  const outcomes: Outcome[] = []
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) outcomes.push(await job())
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  const failed = outcomes.filter((outcome) => !outcome.ok)
  return { ok: failed.length === 0, output: failed.map((outcome) => outcome.output).join('\n') }
}
