import { checkOptions, isVariable, namedVariables, OpError, type Tensor, type Variable } from '@tessella/tensor'

/** Which parameters a penalty or constraint touches. */
export interface Selection {
  /**
   * Chooses by name and value; the default takes every trainable parameter but biases and other vectors
   * (normalisation scales), as the lectures do.
   */
  readonly select?: (name: string, value: Tensor) => boolean
}

const isWeight = (name: string, value: Tensor): boolean => value.ndim > 1 && !/(^|\.)bias[^.]*$/.test(name)

/** The selected trainable Variables of a model. A single Variable selects itself. */
export const selected = (op: string, model: unknown, selection: Selection): readonly Variable[] =>
  Object.values(selectedByName(op, model, selection))

/** The selected trainable Variables of a model by their names; a single Variable is called 'value'. */
export function selectedByName(op: string, model: unknown, selection: Selection): Readonly<Record<string, Variable>> {
  checkOptions(op, selection, ['select'])
  if (isVariable(model)) return { value: model }
  const { select = isWeight } = selection
  const all = Object.entries(namedVariables(model, { trainable: true }))
  const chosen = all.filter(([name, v]) => select(name, v.value))
  if (chosen.length === 0)
    throw new OpError(op, `selected none of ${all.length} trainable Variables`, {
      hint: 'By default only weights of two or more dimensions count; pass `select` to choose others.',
    })
  return Object.fromEntries(chosen)
}

export function checkStrength(op: string, ...values: readonly number[]): void {
  for (const v of values)
    if (!Number.isFinite(v) || v < 0) throw new OpError(op, `the strength must be a finite number >= 0, got ${v}`)
}
