import { OpError, sameShape, type Tensor } from '@tessella/tensor'

/** `mean` over all terms (the default), `sum`, or `none`: one loss per term. */
export type Reduction = 'mean' | 'sum' | 'none'

export interface LossOptions<R extends Reduction = Reduction> {
  readonly reduction?: R
}

/** A scalar unless nothing is reduced. */
export type Loss<R extends Reduction> = [R] extends ['none'] ? Tensor : Tensor<readonly [], 'float32'>

/** Applies a reduction. Throws `OpError` for a mean over nothing: it would be NaN. */
export function reduced<R extends Reduction>(op: string, terms: Tensor, reduction: R): Loss<R> {
  if (reduction === 'none') return terms as Loss<R>
  if (reduction === 'sum') return terms.sum() as Loss<R>
  if (reduction !== 'mean')
    throw new OpError(op, `reduction must be 'mean', 'sum' or 'none', got '${String(reduction)}'`)
  if (terms.size === 0)
    throw new OpError(op, 'the batch is empty', {
      shapes: [terms.shape],
      hint: 'Skip empty batches, or use reduction: "sum".',
    })
  return terms.mean() as Loss<R>
}

export const reductionOf = <R extends Reduction>(options: LossOptions<R>): R => (options.reduction ?? 'mean') as R

/** Losses compare like with like; broadcasting here is nearly always a bug. */
export function checkSame(op: string, a: Tensor, b: Tensor): void {
  if (!sameShape(a.shape, b.shape))
    throw new OpError(op, 'input and target differ in shape', {
      shapes: [a.shape, b.shape],
      hint: 'Reshape one of them; losses do not broadcast.',
    })
}
