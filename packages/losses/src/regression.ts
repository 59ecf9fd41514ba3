import { maximum, OpError, scalar, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced, reductionOf } from './reduction.ts'

/** (x - target)^2. The lectures' delta of the output layer is (a - y) f'(z) up to the factor 2 / n. */
export function mse<R extends Reduction = 'mean'>(x: Tensor, target: Tensor, options: LossOptions<R> = {}): Loss<R> {
  checkSame('mse', x, target)
  return reduced('mse', x.sub(target).square() as Tensor, reductionOf(options))
}

/** |x - target|. */
export function l1Loss<R extends Reduction = 'mean'>(x: Tensor, target: Tensor, options: LossOptions<R> = {}): Loss<R> {
  checkSame('l1Loss', x, target)
  return reduced('l1Loss', x.sub(target).abs() as Tensor, reductionOf(options))
}

/** d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2) (Huber, 1964). Default delta 1. */
export function huber<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly delta?: number } = {},
): Loss<R> {
  checkSame('huber', x, target)
  const delta = options.delta ?? 1
  if (!(delta > 0)) throw new OpError('huber', `delta must be above 0, got ${delta}`)
  const d = x.sub(target).abs() as Tensor
  const terms = where(d.le(delta), d.square().mul(0.5), d.sub(delta / 2).mul(delta)) as Tensor
  return reduced('huber', terms, reductionOf(options))
}

/** huber / beta: d^2 / (2 beta) for |d| < beta, else |d| - beta / 2. Default beta 1. */
export function smoothL1<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly beta?: number } = {},
): Loss<R> {
  const beta = options.beta ?? 1
  const terms = huber(x, target, { reduction: 'none', delta: beta })
  return reduced('smoothL1', terms.div(beta) as Tensor, reductionOf(options))
}

/** exp(x) - t x with the logarithm as input, or x - t log(x + eps) without (PyTorch's PoissonNLLLoss without the constant). */
export function poissonNll<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly logInput?: boolean; readonly eps?: number } = {},
): Loss<R> {
  checkSame('poissonNll', x, target)
  const { logInput = true, eps = 1e-8 } = options
  const terms = logInput ? x.exp().sub(target.mul(x)) : x.sub(target.mul(x.add(eps).log()))
  return reduced('poissonNll', terms as Tensor, reductionOf(options))
}

/** (log v + (x - t)^2 / v) / 2 with v held at eps or more (Nix and Weigend, 1994). */
export function gaussianNll<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  variance: Tensor,
  options: LossOptions<R> & { readonly eps?: number } = {},
): Loss<R> {
  checkSame('gaussianNll', x, target)
  checkSame('gaussianNll', x, variance)
  const v = maximum(variance, scalar(options.eps ?? 1e-6)) as Tensor
  return reduced('gaussianNll', v.log().add(x.sub(target).square().div(v)).mul(0.5) as Tensor, reductionOf(options))
}
