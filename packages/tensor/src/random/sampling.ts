import { checkOptions, type DType } from '@tessella/ir'
import { nodeIn, operandIn } from '../operand.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Ok, Reduce, Shape, UnknownSizes } from '../types/index.ts'
import { bits } from './bits.ts'
import * as ops from './ops.ts'

/** The state that a sample is a function of: equal keys give equal samples. Use every key once; `splitKey` makes more. */
export type Key = Tensor<[2], 'uint32'>

type FloatDType = 'float32' | 'float64'
interface Sampled<D extends FloatDType> {
  /** float32 unless given. */
  readonly dtype?: D | undefined
}

/** The dtype of a sample, once no other option is meant. */
function dtypeOf(op: string, options: Sampled<FloatDType>, ...others: string[]): FloatDType {
  checkOptions(op, options, ['dtype', ...others])
  return options.dtype ?? 'float32'
}

/** A key from a seed, a whole number from 0 to 2^53 - 1. */
export const key = (seed: number): Key => fromNode(ops.key(seed))

/**
 * `count` independent keys from one, as the rows of a tensor.
 * @example const [a, b] = splitKey(key(0), 2).unbind() as [Key, Key]
 */
export const splitKey = <const N extends number = 2>(parent: Key, count?: N): Tensor<[N, 2], 'uint32'> =>
  fromNode(ops.split(nodeIn('splitKey', parent), count ?? 2))

/** A key from a key and a number, such as the step or the place of a layer. */
export const foldIn = (parent: Key, data: number | Tensor): Key =>
  fromNode(ops.foldIn(nodeIn('foldIn', parent), operandIn('foldIn', data)))

/** 32 random bits for each element. */
export const randomBits = <const S extends Shape>(k: Key, shape: S): Tensor<[...S], 'uint32'> =>
  fromNode(bits('randomBits', nodeIn('randomBits', k), shape))

/** Numbers spread evenly over [low, high), [0, 1) unless given. */
export const uniform = <const S extends Shape, D extends FloatDType = 'float32'>(
  k: Key,
  shape: S,
  options: { readonly low?: number | undefined; readonly high?: number | undefined } & Sampled<D> = {},
): Tensor<[...S], NoInfer<D>> =>
  fromNode(
    ops.uniform(
      nodeIn('uniform', k),
      shape,
      options.low ?? 0,
      options.high ?? 1,
      dtypeOf('uniform', options, 'low', 'high'),
    ),
  )

/** A mean and a standard deviation. */
interface Location {
  /** 0 unless given. */
  readonly mean?: number | undefined
  /** 1 unless given. */
  readonly std?: number | undefined
}

/** Normally distributed numbers. float32 samples stay within 5.77 standard deviations: they come from 24 bits. */
export const normal = <const S extends Shape, D extends FloatDType = 'float32'>(
  k: Key,
  shape: S,
  options: Location & Sampled<D> = {},
): Tensor<[...S], NoInfer<D>> =>
  fromNode(
    ops.normal(
      nodeIn('normal', k),
      shape,
      options.mean ?? 0,
      options.std ?? 1,
      dtypeOf('normal', options, 'mean', 'std'),
    ),
  )

/** Normally distributed numbers within [low, high] standard deviations of the mean, [-2, 2] unless given. */
export const truncatedNormal = <const S extends Shape, D extends FloatDType = 'float32'>(
  k: Key,
  shape: S,
  options: Location & Sampled<D> & { readonly low?: number | undefined; readonly high?: number | undefined } = {},
): Tensor<[...S], NoInfer<D>> => {
  const { mean = 0, std = 1, low = -2, high = 2 } = options
  const dtype = dtypeOf('truncatedNormal', options, 'mean', 'std', 'low', 'high')
  return fromNode(ops.truncatedNormal(nodeIn('truncatedNormal', k), shape, mean, std, low, high, dtype))
}

/** True with probability p, a number or a tensor that broadcasts to the shape. */
export const bernoulli = <const S extends Shape>(k: Key, shape: S, p: number | Tensor = 0.5): Tensor<[...S], 'bool'> =>
  fromNode(ops.bernoulli(nodeIn('bernoulli', k), shape, operandIn('bernoulli', p)))

/** Whole numbers from low up to and without high. Uneven by at most (high - low) / 2^32. */
export const randint = <const S extends Shape>(k: Key, shape: S, low: number, high: number): Tensor<[...S], 'int32'> =>
  fromNode(ops.randint(nodeIn('randint', k), shape, low, high))

/** 0 ... n - 1 in random order. */
export const permutation = <const N extends number>(k: Key, n: N): Tensor<[N], 'int32'> =>
  fromNode(ops.permutation(nodeIn('permutation', k), n))

/** Exponentially distributed numbers with density rate exp(-rate x). */
export const exponential = <const S extends Shape, D extends FloatDType = 'float32'>(
  k: Key,
  shape: S,
  options: { readonly rate?: number | undefined } & Sampled<D> = {},
): Tensor<[...S], NoInfer<D>> =>
  fromNode(ops.exponential(nodeIn('exponential', k), shape, options.rate ?? 1, dtypeOf('exponential', options, 'rate')))

/** Standard Gumbel numbers, -log(-log(u)). */
export const gumbel = <const S extends Shape, D extends FloatDType = 'float32'>(
  k: Key,
  shape: S,
  options: Sampled<D> = {},
): Tensor<[...S], NoInfer<D>> => fromNode(ops.gumbel(nodeIn('gumbel', k), shape, dtypeOf('gumbel', options)))

/** Indices drawn with probability softmax(logits) along an axis, the last unless given. */
export const categorical = <S extends Shape, const A extends number = -1>(
  k: Key,
  logits: Tensor<S, DType>,
  axis?: A,
): Tensor<Ok<Reduce<S, A, false, 'categorical'>>, 'int32'> =>
  fromNode(ops.categorical(nodeIn('categorical', k), nodeIn('categorical', logits), axis ?? -1, []))

/**
 * Indices along the last axis drawn with probabilities proportional to weights of at least 0, without replacement unless
 * `replacement` says so; [..., n] gives [..., count] (torch.multinomial).
 * @example multinomial(key(1), tensor([0.1, 0.2, 0.7]), 2) // two different indices, the last most often
 */
export const multinomial = <S extends Shape, const N extends number>(
  k: Key,
  weights: Tensor<S>,
  count: N,
  options: { readonly replacement?: boolean | undefined } = {},
): Tensor<UnknownSizes<S>, 'int32'> => {
  checkOptions('multinomial', options, ['replacement'])
  const { replacement = false } = options
  return fromNode(ops.multinomial(nodeIn('multinomial', k), nodeIn('multinomial', weights), count, replacement))
}
