import { arange, maximum, OpError, sameShape, scalar, stopGradient, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced, reductionOf } from './reduction.ts'

export interface CrossEntropyOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Shares this much of each target's probability among all classes. Default 0. */
  readonly labelSmoothing?: number
  /** Class weights [C]; the mean divides by the weights of the targets. */
  readonly weight?: Tensor
  /** Targets with this value count for nothing. Default -100. */
  readonly ignoreIndex?: number
}

/** Classes are axis 1, or axis 0 of a single example. */
const classAxis = (x: Tensor): number => (x.ndim === 1 ? 0 : 1)

/** The class numbers 0..C-1 shaped to broadcast along the class axis. */
function classes(x: Tensor, axis: number): Tensor {
  const count = x.shape[axis] as number
  return arange(count).reshape(x.shape.map((_, i) => (i === axis ? count : 1))) as Tensor
}

function checkLogits(op: string, x: Tensor): void {
  if (x.ndim === 0) throw new OpError(op, 'needs logits [N, C, ...]', { shapes: [x.shape] })
  if (x.size === 0) throw new OpError(op, 'the batch is empty', { shapes: [x.shape], hint: 'Skip empty batches.' })
}

function checkTargets(op: string, x: Tensor, target: Tensor, axis: number): void {
  const expected = x.shape.filter((_, i) => i !== axis)
  if (!sameShape(target.shape, expected))
    throw new OpError(op, `integer targets must have the shape of the logits without the class axis ${axis}`, {
      shapes: [x.shape, target.shape],
      hint: `Expected [${expected.join(', ')}].`,
    })
}

const isInteger = (t: Tensor): boolean => t.dtype === 'int32' || t.dtype === 'uint8' || t.dtype === 'uint32'

/** One row of weights per target class, read without a gather so that its gradient needs no scatter. */
interface Targets {
  /** Which class is the target: bool, shape of the logits. */
  readonly isTarget: Tensor
  /** Not ignored: float, shape of the targets. */
  readonly counts: Tensor
  /** Neither a class nor ignored: such a loss is NaN, so that it is noticed. */
  readonly invalid: Tensor
}

function resolve(x: Tensor, target: Tensor, axis: number, ignoreIndex: number): Targets {
  const labels = target.cast('int32')
  const size = x.shape[axis] as number
  const ignored = labels.eq(ignoreIndex)
  return {
    isTarget: labels.unsqueeze(axis).eq(classes(x, axis)) as Tensor,
    counts: ignored.logicalNot().cast('float32') as Tensor,
    invalid: labels.lt(0).logicalOr(labels.ge(size)).logicalAnd(ignored.logicalNot()) as Tensor,
  }
}

/** Mean over what counts: sum(terms) / sum(weights). */
function weighted<R extends Reduction>(terms: Tensor, weights: Tensor, reduction: R): Loss<R> {
  if (reduction === 'mean') return terms.sum().div(weights.sum()) as unknown as Loss<R>
  return reduced('crossEntropy', terms, reduction)
}

/**
 * Softmax cross entropy: -log softmax(x)[target], stable for any logits. `x`: [N, C, ...] floats; `target`: integer
 * classes [N, ...], or probabilities of the shape of `x`. A target outside [0, C) that is not `ignoreIndex` gives NaN.
 *
 * @example
 * const loss = crossEntropy(model(images), labels)
 */
export function crossEntropy<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: CrossEntropyOptions<R> = {},
): Loss<R> {
  const { labelSmoothing = 0, weight, ignoreIndex = -100 } = options
  checkLogits('crossEntropy', x)
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new OpError('crossEntropy', `labelSmoothing must be between 0 and 1, got ${labelSmoothing}`)
  const axis = classAxis(x)
  const size = x.shape[axis] as number
  const reduction = reductionOf(options)
  const top = stopGradient(x.max(axis, { keepdims: true })) as Tensor
  const shifted = x.sub(top) as Tensor
  const logSum = shifted.exp().sum(axis).log() as Tensor
  const classWeights = weight?.reshape(x.shape.map((_, i) => (i === axis ? size : 1))) as Tensor | undefined
  const smooth = (): Tensor => {
    const w = classWeights ?? scalar(1)
    return logSum
      .mul(w.sum().mul(weight ? 1 : size))
      .sub(shifted.mul(w).sum(axis))
      .div(size) as Tensor
  }
  if (!isInteger(target)) {
    checkSame('crossEntropy', x, target)
    const p = labelSmoothing > 0 ? (target.mul(1 - labelSmoothing).add(labelSmoothing / size) as Tensor) : target
    const q = (classWeights ? p.mul(classWeights) : p) as Tensor
    const terms = logSum.mul(q.sum(axis)).sub(shifted.mul(q).sum(axis)) as Tensor
    return reduced('crossEntropy', terms, reduction)
  }
  checkTargets('crossEntropy', x, target, axis)
  const { isTarget, counts, invalid } = resolve(x, target, axis, ignoreIndex)
  const picked = where(isTarget, shifted, scalar(0)).sum(axis) as Tensor
  const weightOf = (classWeights ? where(isTarget, classWeights, scalar(0)).sum(axis) : undefined) as Tensor | undefined
  const hard = logSum.sub(picked) as Tensor
  const weightedHard = (weightOf ? hard.mul(weightOf) : hard) as Tensor
  const soft = (
    labelSmoothing > 0 ? weightedHard.mul(1 - labelSmoothing).add(smooth().mul(labelSmoothing)) : weightedHard
  ) as Tensor
  const terms = where(invalid, scalar(Number.NaN), soft.mul(counts)) as Tensor
  return weighted(terms, (weightOf ? weightOf.mul(counts) : counts) as Tensor, reduction)
}

/** Negative log likelihood: -x[target] for log-probabilities `x` [N, C, ...] and integer classes [N, ...]. */
export function nll<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: Omit<CrossEntropyOptions<R>, 'labelSmoothing'> = {},
): Loss<R> {
  const { weight, ignoreIndex = -100 } = options
  checkLogits('nll', x)
  const axis = classAxis(x)
  checkTargets('nll', x, target, axis)
  const { isTarget, counts, invalid } = resolve(x, target, axis, ignoreIndex)
  const size = x.shape[axis] as number
  const w = (weight ? weight.reshape(x.shape.map((_, i) => (i === axis ? size : 1))) : scalar(1)) as Tensor
  const weightOf = where(isTarget, w, scalar(0)).sum(axis).mul(counts) as Tensor
  const picked = where(isTarget, x, scalar(0)).sum(axis).neg() as Tensor
  return weighted(where(invalid, scalar(Number.NaN), picked.mul(weightOf)) as Tensor, weightOf, reductionOf(options))
}

/**
 * Binary cross entropy of probabilities in [0, 1]: -(t log x + (1 - t) log(1 - x)), logarithms held at -100 as in
 * PyTorch. Prefer {@link binaryCrossEntropyWithLogits}.
 */
export function binaryCrossEntropy<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> = {},
): Loss<R> {
  checkSame('binaryCrossEntropy', x, target)
  const floor = scalar(-100)
  const yes = maximum(x.log(), floor).mul(target)
  const no = maximum(x.neg().log1p(), floor).mul(target.neg().add(1))
  return reduced('binaryCrossEntropy', yes.add(no).neg() as Tensor, reductionOf(options))
}

/** max(x, 0) - x t + log(1 + exp(-|x|)): binary cross entropy of sigmoid(x), stable for any x. */
export function binaryCrossEntropyWithLogits<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly posWeight?: Tensor } = {},
): Loss<R> {
  checkSame('binaryCrossEntropyWithLogits', x, target)
  const { posWeight } = options
  // log(1 + e^-x) = max(-x, 0) + log1p(e^-|x|)
  const softplusNeg = maximum(x.neg(), scalar(0)).add(x.abs().neg().exp().log1p()) as Tensor
  const factor = (posWeight ? posWeight.sub(1).mul(target).add(1) : scalar(1)) as Tensor
  const terms = x.mul(target.neg().add(1)).add(softplusNeg.mul(factor)) as Tensor
  return reduced('binaryCrossEntropyWithLogits', terms, reductionOf(options))
}

/** Multi-class hinge: mean over classes j != t of max(0, margin - x[t] + x[j]); x [N, C]. */
export function multiMargin<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly margin?: number } = {},
): Loss<R> {
  checkLogits('multiMargin', x)
  const axis = classAxis(x)
  checkTargets('multiMargin', x, target, axis)
  const { isTarget, invalid } = resolve(x, target, axis, Number.MIN_SAFE_INTEGER)
  const own = where(isTarget, x, scalar(0)).sum(axis, { keepdims: true }) as Tensor
  const violation = maximum(x.sub(own).add(options.margin ?? 1), scalar(0)) as Tensor
  const terms = where(isTarget, scalar(0), violation)
    .sum(axis)
    .div(x.shape[axis] as number) as Tensor
  return reduced('multiMargin', where(invalid, scalar(Number.NaN), terms) as Tensor, reductionOf(options))
}
