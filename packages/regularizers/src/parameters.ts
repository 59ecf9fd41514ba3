import { isVariable, namedVariables, OpError, type Tensor, type Variable } from '@tessella/tensor'

/** Which parameters a penalty or constraint touches. */
export interface Selection {
  /**
   * Chooses by name and value; the default takes every trainable parameter but biases and other vectors
   * (normalisation scales), as the lectures do.
   */
  readonly select?: (name: string, value: Tensor) => boolean
}

const isWeight = (name: string, value: Tensor): boolean => value.shape.length > 1 && !/(^|\.)bias/.test(name)

/** The selected trainable Variables of a model by name. A single Variable selects itself. */
export function selected(op: string, model: unknown, selection: Selection): readonly (readonly [string, Variable])[] {
  if (isVariable(model)) return [['value', model]]
  const choose = selection.select ?? isWeight
  const chosen = Object.entries(namedVariables(model, { trainable: true })).filter(([n, v]) => choose(n, v.value))
  if (chosen.length === 0)
    throw new OpError(op, 'selected no parameters', {
      hint: 'By default only weights of two or more dimensions count; pass `select` to choose others.',
    })
  return chosen
}

export function checkStrength(op: string, ...values: readonly number[]): void {
  for (const v of values)
    if (!Number.isFinite(v) || v < 0) throw new OpError(op, `the strength must be a finite number >= 0, got ${v}`)
}
