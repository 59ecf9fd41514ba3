import { checkOptions, maximum, OpError, scalar, type Tensor } from '@tessella/tensor'
import { checkStrength, type Selection, selected } from './parameters.ts'

/** A projection of one parameter onto what is allowed. */
export type Constraint = (parameter: Tensor) => Tensor

/** Norms over all dimensions but one, which the result keeps as they broadcast. */
function normsAlong(op: string, w: Tensor, axis: number): Tensor {
  const kept = axis < 0 ? axis + w.ndim : axis
  if (!Number.isInteger(axis) || kept < 0 || kept >= w.ndim)
    throw new OpError(op, `there is no axis ${axis}`, { shapes: [w.shape] })
  // A vector has one element per row: nothing to add up.
  if (w.ndim === 1) return w.abs()
  return w.norm(
    w.shape.map((_, i) => i).filter((i) => i !== kept),
    { keepdim: true },
  )
}

/**
 * Rows (all dimensions but `axis`) of a norm above `limit` are scaled back to it: w * limit / max(|w|, limit).
 * With the default axis 0 these are the weights into one output unit or filter (Srebro and Shraibman, 2005).
 */
export function maxNorm(limit: number, options: { readonly axis?: number } = {}): Constraint {
  if (!(limit > 0 && Number.isFinite(limit)))
    throw new OpError('maxNorm', `the limit must be a finite number above 0, got ${limit}`)
  checkOptions('maxNorm', options, ['axis'])
  const { axis = 0 } = options
  return (w) => w.mul(scalar(limit).div(maximum(normsAlong('maxNorm', w, axis), limit)))
}

/** Rows (all dimensions but `axis`, by default 0) of norm 1; rows of zeros stay. */
export function unitNorm(options: { readonly axis?: number } = {}): Constraint {
  checkOptions('unitNorm', options, ['axis'])
  const { axis = 0 } = options
  return (w) => w.div(maximum(normsAlong('unitNorm', w, axis), 1e-12))
}

/** max(w, 0). */
export const nonNegative = (): Constraint => (w) => w.clip(0)

/**
 * Projects the selected parameters; call it after the optimizer's update, inside the same step.
 *
 * @example
 * opt.update(grads)
 * constrain(model, maxNorm(3))
 */
export function constrain(model: unknown, constraint: Constraint, selection: Selection = {}): void {
  for (const v of selected('constrain', model, selection)) v.assign(constraint(v.value).cast(v.dtype))
}

/**
 * Decoupled weight decay, w = (1 - rate * strength) w, apart from the gradient: call it before the optimizer's update.
 * `adamw` of the optimizers tile does the same inside its chain.
 */
export function decoupledDecay(model: unknown, rate: number, strength: number, selection: Selection = {}): void {
  checkStrength('decoupledDecay', rate, strength)
  for (const v of selected('decoupledDecay', model, selection)) v.assign(v.value.mul(1 - rate * strength).cast(v.dtype))
}
