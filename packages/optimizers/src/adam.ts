import { checkOptions, maximum, scalar, type Tensor, type Tree } from '@tessella/tensor'
import { checkDecay, checkRate } from './checks.ts'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { movingAverage } from './momentum.ts'
import { filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

/** What Adam and its relatives share. */
export interface MomentOptions {
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number
}

export interface AdamOptions extends MomentOptions {
  /** Divide by the largest second moment so far (Reddi et al., 2018). Default false. */
  readonly amsgrad?: boolean
}

/** First and second moments of the gradient. */
export type Moments = { readonly mean: Tree; readonly variance: Tree }

export type AdamState = Count & Moments & { readonly largest: Tree }

/** The options with their defaults, checked. */
export function momentOptions(
  op: string,
  options: MomentOptions,
  ...others: readonly string[]
): Required<MomentOptions> {
  checkOptions(op, options, ['beta1', 'beta2', 'eps', ...others])
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options
  checkDecay(op, 'beta1', beta1)
  checkDecay(op, 'beta2', beta2)
  checkRate(op, 'eps', eps)
  return { beta1, beta2, eps }
}

export const zeroMoments = (params: Tree): Moments => ({ mean: filled(params, 0), variance: filled(params, 0) })

/** m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2. */
export function nextMoments(grads: Tree, { mean, variance }: Moments, beta1: number, beta2: number): Moments {
  return {
    mean: zipTrees((g, m) => movingAverage(m, beta1, g), grads, mean),
    variance: zipTrees((g, v) => movingAverage(v, beta2, g.square()), grads, variance),
  }
}

/** 1 - beta^t, which takes the zero start out of a moving average. */
export const correction = (beta: number, t: Tensor<[], 'float32'>): Tensor<[], 'float32'> =>
  // -expm1(t ln b) keeps its digits when b is near 1.
  beta === 0 ? scalar(1) : t.mul(Math.log(beta)).expm1().neg()

/**
 * Adam's direction (Kingma and Ba, 2015): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
 * update = (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps), t from 1.
 */
export function scaleByAdam(options: AdamOptions = {}): Transform<AdamState> {
  const { beta1, beta2, eps } = momentOptions('scaleByAdam', options, 'amsgrad')
  const { amsgrad = false } = options
  return {
    init: (params) => ({ ...zeroCount(), ...zeroMoments(params), largest: amsgrad ? filled(params, 0) : [] }),
    update(grads, state) {
      const { count } = nextCount(state)
      const { mean, variance } = nextMoments(grads, state, beta1, beta2)
      const largest = amsgrad ? zipTrees(maximum, variance, state.largest) : []
      const first = correction(beta1, count)
      const root = correction(beta2, count).sqrt()
      const updates = zipTrees(
        (_, m, v) => m.div(first).div(v.sqrt().div(root).add(eps)),
        grads,
        mean,
        amsgrad ? largest : variance,
      )
      return [updates, { count, mean, variance, largest }]
    },
  }
}
