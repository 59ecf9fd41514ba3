import type { Tensor } from '@tessella/tensor'
import { type AdamOptions, scaleByAdam } from './adam.ts'
import {
  type AdadeltaOptions,
  type AdagradOptions,
  type RmsOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByRms,
} from './adaptive.ts'
import { checkRate, type Schedule, scaleByLearningRate } from './learningRate.ts'
import { emaMomentum, type MomentumOptions, trace } from './momentum.ts'
import { chain, identity, stateless, type Transform } from './transform.ts'

type Rate = number | Schedule

export interface DecayOptions {
  /** L2 coupled with the gradient: g + weightDecay * w. Default 0. */
  readonly weightDecay?: number
}

/** g + decay * w: the gradient of decay / 2 |w|^2, or decoupled decay when it comes after the scaling. */
export function addDecayedWeights(decay: number): Transform<undefined> {
  checkRate('weightDecay', decay)
  return decay === 0 ? identity() : stateless((g, p) => g.add(p.mul(decay)) as Tensor)
}

export interface SgdOptions extends MomentumOptions, DecayOptions {
  /** Default 0: plain gradient descent. */
  readonly momentum?: number
}

/**
 * Stochastic gradient descent: w -= rate * v, with PyTorch's momentum, dampening, Nesterov and weight decay.
 *
 * @example
 * const opt = optimizer(sgd(0.1, { momentum: 0.9 }), model)
 */
export function sgd(rate: Rate, options: SgdOptions = {}): Transform {
  const { momentum = 0, weightDecay = 0, ...rest } = options
  const decay = weightDecay === 0 ? [] : [addDecayedWeights(weightDecay)]
  const velocity = momentum === 0 && !rest.nesterov ? [] : [trace(momentum, rest)]
  return chain(...decay, ...velocity, scaleByLearningRate(rate))
}

/** The lectures' momentum: v = m v + (1 - m) g; w -= rate * v. */
export const momentum = (rate: Rate, decay = 0.9): Transform => chain(emaMomentum(decay), scaleByLearningRate(rate))

/** Nesterov's accelerated gradient in PyTorch's form. */
export const nesterov = (rate: Rate, decay = 0.9): Transform => sgd(rate, { momentum: decay, nesterov: true })

/** Adam with L2 coupled to the gradient where `weightDecay` is given, as in PyTorch. Default rate 1e-3. */
export function adam(rate: Rate = 1e-3, options: AdamOptions & DecayOptions = {}): Transform {
  return chain(addDecayedWeights(options.weightDecay ?? 0), scaleByAdam(options), scaleByLearningRate(rate))
}

/** Adam with decoupled weight decay (Loshchilov and Hutter, 2019): w -= rate * (adam + weightDecay * w). Default decay 0.01. */
export function adamw(rate: Rate = 1e-3, options: AdamOptions & DecayOptions = {}): Transform {
  return chain(scaleByAdam(options), addDecayedWeights(options.weightDecay ?? 0.01), scaleByLearningRate(rate))
}

export interface RmspropOptions extends RmsOptions, DecayOptions {
  /** Heavy-ball momentum on the scaled gradient. Default 0. */
  readonly momentum?: number
}

/** RMSProp. Default rate 0.01. */
export function rmsprop(rate: Rate = 0.01, options: RmspropOptions = {}): Transform {
  const velocity = options.momentum ? [trace(options.momentum)] : []
  return chain(addDecayedWeights(options.weightDecay ?? 0), scaleByRms(options), ...velocity, scaleByLearningRate(rate))
}

/** AdaGrad. Default rate 0.01. */
export function adagrad(rate: Rate = 0.01, options: AdagradOptions & DecayOptions = {}): Transform {
  return chain(addDecayedWeights(options.weightDecay ?? 0), scaleByAdagrad(options), scaleByLearningRate(rate))
}

/** AdaDelta. Default rate 1. */
export function adadelta(rate: Rate = 1, options: AdadeltaOptions & DecayOptions = {}): Transform {
  return chain(addDecayedWeights(options.weightDecay ?? 0), scaleByAdadelta(options), scaleByLearningRate(rate))
}
