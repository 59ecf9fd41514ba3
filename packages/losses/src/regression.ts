import { checkOptions, maximum, OpError, stopGradient, type Tensor, where } from '@tessella/tensor'
import { checkSame, type Loss, type LossOptions, type Reduction, reduced } from './reduction.ts'

/** (x - target)^2. The lectures' delta of the output layer is (a - y) f'(z) up to the factor 2 / n. */
export function mse<R extends Reduction = 'mean'>(x: Tensor, target: Tensor, options: LossOptions<R> = {}): Loss<R> {
  checkOptions('mse', options, ['reduction'])
  checkSame('mse', x, target)
  return reduced('mse', x.sub(target).square(), options.reduction)
}

/** |x - target|. */
export function l1Loss<R extends Reduction = 'mean'>(x: Tensor, target: Tensor, options: LossOptions<R> = {}): Loss<R> {
  checkOptions('l1Loss', options, ['reduction'])
  checkSame('l1Loss', x, target)
  return reduced('l1Loss', x.sub(target).abs(), options.reduction)
}

/** d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2). */
function huberTerms(op: string, name: string, x: Tensor, target: Tensor, delta: number): Tensor {
  checkSame(op, x, target)
  if (!(delta > 0 && Number.isFinite(delta)))
    throw new OpError(op, `${name} must be a finite number above 0, got ${delta}`)
  const d = x.sub(target).abs()
  return where(d.le(delta), d.square().mul(0.5), d.sub(delta / 2).mul(delta))
}

/** d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2) (Huber, 1964). Default delta 1. */
export function huber<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly delta?: number } = {},
): Loss<R> {
  checkOptions('huber', options, ['reduction', 'delta'])
  return reduced('huber', huberTerms('huber', 'delta', x, target, options.delta ?? 1), options.reduction)
}

/** huber / beta: d^2 / (2 beta) for |d| < beta, else |d| - beta / 2. Default beta 1; for 0 use l1Loss. */
export function smoothL1<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly beta?: number } = {},
): Loss<R> {
  checkOptions('smoothL1', options, ['reduction', 'beta'])
  const { beta = 1 } = options
  return reduced('smoothL1', huberTerms('smoothL1', 'beta', x, target, beta).div(beta), options.reduction)
}

/** exp(x) - t x with the logarithm as input, or x - t log(x + eps) without (PyTorch's PoissonNLLLoss without the constant). */
export function poissonNll<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  options: LossOptions<R> & { readonly logInput?: boolean; readonly eps?: number } = {},
): Loss<R> {
  checkOptions('poissonNll', options, ['reduction', 'logInput', 'eps'])
  checkSame('poissonNll', x, target)
  const { logInput = true, eps = 1e-8 } = options
  const terms = logInput ? x.exp().sub(target.mul(x)) : x.sub(target.mul(x.add(eps).log()))
  return reduced('poissonNll', terms, options.reduction)
}

/**
 * (log v + (x - t)^2 / v) / 2 with v held at eps or more (Nix and Weigend, 1994). Default eps 1e-6. The gradient passes
 * through the hold, as in PyTorch, so that a variance that fell below can recover.
 */
export function gaussianNll<R extends Reduction = 'mean'>(
  x: Tensor,
  target: Tensor,
  variance: Tensor,
  options: LossOptions<R> & { readonly eps?: number } = {},
): Loss<R> {
  checkOptions('gaussianNll', options, ['reduction', 'eps'])
  checkSame('gaussianNll', x, target)
  checkSame('gaussianNll', x, variance)
  const v = variance.add(stopGradient(maximum(variance, options.eps ?? 1e-6).sub(variance)))
  return reduced('gaussianNll', v.log().add(x.sub(target).square().div(v)).mul(0.5), options.reduction)
}
