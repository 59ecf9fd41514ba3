import { checkOptions, type Tensor, type Tree } from '@tessella/tensor'
import { checkDecay, checkRate } from './checks.ts'
import { movingAverage } from './momentum.ts'
import { filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface RmsOptions {
  /** Decay of the moving average of squares. Default 0.99. */
  readonly alpha?: number
  /** Added to the root. Default 1e-8. */
  readonly eps?: number
  /** Subtract the squared moving average: divide by the deviation. Default false. */
  readonly centered?: boolean
}

/** v = a v + (1 - a) g^2; update = g / (sqrt(v) + eps) (Hinton's RMSProp, PyTorch's form and the lectures'). */
export function scaleByRms(options: RmsOptions = {}): Transform<{ readonly square: Tree; readonly mean: Tree }> {
  checkOptions('scaleByRms', options, ['alpha', 'eps', 'centered'])
  const { alpha = 0.99, eps = 1e-8, centered = false } = options
  checkDecay('scaleByRms', 'alpha', alpha)
  checkRate('scaleByRms', 'eps', eps)
  return {
    init: (params) => ({ square: filled(params, 0), mean: centered ? filled(params, 0) : [] }),
    update(grads, state) {
      const square = zipTrees((g, v) => movingAverage(v, alpha, g.square()), grads, state.square)
      if (!centered) return [zipTrees((g, v) => g.div(v.sqrt().add(eps)), grads, square), { square, mean: [] }]
      const mean = zipTrees((g, m) => movingAverage(m, alpha, g), grads, state.mean)
      // Rounding can push a variance of nothing below 0, whose root is NaN.
      const deviation = zipTrees((v, m) => v.sub(m.square()).clip(0).sqrt(), square, mean)
      return [zipTrees((g, d) => g.div(d.add(eps)), grads, deviation), { square, mean }]
    },
  }
}

export interface AdagradOptions {
  /** Start of the sum of squares. Default 0. */
  readonly initialAccumulator?: number
  /** Added to the root. Default 1e-10. */
  readonly eps?: number
}

/** s = s + g^2; update = g / (sqrt(s) + eps) (Duchi et al., 2011). */
export function scaleByAdagrad(options: AdagradOptions = {}): Transform<{ readonly sum: Tree }> {
  checkOptions('scaleByAdagrad', options, ['initialAccumulator', 'eps'])
  const { initialAccumulator = 0, eps = 1e-10 } = options
  checkRate('scaleByAdagrad', 'initialAccumulator', initialAccumulator)
  checkRate('scaleByAdagrad', 'eps', eps)
  return {
    init: (params) => ({ sum: filled(params, initialAccumulator) }),
    update(grads, state) {
      const sum = zipTrees((g, s) => s.add(g.square()), grads, state.sum)
      return [zipTrees((g, s) => g.div(s.sqrt().add(eps)), grads, sum), { sum }]
    },
  }
}

export interface AdadeltaOptions {
  /** Decay of both moving averages, or of the squares of gradients and of updates. Default 0.9. */
  readonly rho?: number | readonly [gradients: number, updates: number]
  /** Under both roots, or beside them in the lectures' form. Default 1e-6. */
  readonly eps?: number
  /** Zeiler's, which PyTorch has, or the lectures'. Default 'zeiler'. */
  readonly form?: 'zeiler' | 'lectures'
}

/** d = g (sqrt(D) + eps) / (sqrt(v) + eps), with v and D as they were before the step. */
const lecturesDelta = (g: Tensor, v: Tensor, d: Tensor, eps: number): Tensor =>
  g.mul(d.sqrt().add(eps)).div(v.sqrt().add(eps)) as Tensor

/**
 * v = r v + (1 - r) g^2; d = g sqrt(D + eps) / sqrt(v + eps); D = r D + (1 - r) d^2; update = d (Zeiler, 2012).
 *
 * The lectures take d before v moves on, and add eps after the roots: d = g (sqrt(D) + eps) / (sqrt(v) + eps). Both averages
 * start at 0, so their first step is the plain gradient.
 */
export function scaleByAdadelta(
  options: AdadeltaOptions = {},
): Transform<{ readonly square: Tree; readonly delta: Tree }> {
  checkOptions('scaleByAdadelta', options, ['rho', 'eps', 'form'])
  const { rho = 0.9, eps = 1e-6, form = 'zeiler' } = options
  const [r, a] = typeof rho === 'number' ? [rho, rho] : rho
  checkDecay('scaleByAdadelta', 'rho', r)
  checkDecay('scaleByAdadelta', 'rho', a)
  checkRate('scaleByAdadelta', 'eps', eps)
  return {
    init: (params) => ({ square: filled(params, 0), delta: filled(params, 0) }),
    update(grads, state) {
      const square = zipTrees((g, v) => movingAverage(v, r, g.square()), grads, state.square)
      const updates =
        form === 'lectures'
          ? zipTrees((g, v, d) => lecturesDelta(g, v, d, eps), grads, state.square, state.delta)
          : zipTrees((g, v, d) => g.mul(d.add(eps).sqrt()).div(v.add(eps).sqrt()), grads, square, state.delta)
      const delta = zipTrees((u, d) => movingAverage(d, a, u.square()), updates, state.delta)
      return [updates, { square, delta }]
    },
  }
}
