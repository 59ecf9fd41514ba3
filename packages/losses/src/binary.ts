import { checkOptions, maximum, scalar, softplus, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced } from './reduction.ts'

/** log x held at -100, as PyTorch has it; the slope at 0 is 0 instead of infinite. */
function heldLog(x: Tensor): Tensor {
  const zero = x.eq(0)
  return where(zero, -100, maximum(where(zero, 1, x).log(), -100))
}

/**
 * Binary cross entropy of probabilities in [0, 1]: -(t log x + (1 - t) log(1 - x)), logarithms held at -100 as in
 * PyTorch. Prefer {@link binaryCrossEntropyWithLogits}. Probabilities outside [0, 1] give NaN.
 */
export function binaryCrossEntropy<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> = {},
): Loss<R> {
  checkOptions('binaryCrossEntropy', options, ['reduction'])
  checkSame('binaryCrossEntropy', x, target)
  const yes = target.mul(heldLog(x))
  const no = target
    .neg()
    .add(1)
    .mul(heldLog(x.neg().add(1)))
  return reduced('binaryCrossEntropy', yes.add(no).neg(), options.reduction)
}

/**
 * Binary cross entropy of sigmoid(x), (1 - t) x + log(1 + exp(-x)), stable for any x; `posWeight` multiplies the
 * term of the positive targets. The lectures' delta sigmoid(x) - t is its gradient.
 */
export function binaryCrossEntropyWithLogits<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly posWeight?: Tensor } = {},
): Loss<R> {
  const op = 'binaryCrossEntropyWithLogits'
  checkOptions(op, options, ['reduction', 'posWeight'])
  checkSame(op, x, target)
  const { posWeight } = options
  const factor = posWeight ? posWeight.sub(1).mul(target).add(1) : scalar(1)
  return reduced(op, x.mul(target.neg().add(1)).add(softplus(x.neg()).mul(factor)), options.reduction)
}
