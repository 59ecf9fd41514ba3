import {
  type DType,
  fromData,
  type HostArray,
  namedVariables,
  sameShape,
  type Tensor,
  type Variable,
} from '@tessella/tensor'
import { TrainingError } from './errors.ts'

/** Elements of one Variable on the host. */
export interface HostTensor {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: HostArray
}

/** Values of Variables by name; owns its memory. */
export type Snapshot = Readonly<Record<string, HostTensor>>

/** Copies every Variable in `root` (model, optimizer state, generators) to the host. */
export async function snapshot(root: unknown): Promise<Snapshot> {
  const entries = Object.entries(namedVariables(root))
  const values = entries.map(([, v]) => v.value)
  const copies: Record<string, HostTensor> = {}
  for (const [i, [name, v]] of entries.entries())
    copies[name] = { shape: [...v.shape], dtype: v.dtype, data: await (values[i] as Tensor).data() }
  return copies
}

/**
 * Assigns a snapshot back. All names, shapes and dtypes are checked before anything changes.
 * Throws {@link TrainingError} `mismatched-checkpoint` that lists what does not fit.
 */
export function restore(root: unknown, saved: Snapshot): void {
  const variables = namedVariables(root)
  const problems: string[] = []
  const pairs: [Variable, HostTensor][] = []
  for (const [name, v] of Object.entries(variables)) {
    const s = saved[name]
    if (s === undefined) problems.push(`'${name}' is missing`)
    else if (!sameShape(s.shape, v.shape) || s.dtype !== v.dtype)
      problems.push(`'${name}' is ${s.dtype} [${s.shape.join(', ')}], the model has ${v.dtype} [${v.shape.join(', ')}]`)
    else pairs.push([v, s])
  }
  for (const name of Object.keys(saved)) if (!(name in variables)) problems.push(`'${name}' is not in the model`)
  if (problems.length > 0)
    throw new TrainingError(
      'mismatched-checkpoint',
      `[restore] the saved values do not fit: ${problems.slice(0, 8).join('; ')}${problems.length > 8 ? `; and ${problems.length - 8} more` : ''}. ` +
        'Nothing was changed. Build the same model and optimizer as when it was saved.',
      { problems },
    )
  for (const [v, s] of pairs) v.assign(fromData(s.data.slice(), s.shape, s.dtype))
}
