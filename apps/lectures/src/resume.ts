import { join } from 'node:path'
import { loadCheckpoint, saveCheckpoint, TrainingError } from '@tessella/training'
import type { Keeper, Saved } from './experiment.ts'
import type { ModelName } from './models.ts'
import type { Options } from './options.ts'
import { plural } from './report/numbers.ts'

/** The options that make one run the continuation of another. */
type Same = Pick<Options, 'seed' | 'quick' | 'out'>
type FileSaved = Saved & Pick<Same, 'seed' | 'quick'>

/** Where the checkpoint of a network lies. */
export const checkpointPath = (name: ModelName, { out, quick }: Same): string =>
  join(out, `checkpoint-${name}${quick ? '-quick' : ''}.safetensors`)

/** Keeps a run in a file, and with `resume` goes on from what it finds there; `say` is told which. */
export function fileKeeper(
  name: ModelName,
  options: Same & Pick<Options, 'resume' | 'epochs'>,
  say: (remark: string) => void,
): Keeper {
  const path = checkpointPath(name, options)
  return {
    async load(state) {
      if (!options.resume) return undefined
      const saved = await load(path, state, options)
      say(resumed(path, saved?.epochs.length, saved?.step, options.epochs))
      return saved
    },
    save: (state, saved) => {
      const { seed, quick } = options
      return saveCheckpoint(path, state, { ...saved, seed, quick } satisfies FileSaved)
    },
  }
}

/**
 * Loads the checkpoint at `path` into `state`; `undefined` when there is none. Throws an error that says the way out
 * when the file is damaged, of another network, or of a run with other options.
 */
async function load(path: string, state: unknown, { seed, quick }: Same): Promise<Saved | undefined> {
  const saved = await loadCheckpoint<FileSaved>(path, state).catch((cause: unknown) => {
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

function resumed(path: string, epochs: number | undefined, step: number | undefined, wanted: number): string {
  if (epochs === undefined) return `There is no ${path} to resume from: starting anew.`
  if (epochs >= wanted) return `${path} has all ${wanted} epochs already.`
  return `Resuming after ${plural(epochs, 'epoch')}${step ? ` and ${plural(step, 'step')}` : ''} from ${path}.`
}
