import { checkOptions, maximum, OpError, stopGradient, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced } from './reduction.ts'
import { checkLogits, classAxis, classCount, classWeights, isInteger, resolveTargets } from './targets.ts'

/** How integer classes count. */
export interface ClassOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Class weights [C]; the mean divides by the weights of the targets. */
  readonly weight?: Tensor
  /** Targets with this value count for nothing. Default -100. */
  readonly ignoreIndex?: number
}

export interface CrossEntropyOptions<R extends Reduction = Reduction> extends ClassOptions<R> {
  /** Shares this much of each target's probability among all classes. Default 0. */
  readonly labelSmoothing?: number
}

/** log softmax(x) = shifted - logSum; the largest of `shifted` is 0, so that nothing overflows. */
function logSoftmax(x: Tensor, axis: number): { readonly shifted: Tensor; readonly logSum: Tensor } {
  const shifted = x.sub(stopGradient(x.max(axis, { keepdim: true })))
  return { shifted, logSum: shifted.exp().sum(axis).log() }
}

/**
 * Softmax cross entropy: -log softmax(x)[target], stable for any logits. `x`: [N, C, ...] floats; `target`: integer
 * classes [N, ...], or probabilities of the shape of `x`. A target outside [0, C) that is not `ignoreIndex` gives NaN.
 * The lectures' delta of the output layer, softmax(x) - y, is its gradient for one example.
 *
 * @throws OpError for shapes that do not fit, an empty batch, or labelSmoothing outside [0, 1]
 * @example
 * const loss = crossEntropy(model(images), labels)
 */
export function crossEntropy<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: CrossEntropyOptions<R> = {},
): Loss<R> {
  const op = 'crossEntropy'
  checkOptions(op, options, ['reduction', 'weight', 'ignoreIndex', 'labelSmoothing'])
  const { labelSmoothing = 0, weight, ignoreIndex = -100, reduction } = options
  checkLogits(op, x)
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new OpError(op, `labelSmoothing must be between 0 and 1, got ${labelSmoothing}`)
  const axis = classAxis(x)
  const { shifted, logSum } = logSoftmax(x, axis)
  /** -sum of p log softmax(x) over the classes. */
  const against = (p: Tensor): Tensor => logSum.mul(p.sum(axis)).sub(shifted.mul(p).sum(axis))
  if (!isInteger(target)) {
    checkProbabilities(op, x, target)
    const p = target.mul(1 - labelSmoothing).add(labelSmoothing / classCount(x))
    return reduced(op, against(weight ? p.mul(classWeights(op, x, weight)) : p), reduction)
  }
  const { isTarget, weights, masked } = resolveTargets(op, x, target, { weight, ignoreIndex })
  const hard = logSum.sub(where(isTarget, shifted, 0).sum(axis)).mul(weights)
  if (labelSmoothing === 0) return reduced(op, masked(hard), reduction, weights)
  const soft = against(classWeights(op, x, weight)).mul(labelSmoothing / classCount(x))
  return reduced(op, masked(hard.mul(1 - labelSmoothing).add(soft)), reduction, weights)
}

function checkProbabilities(op: string, x: Tensor, target: Tensor): void {
  if (target.ndim < x.ndim)
    throw new OpError(op, `${target.dtype} targets are probabilities and need the shape of the logits`, {
      shapes: [x.shape, target.shape],
      hint: "For class numbers cast them: target.cast('int32').",
    })
  checkSame(op, x, target)
}

/** Negative log likelihood: -x[target] for log-probabilities `x` [N, C, ...] and integer classes [N, ...]. */
export function nll<R extends Reduction = 'mean'>(x: Tensor, target: Tensor, options: ClassOptions<R> = {}): Loss<R> {
  checkOptions('nll', options, ['reduction', 'weight', 'ignoreIndex'])
  const { weight, ignoreIndex = -100, reduction } = options
  checkLogits('nll', x)
  const { isTarget, weights, masked } = resolveTargets('nll', x, target, { weight, ignoreIndex })
  const picked = where(isTarget, x, 0).sum(classAxis(x))
  return reduced('nll', masked(picked.mul(weights).neg()), reduction, weights)
}

/** Multi-class hinge: mean over classes of max(0, margin - x[t] + x[j]) for j != t; x [N, C], t [N]. Default margin 1. */
export function multiMargin<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly margin?: number } = {},
): Loss<R> {
  checkOptions('multiMargin', options, ['reduction', 'margin'])
  checkLogits('multiMargin', x)
  const axis = classAxis(x)
  const { isTarget, masked } = resolveTargets('multiMargin', x, target)
  const own = where(isTarget, x, 0).sum(axis, { keepdim: true })
  const violation = maximum(x.sub(own).add(options.margin ?? 1), 0)
  const terms = where(isTarget, 0, violation).sum(axis).div(classCount(x))
  return reduced('multiMargin', masked(terms), options.reduction)
}
