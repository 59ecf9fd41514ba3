import { type AdamOptions, type MomentOptions, scaleByAdam } from './adam.ts'
import { type NadamOptions, scaleByAdamax, scaleByNadam, scaleByRadam } from './adamRelatives.ts'
import {
  type AdadeltaOptions,
  type AdagradOptions,
  type RmsOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByRms,
} from './adaptive.ts'
import { trackAverage } from './average.ts'
import { checkRate } from './checks.ts'
import { addDecayedWeights } from './decay.ts'
import { type Rate, scaleByLearningRate } from './learningRate.ts'
import { type ScaleByLionOptions, scaleByLion } from './lion.ts'
import { emaMomentum, type MomentumOptions, trace } from './momentum.ts'
import { type RpropOptions, scaleByRprop } from './rprop.ts'
import { chain, identity, type Transform } from './transform.ts'

export interface DecayOptions {
  /** L2 coupled with the gradient: g + weightDecay * w. Default 0. */
  readonly weightDecay?: number
}

/** The common form: L2 where asked for, a direction, a rate. */
const coupled = (options: DecayOptions, direction: Transform, rate: Rate): Transform =>
  chain(addDecayedWeights(options.weightDecay ?? 0), direction, scaleByLearningRate(rate))

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
  const { momentum = 0 } = options
  return coupled(options, momentum === 0 && !options.nesterov ? identity() : trace(momentum, options), rate)
}

/** The lectures' momentum: v = m v + (1 - m) g; w -= rate * v. */
export const momentum = (rate: Rate, decay = 0.9): Transform => coupled({}, emaMomentum(decay), rate)

/** Nesterov's accelerated gradient in PyTorch's form. */
export const nesterov = (rate: Rate, decay = 0.9): Transform => sgd(rate, { momentum: decay, nesterov: true })

/** Adam with L2 coupled to the gradient where `weightDecay` is given, as in PyTorch. Default rate 1e-3. */
export const adam = (rate: Rate = 1e-3, options: AdamOptions & DecayOptions = {}): Transform =>
  coupled(options, scaleByAdam(options), rate)

/** Adam with decoupled weight decay (Loshchilov and Hutter, 2019): w -= rate * (adam + weightDecay * w). Default decay 0.01. */
export const adamw = (rate: Rate = 1e-3, options: AdamOptions & DecayOptions = {}): Transform =>
  chain(scaleByAdam(options), addDecayedWeights(options.weightDecay ?? 0.01), scaleByLearningRate(rate))

/** Adam by the largest recent gradient. Default rate 2e-3. */
export const adamax = (rate: Rate = 2e-3, options: MomentOptions & DecayOptions = {}): Transform =>
  coupled(options, scaleByAdamax(options), rate)

/** Adam with Nesterov's look ahead. Default rate 2e-3. */
export const nadam = (rate: Rate = 2e-3, options: NadamOptions & DecayOptions = {}): Transform =>
  coupled(options, scaleByNadam(options), rate)

/** Adam with a rectified start. Default rate 1e-3. */
export const radam = (rate: Rate = 1e-3, options: MomentOptions & DecayOptions = {}): Transform =>
  coupled(options, scaleByRadam(options), rate)

export interface RmspropOptions extends RmsOptions, DecayOptions {
  /** Heavy-ball momentum on the scaled gradient. Default 0. */
  readonly momentum?: number
}

/** RMSProp. Default rate 0.01. */
export function rmsprop(rate: Rate = 0.01, options: RmspropOptions = {}): Transform {
  const { momentum = 0 } = options
  return coupled(options, chain(scaleByRms(options), momentum === 0 ? identity() : trace(momentum)), rate)
}

/** AdaGrad. Default rate 0.01. */
export const adagrad = (rate: Rate = 0.01, options: AdagradOptions & DecayOptions = {}): Transform =>
  coupled(options, scaleByAdagrad(options), rate)

/** AdaDelta. Default rate 1. */
export const adadelta = (rate: Rate = 1, options: AdadeltaOptions & DecayOptions = {}): Transform =>
  coupled(options, scaleByAdadelta(options), rate)

export interface LionOptions extends ScaleByLionOptions {
  /** Decoupled: w -= rate * weightDecay * w. Default 0. */
  readonly weightDecay?: number
}

/** Lion (Chen et al., 2023): steps of one size, the sign of a mean gradient. Default rate 1e-4, a tenth of Adam's. */
export const lion = (rate: Rate = 1e-4, options: LionOptions = {}): Transform =>
  chain(scaleByLion(options), addDecayedWeights(options.weightDecay ?? 0), scaleByLearningRate(rate))

/** Resilient propagation; the rate is the first step of every parameter. Default 0.01. */
export const rprop = (rate = 0.01, options: RpropOptions = {}): Transform =>
  chain(scaleByRprop(rate, options), scaleByLearningRate(1))

export interface AsgdOptions extends DecayOptions {
  /** Decay of the weights and of the rate. Default 1e-4. */
  readonly lambda?: number
  /** Power of the rate's fall. Default 0.75. */
  readonly alpha?: number
  /** Steps after which the parameters are averaged; PyTorch's t0. Default 1e6. */
  readonly start?: number
}

/**
 * SGD with the rate rate / (1 + lambda rate t)^alpha and the mean of the parameters after `start` steps in the state, at
 * `average` (Polyak and Juditsky, 1992; PyTorch's ASGD). Default rate 0.01.
 */
export function asgd(rate = 0.01, options: AsgdOptions = {}): Transform {
  const { lambda = 1e-4, alpha = 0.75, start = 1e6, weightDecay = 0 } = options
  checkRate('asgd', 'the rate', rate)
  checkRate('asgd', 'lambda', lambda)
  checkRate('asgd', 'alpha', alpha)
  const falling = scaleByLearningRate((step) =>
    step
      .mul(lambda * rate)
      .log1p()
      .mul(-alpha)
      .exp()
      .mul(rate),
  )
  return chain(addDecayedWeights(weightDecay + lambda), falling, trackAverage({ start }))
}
