import {
  argsort,
  checkOptions,
  eye,
  full,
  normal as normalOf,
  OpError,
  ones as onesOf,
  type Shape,
  type Tensor,
  truncatedNormal as truncatedNormalOf,
  uniform as uniformOf,
  zeros as zerosOf,
} from '@tessella/tensor'
import type { Initializer } from './facts.ts'

/** How many numbers one output depends on, and how many outputs one input reaches. */
export interface Fans {
  readonly fanIn: number
  readonly fanOut: number
}

/**
 * The fans of a weight [out, in, ...kernel], as `torch.nn.init` counts them: the sizes of axes 1 and 0 times the
 * kernel. Throws `OpError` for fewer than two dimensions.
 */
export function fansOf(shape: Shape, op = 'init'): Fans {
  const [out, into, ...kernel] = shape
  if (out === undefined || into === undefined)
    throw new OpError(op, 'a weight of fewer than two dimensions has no fan in', {
      shapes: [shape],
      hint: 'Use normal({ std }), uniform(bound) or zeros for it.',
    })
  const reach = kernel.reduce((a, b) => a * b, 1)
  return { fanIn: into * reach, fanOut: out * reach }
}

/** All zeros: the usual bias. */
export const zeros: Initializer = (_, shape) => zerosOf(shape)
/** All ones: the usual scale. */
export const ones: Initializer = (_, shape) => onesOf(shape)
/** One number everywhere. */
export const constant =
  (value: number): Initializer =>
  (_, shape) =>
    full(shape, value)

/** Evenly spread over [-bound, bound). */
export function uniform(bound: number): Initializer {
  if (!(bound >= 0)) throw new OpError('uniform', `the bound must be at least 0, got ${bound}`)
  return (key, shape) => uniformOf(key, shape, { low: -bound, high: bound })
}

/** Normally distributed. */
export const normal = (options: { readonly mean?: number; readonly std?: number } = {}): Initializer => {
  checkOptions('normal', options, ['mean', 'std'])
  return (key, shape) => normalOf(key, shape, options)
}

/** Normally distributed within [low, high] standard deviations of the mean, [-2, 2] unless given. */
export const truncatedNormal = (
  options: { readonly mean?: number; readonly std?: number; readonly low?: number; readonly high?: number } = {},
): Initializer => {
  checkOptions('truncatedNormal', options, ['mean', 'std', 'low', 'high'])
  return (key, shape) => truncatedNormalOf(key, shape, options)
}

interface Gain {
  /** A factor for the nonlinearity that follows, see {@link gainOf}. Default 1. */
  readonly gain?: number
}

function gainIn(op: string, options: Gain): number {
  checkOptions(op, options, ['gain'])
  return options.gain ?? 1
}

/**
 * Uniform within gain sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010): variances stay forwards and backwards. The lectures'
 * slide prints it without the root.
 */
export const xavierUniform = (options: Gain = {}): Initializer => {
  const gain = gainIn('xavierUniform', options)
  return (key, shape) => {
    const { fanIn, fanOut } = fansOf(shape, 'xavierUniform')
    return uniform(gain * Math.sqrt(6 / (fanIn + fanOut)))(key, shape)
  }
}

/** Normal with std gain sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
export const xavierNormal = (options: Gain = {}): Initializer => {
  const gain = gainIn('xavierNormal', options)
  return (key, shape) => {
    const { fanIn, fanOut } = fansOf(shape, 'xavierNormal')
    return normalOf(key, shape, { std: gain * Math.sqrt(2 / (fanIn + fanOut)) })
  }
}

/** Nonlinearities with a known gain. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu'

/**
 * The factor that keeps the size of activations through a nonlinearity, as `torch.nn.init.calculate_gain`:
 * 1, tanh 5/3, relu sqrt(2), leakyRelu sqrt(2 / (1 + slope^2)), selu 3/4.
 */
export function gainOf(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  const gains: { readonly [N in Nonlinearity]: number } = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + negativeSlope ** 2)),
    selu: 3 / 4,
  }
  return gains[nonlinearity]
}

/** Settings of He's initialisers. */
export interface HeOptions {
  /** Keep variances forwards (`fanIn`, the default) or backwards. */
  readonly mode?: 'fanIn' | 'fanOut'
  /** Default `relu`. */
  readonly nonlinearity?: Nonlinearity
  /** Of leakyRelu. Default 0.01. */
  readonly negativeSlope?: number
}

function heStd(op: string, shape: Shape, options: HeOptions): number {
  checkOptions(op, options, ['mode', 'nonlinearity', 'negativeSlope'])
  const fan = fansOf(shape, op)[options.mode ?? 'fanIn']
  return gainOf(options.nonlinearity ?? 'relu', options.negativeSlope) / Math.sqrt(fan)
}

/** Normal with std gain / sqrt(fan) (He et al., 2015), `kaiming_normal_` in PyTorch. */
export const heNormal =
  (options: HeOptions = {}): Initializer =>
  (key, shape) =>
    normalOf(key, shape, { std: heStd('heNormal', shape, options) })

/**
 * Uniform within gain sqrt(3 / fan) (He et al., 2015), `kaiming_uniform_` in PyTorch. With leakyRelu of slope
 * sqrt(5) the bound is 1 / sqrt(fanIn), PyTorch's default for linear layers and convolutions.
 */
export const heUniform =
  (options: HeOptions = {}): Initializer =>
  (key, shape) =>
    uniform(Math.sqrt(3) * heStd('heUniform', shape, options))(key, shape)

/** Normal with std sqrt(1 / fanIn) (LeCun et al., 1998): what SELU needs. */
export const lecunNormal = (): Initializer => heNormal({ nonlinearity: 'linear' })
/** Uniform within sqrt(3 / fanIn) (LeCun et al., 1998). */
export const lecunUniform = (): Initializer => heUniform({ nonlinearity: 'linear' })

/** Uniform within 1 / sqrt(h), the lectures' first rule; h is the fan in unless given. */
export const uniformHidden =
  (hidden?: number): Initializer =>
  (key, shape) =>
    uniform(1 / Math.sqrt(hidden ?? fansOf(shape, 'uniformHidden').fanIn))(key, shape)

/**
 * Ones where input and output number agree: `linear` then gives its input, and a convolution the middle of its
 * windows (`torch.nn.init.eye_` and `dirac_`).
 */
export const identity = (options: Gain = {}): Initializer => {
  const gain = gainIn('identity', options)
  return (_, shape) => {
    const [out, into, ...kernel] = shape
    if (out === undefined || into === undefined)
      throw new OpError('identity', 'needs a matrix or a filter', { shapes: [shape] })
    const diagonal = eye(out, into).mul(gain)
    if (kernel.length === 0) return diagonal
    const middle = kernel.map((k): [number, number] => [Math.floor(k / 2), k - 1 - Math.floor(k / 2)])
    return diagonal
      .reshape([out, into, ...kernel.map(() => 1)])
      .pad([[0, 0], [0, 0], ...middle] as [number, number][]) as Tensor
  }
}

/**
 * Normal with `sparsity` of each column (the weights of one input) set to zero, as `torch.nn.init.sparse_`
 * (Martens, 2010).
 */
export function sparse(options: { readonly sparsity: number; readonly std?: number }): Initializer {
  checkOptions('sparse', options, ['sparsity', 'std'])
  const { sparsity, std = 0.01 } = options
  if (!(sparsity >= 0 && sparsity <= 1)) throw new OpError('sparse', `sparsity must be in [0, 1], got ${sparsity}`)
  return (key, shape) => {
    const [rows, columns] = shape
    if (rows === undefined || columns === undefined || shape.length !== 2)
      throw new OpError('sparse', 'needs a matrix', { shapes: [shape] })
    const numbers = normalOf(key, [2, rows, columns])
    // The order of an independent sample ranks each column at random.
    const rank = argsort(argsort(numbers.at(0, 1), 0), 0)
    return numbers
      .at(0, 0)
      .mul(std)
      .maskedFill(rank.lt(Math.ceil(sparsity * rows)), 0)
  }
}
