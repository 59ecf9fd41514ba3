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

/**
 * All Variables of `state` (model, optimizer, generators: `{ model, optimizer: opt.state, random: generator.state }`)
 * with `progress`, which is any JSON, as one safetensors file with a checksum. Restoring it continues bit for bit.
 */
export async function encodeCheckpoint(state: unknown, progress: unknown = null): Promise<Uint8Array<ArrayBuffer>> {
  // Both as of now, before anything is awaited.
  const text = JSON.stringify(progress)
  if (text === undefined)
    throw new TrainingError('bad-option', `[checkpoint] progress must be JSON data, got a ${typeof progress}`)
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
