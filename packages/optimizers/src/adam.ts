import { maximum, OpError, type Tensor, type Tree } from '@tessella/tensor'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { type Transform, zerosFor } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface AdamOptions {
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number
  /** Divide by the largest second moment so far (Reddi et al., 2018). Default false. */
  readonly amsgrad?: boolean
}

export type AdamState = Count & { readonly mean: Tree; readonly variance: Tree; readonly largest: Tree }

export function checkDecay(name: string, value: number): void {
  if (!(value >= 0 && value < 1)) throw new OpError(name, `must be at least 0 and below 1, got ${value}`)
}

/**
 * Adam's direction (Kingma and Ba, 2015): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
 * update = (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps), t from 1.
 */
export function scaleByAdam(options: AdamOptions = {}): Transform<AdamState> {
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, amsgrad = false } = options
  checkDecay('beta1', beta1)
  checkDecay('beta2', beta2)
  return {
    init: (params) => ({
      ...zeroCount(),
      mean: zerosFor(params),
      variance: zerosFor(params),
      largest: amsgrad ? zerosFor(params) : [],
    }),
    update(grads, state, _params) {
      const next = nextCount(state)
      const mean = zipTrees([grads, state.mean], ([g, m]) => m.mul(beta1).add(g.mul(1 - beta1)) as Tensor)
      const variance = zipTrees(
        [grads, state.variance],
        ([g, v]) => v.mul(beta2).add(g.mul(g).mul(1 - beta2)) as Tensor,
      )
      const largest = amsgrad ? zipTrees([variance, state.largest], ([v, l]) => maximum(v, l) as Tensor) : []
      // 1 - b^t = -expm1(t ln b) keeps its digits when b is near 1.
      const correction = (beta: number): Tensor =>
        (beta === 0 ? next.count.mul(0).add(1) : next.count.mul(Math.log(beta)).expm1().neg()) as Tensor
      const first = correction(beta1)
      const root = correction(beta2).sqrt()
      const updates = zipTrees(
        [mean, amsgrad ? largest : variance] as readonly [typeof grads, Tree],
        ([m, v]) => m.div(first).div(v.sqrt().div(root).add(eps)) as Tensor,
      )
      return [updates, { ...next, mean, variance, largest }]
    },
  }
}
