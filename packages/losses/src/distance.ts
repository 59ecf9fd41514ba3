import { checkOptions, maximum, minimum, OpError, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced } from './reduction.ts'

/**
 * Kullback-Leibler divergence t (log t - x) of log-probabilities `x` from probabilities `target`.
 * `batchmean` divides the sum by the first size, as the mathematical definition does.
 */
export function klDiv<R extends Reduction | 'batchmean' = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: { readonly reduction?: R; readonly logTarget?: boolean } = {},
): Loss<R> {
  checkOptions('klDiv', options, ['reduction', 'logTarget'])
  checkSame('klDiv', x, target)
  const reduction: Reduction | 'batchmean' = options.reduction ?? 'mean'
  const terms = options.logTarget ? target.exp().mul(target.sub(x)) : entropyTerms(x, target)
  if (reduction !== 'batchmean') return reduced('klDiv', terms, reduction) as Loss<R>
  const [rows] = x.shape
  if (!rows) throw new OpError('klDiv', 'batchmean needs a first dimension that is not empty', { shapes: [x.shape] })
  return terms.sum().div(rows) as Tensor as Loss<R>
}

/** t (log t - x), and 0 where t is 0. */
function entropyTerms(x: Tensor, target: Tensor): Tensor {
  const none = target.eq(0)
  return where(none, 0, target.mul(where(none, 1, target).log().sub(x)))
}

const dot = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum(-1)

/** 1 - cos(a, b) where target is 1, max(0, cos(a, b) - margin) where it is -1; a, b [N, D], target [N]. Default margin 0. */
export function cosineEmbedding<R extends Reduction = 'mean'>(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly margin?: number } = {},
): Loss<R> {
  checkOptions('cosineEmbedding', options, ['reduction', 'margin'])
  checkSame('cosineEmbedding', a, b)
  // PyTorch's epsilon, inside the root.
  const cosine = dot(a, b).div(dot(a, a).add(1e-12).mul(dot(b, b).add(1e-12)).sqrt())
  checkSame('cosineEmbedding', cosine, target)
  const apart = maximum(cosine.sub(options.margin ?? 0), 0)
  return reduced('cosineEmbedding', where(target.gt(0), cosine.neg().add(1), apart), options.reduction)
}

/**
 * max(0, |anchor - positive| - |anchor - negative| + margin) over the last axis, with PyTorch's 1e-6 on each difference.
 * Default margin 1; `swap` takes the positive in place of the anchor where it is nearer to the negative.
 */
export function tripletMargin<R extends Reduction = 'mean'>(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: LossOptions<R> & { readonly margin?: number; readonly swap?: boolean } = {},
): Loss<R> {
  checkOptions('tripletMargin', options, ['reduction', 'margin', 'swap'])
  checkSame('tripletMargin', anchor, positive)
  checkSame('tripletMargin', anchor, negative)
  const distance = (p: Tensor, q: Tensor): Tensor => p.sub(q).add(1e-6).norm(-1)
  const far = distance(anchor, negative)
  const apart = options.swap ? minimum(far, distance(positive, negative)) : far
  const terms = distance(anchor, positive)
    .sub(apart)
    .add(options.margin ?? 1)
  return reduced('tripletMargin', maximum(terms, 0), options.reduction)
}
