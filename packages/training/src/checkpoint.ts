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

const hex = (buffer: ArrayBuffer): string =>
  Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('')

async function digest(values: Snapshot, progress: string): Promise<string> {
  const body = encodeSafetensors(values, { progress })
  return hex(await crypto.subtle.digest('SHA-256', body))
}

/**
 * All Variables of `state` (model, optimizer, generators: `{ model, optimizer: opt.state, ... }`) with `progress`
 * as one safetensors file with a checksum. Restoring it continues bit for bit.
 */
export async function encodeCheckpoint(state: unknown, progress: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const values = await snapshot(state)
  const text = JSON.stringify(progress)
  return encodeSafetensors(values, { format, progress: text, sha256: await digest(values, text) })
}

/** Reads and verifies a checkpoint. Throws {@link TrainingError} `bad-checkpoint`. */
export async function decodeCheckpoint<P = unknown>(file: Uint8Array): Promise<Checkpoint<P>> {
  const { tensors, metadata } = decodeSafetensors(file)
  const { progress } = metadata
  if (metadata.format !== format || progress === undefined)
    throw new TrainingError(
      'bad-checkpoint',
      `[checkpoint] not a checkpoint of this version (format '${metadata.format ?? 'none'}', expected '${format}')`,
    )
  if ((await digest(tensors, progress)) !== metadata.sha256)
    throw new TrainingError(
      'bad-checkpoint',
      '[checkpoint] the checksum does not match: the file was damaged. Use an older checkpoint.',
    )
  return { values: tensors, progress: JSON.parse(progress) as P }
}

/** Assigns a checkpoint's values to the Variables of `state`, all or nothing. */
export const restoreCheckpoint = (state: unknown, checkpoint: Checkpoint): void => restore(state, checkpoint.values)
