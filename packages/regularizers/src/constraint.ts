import { minimum, OpError, scalar, type Tensor } from '@tessella/tensor'
import { checkStrength, type Selection, selected } from './parameters.ts'

/** A projection of one parameter onto what is allowed. */
export type Constraint = (parameter: Tensor) => Tensor

/**
 * Rows (all dimensions but `axis`) of a norm above `limit` are scaled back to it: w * min(1, limit / |w|).
 * With the default axis 0 these are the weights into one output unit or filter (Srebro and Shraibman, 2005).
 */
export function maxNorm(limit: number, options: { readonly axis?: number } = {}): Constraint {
  if (!(limit > 0)) throw new OpError('maxNorm', `the limit must be above 0, got ${limit}`)
  const axis = options.axis ?? 0
  return (w) => {
    const others = w.shape.map((_, i) => i).filter((i) => i !== (axis < 0 ? axis + w.shape.length : axis))
    const norm = w.mul(w).sum(others, { keepdims: true }).sqrt() as Tensor
    // The tiny number only guards a zero row, whose factor is then 1.
    const factor = minimum(scalar(1), scalar(limit).div(norm.add(1e-12))) as Tensor
    return w.mul(factor) as Tensor
  }
}

/** Rows of norm 1. */
export function unitNorm(options: { readonly axis?: number } = {}): Constraint {
  const axis = options.axis ?? 0
  return (w) => {
    const others = w.shape.map((_, i) => i).filter((i) => i !== (axis < 0 ? axis + w.shape.length : axis))
    return w.div(w.mul(w).sum(others, { keepdims: true }).sqrt().add(1e-12)) as Tensor
  }
}

/** max(w, 0). */
export const nonNegative = (): Constraint => (w) => w.clip(0, Number.POSITIVE_INFINITY) as Tensor

/**
 * Projects the selected parameters; call it after the optimizer's update, inside the same step.
 *
 * @example
 * opt.update(grads)
 * constrain(model, maxNorm(3))
 */
export function constrain(model: unknown, constraint: Constraint, selection: Selection = {}): void {
  for (const [, v] of selected('constrain', model, selection)) v.assign(constraint(v.value))
}

/**
 * Decoupled weight decay, w = (1 - rate * strength) w, apart from the gradient: call it before the optimizer's update.
 * `adamw` of the optimizers tile does the same inside its chain.
 */
export function decoupledDecay(model: unknown, rate: number, strength: number, selection: Selection = {}): void {
  checkStrength('decoupledDecay', rate, strength)
  for (const [, v] of selected('decoupledDecay', model, selection)) v.assign(v.value.mul(1 - rate * strength) as Tensor)
}
