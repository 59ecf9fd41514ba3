import { DatasetError } from './errors.ts'

/**
 * `node:` modules through `process`, so that a bundler for the browser finds no import it cannot follow.
 * @throws DatasetError `not-found` with the fix where there is no file system
 */
export function node(op: string, fix: string): Pick<NodeJS.Process, 'getBuiltinModule' | 'cwd'> {
  const { process } = globalThis as { readonly process?: NodeJS.Process }
  if (typeof process?.getBuiltinModule === 'function') return process
  throw new DatasetError(op, 'not-found', `there is no file system here. ${fix}`)
}
