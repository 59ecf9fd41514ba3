import { OpError, sameShape, type Tensor } from '@tessella/tensor'

/** `mean` over all terms (the default), `sum`, or `none`: one loss per term. */
export type Reduction = 'mean' | 'sum' | 'none'

export interface LossOptions<R extends Reduction = Reduction> {
  readonly reduction?: R
}

/** A scalar unless nothing is reduced. */
export type Loss<R extends string> = [R] extends ['none'] ? Tensor : Tensor<[], 'float32'>

/**
 * Reduces the terms of a loss; `weights`, in the shape of the terms, are what the mean divides by in place of their
 * number. Throws `OpError` for a mean over nothing, which would be NaN.
 */
export function reduced<R extends Reduction = 'mean'>(
  op: string,
  terms: Tensor,
  reduction: R | undefined,
  weights?: Tensor,
): Loss<R> {
  return reduce(op, terms, reduction ?? 'mean', weights) as Loss<R>
}

function reduce(op: string, terms: Tensor, reduction: Reduction, weights: Tensor | undefined): Tensor {
  switch (reduction) {
    case 'none':
      return terms
    case 'sum':
      return terms.sum()
    case 'mean':
      if (terms.size === 0)
        throw new OpError(op, 'the batch is empty', {
          shapes: [terms.shape],
          hint: "Skip empty batches, or use reduction: 'sum'.",
        })
      return weights ? terms.sum().div(weights.sum()) : terms.mean()
    default:
      throw new OpError(op, `reduction must be 'mean', 'sum' or 'none', got '${String(reduction)}'`)
  }
}

/** Losses compare like with like; broadcasting here is nearly always a bug. */
export function checkSame(op: string, a: Tensor, b: Tensor): void {
  if (!sameShape(a.shape, b.shape))
    throw new OpError(op, 'input and target differ in shape', {
      shapes: [a.shape, b.shape],
      hint: 'Reshape one of them; losses do not broadcast.',
    })
}
