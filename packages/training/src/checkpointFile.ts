import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, restoreCheckpoint } from './checkpoint.ts'
import { TrainingError } from './errors.ts'

/*
 * Node, Deno and Bun only: the file system is reached when a function runs, so that browsers can import the package.
 */
const fileSystem = () => import('node:fs/promises')

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Writes a file so that a crash or a full disk leaves the old one: to a temporary name in the same folder, flushed,
 * then renamed. Folders are made. Throws {@link TrainingError} `write-failed`; a killed process leaves its `.tmp` file.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const fs = await fileSystem()
  const { dirname } = await import('node:path')
  // A name of its own, so that two writers of one path do not mix.
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`
  try {
    await fs.mkdir(dirname(path), { recursive: true })
    const file = await fs.open(temporary, 'wx')
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await fs.rename(temporary, path)
  } catch (cause) {
    await fs.rm(temporary, { force: true }).catch(() => undefined)
    throw new TrainingError(
      'write-failed',
      `[write] could not write ${path}: ${reasonOf(cause)}. What was there before is untouched.`,
      { path },
      { cause },
    )
  }
}

/**
 * Saves all Variables of `state` and `progress`; the previous file survives any failure.
 *
 * @throws TrainingError `write-failed`
 * @example
 * await saveCheckpoint('run.safetensors', { model, optimizer: opt.state }, { epoch: 3 })
 */
export async function saveCheckpoint(path: string, state: unknown, progress?: unknown): Promise<void> {
  await writeFileAtomic(path, await encodeCheckpoint(state, progress))
}

/**
 * Loads a checkpoint into the Variables of `state` and gives back what was saved as progress; `undefined` when there
 * is no such file. Throws {@link TrainingError} for a damaged file or another model; nothing is changed then.
 */
export async function loadCheckpoint<P>(path: string, state: unknown): Promise<P | undefined> {
  const checkpoint = await readCheckpoint<P>(path)
  if (checkpoint !== undefined) restoreCheckpoint(state, checkpoint)
  return checkpoint?.progress
}

/** Reads and verifies a checkpoint without applying it; `undefined` when there is no such file. */
export async function readCheckpoint<P>(path: string): Promise<Checkpoint<P> | undefined> {
  const fs = await fileSystem()
  let file: Uint8Array
  try {
    file = await fs.readFile(path)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new TrainingError('read-failed', `[read] could not read ${path}: ${reasonOf(cause)}.`, { path }, { cause })
  }
  return decodeCheckpoint<P>(file)
}
