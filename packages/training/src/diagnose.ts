import { findNonFinite, isTensor, leaves, type NonFinite, namedVariables, type Tensor } from '@tessella/tensor'

/**
 * The first value that is not finite. For a tensor of the batch `op` is 'batch', for a Variable 'variable', and `where`
 * is its path; otherwise they are the operation and the layer that made it.
 */
export type Culprit = NonFinite

async function firstBad(
  op: string,
  tensors: Iterable<readonly [path: string, t: Tensor]>,
): Promise<Culprit | undefined> {
  for (const [where, t] of tensors) {
    if (t.dtype !== 'float32' && t.dtype !== 'float64') continue
    const values = (await t.data()) as Float32Array | Float64Array
    let [nan, infinite] = [0, 0]
    for (const v of values) {
      if (Number.isNaN(v)) nan++
      else if (!Number.isFinite(v)) infinite++
    }
    if (nan + infinite > 0) return { op, where, shape: t.shape, nan, infinite }
  }
  return undefined
}

/** Looks at the batch, then at the Variables, then at every operation of `compute`. */
export async function diagnose(batch: unknown, model: object, compute: () => unknown): Promise<Culprit | undefined> {
  const inputs = leaves(batch).flatMap(({ path, value }) => (isTensor(value) ? [[path, value] as const] : []))
  const variables = Object.entries(namedVariables(model)).map(([path, v]) => [path, v.value] as const)
  return (await firstBad('batch', inputs)) ?? (await firstBad('variable', variables)) ?? (await findNonFinite(compute))
}

/** What to tell a person about a loss that is not finite. */
export function describeCulprit(culprit: Culprit | undefined): string {
  if (culprit === undefined) return 'Every operation of the step is finite when it runs by itself.'
  const { op, where, shape, nan, infinite } = culprit
  const count = `of shape [${shape.join(', ')}]: ${nan} NaN, ${infinite} infinite`
  if (op === 'batch') return `The batch holds them already, in '${where}' ${count}. Check the data.`
  if (op === 'variable')
    return `'${where}' was bad before this step, ${count}: an earlier update had a finite loss but gradients that were not.`
  return `The first bad value comes from '${op}'${where === '' ? '' : ` in '${where}'`}, ${count}.`
}
