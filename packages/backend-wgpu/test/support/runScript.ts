import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  /** A number, or the name of the signal that ended it. */
  readonly code: number | string
  readonly output: string
}

/** The scripts in `test/lifetime`, each a process, with the exit code that each must have. */
export const lifetimes: readonly (readonly [script: string, code: number, what: string])[] = [
  ['ends', 0, 'a script that read its result ends by itself'],
  ['unread', 0, 'a script that read nothing ends by itself'],
  ['exitInFlight', 7, 'process.exit with work and reads in flight'],
  ['throwInFlight', 1, 'an uncaught exception with work in flight'],
  ['dropped', 0, 'backends that nobody holds are collected'],
  ['disposeInFlight', 0, 'dispose with reads in flight'],
  ['lost', 0, 'a lost device is told, and training goes on on another'],
  ['full', 0, 'calls wait for a full queue, and not for a lost device'],
  ['worker', 0, 'workers with devices of their own'],
  ['memory', 0, 'more than fits'],
]

/** Dawn prints this of drivers that have more than it uses. */
const ofDriver = /^Warning: \w+ artificially reduced .*\n/gm

/** Runs a script of `test/lifetime` to its end; a hang is ended after a minute. */
export function runScript(name: string): Promise<Ended> {
  const script = fileURLToPath(new URL(`../lifetime/${name}.ts`, import.meta.url))
  const args = ['--conditions=@tessella/source', '--expose-gc', script]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 60_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({
        code: error ? (error.signal ?? error.code ?? 'unknown') : 0,
        output: (stdout + stderr).replace(ofDriver, ''),
      }),
    )
  })
}
