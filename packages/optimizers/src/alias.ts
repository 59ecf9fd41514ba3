import { checkOptions } from '@tessella/tensor'
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
import { checkRateOrSchedule, type Rate, scaleByLearningRate } from './learningRate.ts'
import { type ScaleByLionOptions, scaleByLion } from './lion.ts'
import { emaMomentum, type MomentumOptions, trace } from './momentum.ts'
import { type RpropOptions, scaleByRprop } from './rprop.ts'
import { chain, identity, type Transform } from './transform.ts'

export interface DecayOptions {
  /** L2 coupled with the gradient: g + weightDecay * w. Default 0. */
  readonly weightDecay?: number
}

const momentNames = ['beta1', 'beta2', 'eps']

/** What every optimizer checks before it makes anything: its rate, and that no option is misspelt. */
function check(op: string, rate: Rate, options: object, ...names: readonly string[]): void {
  checkRateOrSchedule(op, rate)
  checkOptions(op, options, [...names, 'weightDecay'])
}

/** The common form: L2 where asked for, a direction, a rate. */
const coupled = (weightDecay: number, direction: Transform, rate: Rate): Transform =>
  chain(addDecayedWeights(weightDecay), direction, scaleByLearningRate(rate))

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
  check('sgd', rate, options, 'momentum', 'dampening', 'nesterov')
  const { momentum = 0, weightDecay = 0, ...rest } = options
  return coupled(weightDecay, momentum === 0 && !rest.nesterov ? identity() : trace(momentum, rest), rate)
}

/** The lectures' momentum: v = m v + (1 - m) g; w -= rate * v. */
export function momentum(rate: Rate, decay = 0.9): Transform {
  checkRateOrSchedule('momentum', rate)
  return coupled(0, emaMomentum(decay), rate)
}

/** Nesterov's accelerated gradient in PyTorch's form. */
export function nesterov(rate: Rate, decay = 0.9): Transform {
  checkRateOrSchedule('nesterov', rate)
  return sgd(rate, { momentum: decay, nesterov: true })
}

/** Adam with L2 coupled to the gradient where `weightDecay` is given, as in PyTorch. Default rate 1e-3. */
export function adam(rate: Rate = 1e-3, options: AdamOptions & DecayOptions = {}): Transform {
  check('adam', rate, options, ...momentNames, 'amsgrad')
  const { weightDecay = 0, ...rest } = options
  return coupled(weightDecay, scaleByAdam(rest), rate)
}

/** Adam with decoupled weight decay (Loshchilov and Hutter, 2019): w -= rate * (adam + weightDecay * w). Default decay 0.01. */
export function adamw(rate: Rate = 1e-3, options: AdamOptions & DecayOptions = {}): Transform {
  check('adamw', rate, options, ...momentNames, 'amsgrad')
  const { weightDecay = 0.01, ...rest } = options
  return chain(scaleByAdam(rest), addDecayedWeights(weightDecay), scaleByLearningRate(rate))
}

/** Adam by the largest recent gradient. Default rate 2e-3. */
export function adamax(rate: Rate = 2e-3, options: MomentOptions & DecayOptions = {}): Transform {
  check('adamax', rate, options, ...momentNames)
  const { weightDecay = 0, ...rest } = options
  return coupled(weightDecay, scaleByAdamax(rest), rate)
}

/** Adam with Nesterov's look ahead. Default rate 2e-3. */
export function nadam(rate: Rate = 2e-3, options: NadamOptions & DecayOptions = {}): Transform {
  check('nadam', rate, options, ...momentNames, 'momentumDecay')
  const { weightDecay = 0, ...rest } = options
  return coupled(weightDecay, scaleByNadam(rest), rate)
}

/** Adam with a rectified start. Default rate 1e-3. */
export function radam(rate: Rate = 1e-3, options: MomentOptions & DecayOptions = {}): Transform {
  check('radam', rate, options, ...momentNames)
  const { weightDecay = 0, ...rest } = options
  return coupled(weightDecay, scaleByRadam(rest), rate)
}

export interface RmspropOptions extends RmsOptions, DecayOptions {
  /** Heavy-ball momentum on the scaled gradient. Default 0. */
  readonly momentum?: number
}

/** RMSProp. Default rate 0.01. */
export function rmsprop(rate: Rate = 0.01, options: RmspropOptions = {}): Transform {
  check('rmsprop', rate, options, 'alpha', 'eps', 'centered', 'momentum')
  const { momentum = 0, weightDecay = 0, ...rest } = options
  return coupled(weightDecay, chain(scaleByRms(rest), momentum === 0 ? identity() : trace(momentum)), rate)
}

/** AdaGrad. Default rate 0.01. */
export function adagrad(rate: Rate = 0.01, options: AdagradOptions & DecayOptions = {}): Transform {
  check('adagrad', rate, options, 'initialAccumulator', 'eps')
  const { weightDecay = 0, ...rest } = options
  return coupled(weightDecay, scaleByAdagrad(rest), rate)
}

/** AdaDelta. Default rate 1. */
export function adadelta(rate: Rate = 1, options: AdadeltaOptions & DecayOptions = {}): Transform {
  check('adadelta', rate, options, 'rho', 'eps', 'form')
  const { weightDecay = 0, ...rest } = options
  return coupled(weightDecay, scaleByAdadelta(rest), rate)
}

export interface LionOptions extends ScaleByLionOptions {
  /** Decoupled: w -= rate * weightDecay * w. Default 0. */
  readonly weightDecay?: number
}

/** Lion (Chen et al., 2023): steps of one size, the sign of a mean gradient. Default rate 1e-4, a tenth of Adam's. */
export function lion(rate: Rate = 1e-4, options: LionOptions = {}): Transform {
  check('lion', rate, options, 'beta1', 'beta2')
  const { weightDecay = 0, ...rest } = options
  return chain(scaleByLion(rest), addDecayedWeights(weightDecay), scaleByLearningRate(rate))
}

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
  checkOptions('asgd', options, ['lambda', 'alpha', 'start', 'weightDecay'])
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
