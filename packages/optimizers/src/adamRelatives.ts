import { maximum, type Tree, where } from '@tessella/tensor'
import { correction, type MomentOptions, type Moments, momentOptions, nextMoments, zeroMoments } from './adam.ts'
import { checkRate } from './checks.ts'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { movingAverage } from './momentum.ts'
import { filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

/** Adam with the largest recent gradient in place of the second moment: u = max(b2 u, |g| + eps) (Kingma and Ba, 2015). */
export function scaleByAdamax(
  options: MomentOptions = {},
): Transform<Count & { readonly mean: Tree; readonly largest: Tree }> {
  const { beta1, beta2, eps } = momentOptions('scaleByAdamax', options)
  return {
    init: (params) => ({ ...zeroCount(), mean: filled(params, 0), largest: filled(params, 0) }),
    update(grads, state) {
      const { count } = nextCount(state)
      const mean = zipTrees((g, m) => movingAverage(m, beta1, g), grads, state.mean)
      const largest = zipTrees((g, u) => maximum(u.mul(beta2), g.abs().add(eps)), grads, state.largest)
      const first = correction(beta1, count)
      return [zipTrees((m, u) => m.div(first).div(u), mean, largest), { count, mean, largest }]
    },
  }
}

export interface NadamOptions extends MomentOptions {
  /** Decay of the momentum schedule. Default 4e-3. */
  readonly momentumDecay?: number
}

/** Adam with Nesterov's look ahead: the first moment of the next step, whose weight follows a schedule (Dozat, 2016). */
export function scaleByNadam(
  options: NadamOptions = {},
): Transform<Count & Moments & { readonly product: Count['count'] }> {
  const { beta1, beta2, eps } = momentOptions('scaleByNadam', options, 'momentumDecay')
  const { momentumDecay = 4e-3 } = options
  checkRate('scaleByNadam', 'momentumDecay', momentumDecay)
  const momentumAt = (t: Count['count']): Count['count'] =>
    t
      .mul(momentumDecay * Math.log(0.96))
      .exp()
      .mul(-0.5)
      .add(1)
      .mul(beta1)
  return {
    init: (params) => ({ ...zeroCount(), ...zeroMoments(params), product: zeroCount().count.add(1) }),
    update(grads, state) {
      const { count } = nextCount(state)
      const { mean, variance } = nextMoments(grads, state, beta1, beta2)
      const now = momentumAt(count)
      const next = momentumAt(count.add(1))
      const product = state.product.mul(now)
      const ofGradient = now.neg().add(1).div(product.neg().add(1))
      const ofMean = next.div(product.mul(next).neg().add(1))
      const root = correction(beta2, count).sqrt()
      const updates = zipTrees(
        (g, m, v) => g.mul(ofGradient).add(m.mul(ofMean)).div(v.sqrt().div(root).add(eps)),
        grads,
        mean,
        variance,
      )
      return [updates, { count, mean, variance, product }]
    },
  }
}

/**
 * Adam that divides by the second moment only once its estimate is worth something, after about five steps, and then by
 * so much as its variance allows (Liu et al., 2020).
 */
export function scaleByRadam(options: MomentOptions = {}): Transform<Count & Moments> {
  const { beta1, beta2, eps } = momentOptions('scaleByRadam', options)
  const limit = 2 / (1 - beta2) - 1
  return {
    init: (params) => ({ ...zeroCount(), ...zeroMoments(params) }),
    update(grads, state) {
      const { count } = nextCount(state)
      const { mean, variance } = nextMoments(grads, state, beta1, beta2)
      const first = correction(beta1, count)
      const second = correction(beta2, count)
      // The length of the average: limit - 2 t b^t / (1 - b^t).
      const length = second.neg().add(1).mul(count).mul(2).div(second).neg().add(limit)
      const long = length.gt(5)
      const safe = where(long, length, 6)
      const rectified = safe
        .sub(4)
        .mul(safe.sub(2))
        .div(safe)
        .mul(limit / ((limit - 4) * (limit - 2)))
        .mul(second)
        .sqrt()
      const updates = zipTrees(
        (_, m, v) => m.div(first).mul(where(long, rectified.div(v.sqrt().add(eps)), 1)),
        grads,
        mean,
        variance,
      )
      return [updates, { count, mean, variance }]
    },
  }
}
