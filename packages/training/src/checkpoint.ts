import { namedVariables } from '@tessella/tensor'
import { TrainingError } from './errors.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'
import { restore, type Snapshot, snapshot } from './snapshot.ts'

const format = 'tessella-checkpoint-1'

/** A saved moment of training: all Variables, and whatever else the caller needs to go on. */
export interface Checkpoint<P = unknown> {
  readonly values: Snapshot
  /** JSON data of the caller: epoch, seed, history, options. */
  readonly progress: P
}

async function digest(values: Snapshot, progress: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', encodeSafetensors(values, { progress }))
  return Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, '0')).join('')
}

/** Refuses what JSON would drop or turn into something else: a checkpoint gives back what was saved. */
function checkJson(value: unknown, path: string, above: readonly unknown[]): void {
  const refuse = (what: string): never => {
    throw new TrainingError('bad-option', `[checkpoint] progress must be JSON data, but ${path} is ${what}.`, { path })
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(`${value}. Save null or leave it out`)
  } else if (typeof value !== 'object') refuse(value === undefined ? 'undefined' : `a ${typeof value}`)
  else if (above.includes(value)) refuse('part of itself')
  else if (!('toJSON' in value))
    // As in JSON, an undefined property of an object is one that is not there.
    for (const [key, part] of Object.entries(value))
      if (part !== undefined || Array.isArray(value)) checkJson(part, `${path}.${key}`, [...above, value])
}

/**
 * All Variables of `state` (model, optimizer, generators: `{ model, optimizer: opt.state, random: generator.state }`)
 * with `progress`, which is any JSON, as one safetensors file with a checksum. Restoring it continues bit for bit.
 *
 * @throws TrainingError `bad-option` when there are no Variables, or JSON cannot hold the progress (NaN, bigint, ...)
 */
export async function encodeCheckpoint(state: unknown, progress: unknown = null): Promise<Uint8Array<ArrayBuffer>> {
  // Both as of now, before anything is awaited.
  checkJson(progress, 'progress', [])
  const text = JSON.stringify(progress)
  if (Object.keys(namedVariables(state)).length === 0)
    throw new TrainingError(
      'bad-option',
      '[checkpoint] found no Variables. Pass what holds them: { model, optimizer: opt.state }.',
    )
  const values = await snapshot(state)
  return encodeSafetensors(values, { format, progress: text, sha256: await digest(values, text) })
}

/** Reads and verifies a checkpoint. Throws {@link TrainingError} `bad-checkpoint`. */
export async function decodeCheckpoint<P = unknown>(file: Uint8Array): Promise<Checkpoint<P>> {
  const { tensors, metadata } = decodeSafetensors(file)
  const { progress } = metadata
  if (metadata.format !== format || progress === undefined)
    throw new TrainingError(
      'bad-checkpoint',
      `[checkpoint] not a checkpoint of this version (format '${metadata.format ?? 'none'}', expected '${format}').`,
    )
  if ((await digest(tensors, progress)) !== metadata.sha256)
    throw new TrainingError(
      'bad-checkpoint',
      '[checkpoint] the checksum does not match: the file was damaged. Use an older checkpoint.',
    )
  return { values: tensors, progress: parseProgress(progress) as P }
}

function parseProgress(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TrainingError('bad-checkpoint', '[checkpoint] the progress is not JSON.', {}, { cause })
  }
}

/** Assigns a checkpoint's values to the Variables of `state`, all or nothing. */
export const restoreCheckpoint = (state: unknown, checkpoint: Checkpoint): void => restore(state, checkpoint.values)
