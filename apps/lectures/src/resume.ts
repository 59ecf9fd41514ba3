import { join } from 'node:path'
import { loadCheckpoint, saveCheckpoint, TrainingError } from '@tessella/training'
import type { ModelName, Options } from './options.ts'
import type { EpochRecord } from './record.ts'

/** What a checkpoint remembers beside the Variables. */
export interface Saved {
  readonly seed: number
  readonly quick: boolean
  readonly initialErrors: number
  readonly epochs: readonly EpochRecord[]
  /** Steps done of the epoch that was running, and the seconds they took. */
  readonly step: number
  readonly seconds: number
  readonly stepLosses: readonly number[]
}

/** The options that make one run the continuation of another. */
export type Same = Pick<Options, 'seed' | 'quick' | 'out'>

/** Where the checkpoint of a network lies. */
export const checkpointPath = (name: ModelName, { out, quick }: Same): string =>
  join(out, `checkpoint-${name}${quick ? '-quick' : ''}.safetensors`)

/** Saves the Variables in `state` and how far training got. */
export const save = (path: string, state: unknown, saved: Saved): Promise<void> => saveCheckpoint(path, state, saved)

/**
 * Loads the checkpoint at `path` into `state`; `undefined` when there is none. Throws an error that says the way out
 * when the file is damaged, of another network, or of a run with other options.
 */
export async function load(path: string, state: unknown, { seed, quick }: Same): Promise<Saved | undefined> {
  const saved = await loadCheckpoint<Saved>(path, state).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const fix =
      cause instanceof TrainingError ? 'Delete it, or start without --resume: that replaces it.' : 'Make it readable.'
    throw new Error(`Cannot resume from ${path}: ${reason} ${fix}`, { cause })
  })
  if (saved !== undefined && (saved.seed !== seed || saved.quick !== quick))
    throw new Error(
      `Cannot resume from ${path}: it was made with --seed ${saved.seed}${saved.quick ? ' --quick' : ''}. ` +
        'Give the same options, or start without --resume: that replaces it.',
    )
  return saved
}
