import { type DType, fromData, type HostArray, namedVariables, sameShape, type Variable } from '@tessella/tensor'
import { TrainingError } from './errors.ts'

/** Elements of one Variable on the host. */
export interface HostTensor {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: HostArray
}

/** Values of Variables by name; owns its memory. */
export type Snapshot = Readonly<Record<string, HostTensor>>

/** Copies every Variable in `root` (model, optimizer state, generators) to the host, all as of now. */
export async function snapshot(root: unknown): Promise<Snapshot> {
  const values = Object.entries(namedVariables(root)).map(([name, v]) => [name, v.value] as const)
  const copies: [string, HostTensor][] = []
  for (const [name, t] of values) copies.push([name, { shape: t.shape, dtype: t.dtype, data: await t.data() }])
  return Object.fromEntries(copies)
}

const show = ({ dtype, shape }: { dtype: DType; shape: readonly number[] }): string => `${dtype} [${shape.join(', ')}]`

/**
 * Assigns a snapshot back. All names, shapes and dtypes are checked before anything changes.
 * Throws {@link TrainingError} `mismatched-checkpoint` that lists what does not fit.
 */
export function restore(root: unknown, saved: Snapshot): void {
  const variables = namedVariables(root)
  const problems: string[] = []
  const pairs: [Variable, HostTensor][] = []
  for (const [name, v] of Object.entries(variables)) {
    const s = Object.hasOwn(saved, name) ? saved[name] : undefined
    if (s === undefined) problems.push(`'${name}' is missing`)
    else if (!sameShape(s.shape, v.shape) || s.dtype !== v.dtype)
      problems.push(`'${name}' is ${show(s)}, the model has ${show(v)}`)
    else pairs.push([v, s])
  }
  for (const name of Object.keys(saved))
    if (!Object.hasOwn(variables, name)) problems.push(`'${name}' is not in the model`)
  if (problems.length > 0) {
    const more = problems.length > 8 ? `; and ${problems.length - 8} more` : ''
    throw new TrainingError(
      'mismatched-checkpoint',
      `[restore] the saved values do not fit: ${problems.slice(0, 8).join('; ')}${more}. ` +
        'Nothing was changed. Build the same model and optimizer as when it was saved.',
      { problems },
    )
  }
  for (const [v, s] of pairs) v.assign(fromData(s.data.slice(), s.shape, s.dtype))
}
