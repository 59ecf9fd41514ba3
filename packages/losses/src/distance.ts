import { maximum, minimum, OpError, scalar, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced, reductionOf } from './reduction.ts'

/**
 * Kullback-Leibler divergence t (log t - x) of log-probabilities `x` from probabilities `target`.
 * `batchmean` divides the sum by the first size, as the mathematical definition does.
 */
export function klDiv<R extends Reduction | 'batchmean' = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: { readonly reduction?: R; readonly logTarget?: boolean } = {},
): Loss<R extends Reduction ? R : 'mean'> {
  type Result = Loss<R extends Reduction ? R : 'mean'>
  checkSame('klDiv', x, target)
  const { reduction = 'mean' as R, logTarget = false } = options
  const positive = target.gt(0)
  const terms = (
    logTarget
      ? target.exp().mul(target.sub(x))
      : where(positive, target.mul(where(positive, target, scalar(1)).log().sub(x)), scalar(0))
  ) as Tensor
  if (reduction === 'batchmean') {
    if (x.ndim === 0 || x.shape[0] === 0)
      throw new OpError('klDiv', 'batchmean needs a first dimension that is not empty', { shapes: [x.shape] })
    return terms.sum().div(x.shape[0] as number) as Result
  }
  return reduced('klDiv', terms, reduction as Reduction) as Result
}

const dot = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum(-1) as Tensor

/** 1 - cos(a, b) where target is 1, max(0, cos(a, b) - margin) where it is -1; a, b [N, D]. */
export function cosineEmbedding<R extends Reduction = 'mean'>(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly margin?: number } = {},
): Loss<R> {
  checkSame('cosineEmbedding', a, b)
  // PyTorch's epsilon, inside the root.
  const cosine = dot(a, b).div(dot(a, a).add(1e-8).mul(dot(b, b).add(1e-8)).sqrt()) as Tensor
  checkSame('cosineEmbedding', cosine, target)
  const apart = maximum(cosine.sub(options.margin ?? 0), scalar(0))
  return reduced('cosineEmbedding', where(target.gt(0), cosine.neg().add(1), apart) as Tensor, reductionOf(options))
}

/** max(0, |anchor - positive|_p - |anchor - negative|_p + margin), p = 2 with PyTorch's 1e-6 on each difference. */
export function tripletMargin<R extends Reduction = 'mean'>(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: LossOptions<R> & { readonly margin?: number; readonly swap?: boolean } = {},
): Loss<R> {
  checkSame('tripletMargin', anchor, positive)
  checkSame('tripletMargin', anchor, negative)
  const distance = (p: Tensor, q: Tensor): Tensor => p.sub(q).add(1e-6).square().sum(-1).sqrt() as Tensor
  const far = distance(anchor, negative)
  const apart = options.swap ? (minimum(far, distance(positive, negative)) as Tensor) : far
  const terms = maximum(
    distance(anchor, positive)
      .sub(apart)
      .add(options.margin ?? 1),
    scalar(0),
  ) as Tensor
  return reduced('tripletMargin', terms, reductionOf(options))
}
