import { arange, type Key, OpError, type Shape, type Tensor, type Variable } from '@tessella/tensor'
import { checkCount, checkFeatures, checkOptions, checkProbability } from './checks.ts'
import { type Drops, dropped, innerDropout } from './dropout.ts'
import type { Initializer } from './facts.ts'
import { xavierUniform, zeros } from './init.ts'
import { defineLayer } from './layer.ts'
import { linear } from './linear.ts'
import { parameter } from './recipe.ts'
import type { CallOf, FeaturesSpec, Mode } from './types/index.ts'

/** Who may look at whom. */
export interface AttentionMask {
  /** Query i sees keys 0 to i only. Default false. */
  readonly causal?: boolean | undefined
  /** Where true, a query may look at a key; broadcasts with [..., queries, keys]. */
  readonly mask?: Tensor | undefined
}

/** Settings of {@link scaledDotProductAttention}. */
export interface AttentionOptions extends AttentionMask {
  /** What products are multiplied by. Default 1 / sqrt(features). */
  readonly scale?: number | undefined
  /** The probability of dropping what a query sees of a key, after the softmax; needs `dropoutKey`. Default 0: evaluation. */
  readonly dropoutP?: number | undefined
  /** Draws the mask of `dropoutP`. */
  readonly dropoutKey?: Key | undefined
}

type Attended<Q extends Shape, V extends Shape> = Q extends readonly [...infer Lead extends Shape, number]
  ? V extends readonly [...Shape, infer D extends number]
    ? [...Lead, D]
    : Shape
  : Shape

// Finite, because a row of nothing but -Infinity has no softmax.
const FAR_BELOW = -1e30

/** Where query i may look at key j: j <= i. */
const causalMask = (queries: number, keys: number): Tensor =>
  arange(keys)
    .unsqueeze(0)
    .le(arange(queries).unsqueeze(1) as Tensor) as Tensor

/**
 * softmax(q k^T scale) v (Vaswani et al., 2017), as `torch.nn.functional.scaled_dot_product_attention`: q is
 * [..., queries, d], k [..., keys, d] and v [..., keys, e], the result [..., queries, e]. A query that may look at nothing
 * gets zeros.
 * @example scaledDotProductAttention(q, k, v, { causal: true })
 */
export function scaledDotProductAttention<Q extends Shape, V extends Shape>(
  query: Tensor<Q>,
  key: Tensor,
  value: Tensor<V>,
  options: AttentionOptions = {},
): Tensor<Attended<Q, V>> {
  const op = 'scaledDotProductAttention'
  checkOptions(op, options, ['causal', 'mask', 'scale', 'dropoutP', 'dropoutKey'])
  const [q, k, v] = [query, key, value] as unknown as [Tensor, Tensor, Tensor]
  for (const t of [q, k, v])
    if (t.ndim < 2) throw new OpError(op, 'expects [..., length, features]', { shapes: [q.shape, k.shape, v.shape] })
  if (q.shape.at(-1) !== k.shape.at(-1))
    throw new OpError(op, 'queries and keys differ in their features', { shapes: [q.shape, k.shape] })
  if (k.shape.at(-2) !== v.shape.at(-2))
    throw new OpError(op, 'there must be a value for each key', { shapes: [k.shape, v.shape] })
  const { causal = false, mask, scale = 1 / Math.sqrt(q.shape.at(-1) as number), dropoutP = 0, dropoutKey } = options
  checkProbability(op, dropoutP)
  if (dropoutP > 0 && dropoutKey === undefined)
    throw new OpError(op, 'dropoutP needs a dropoutKey', { hint: 'A new one for every step: new Generator(1).next().' })
  if (mask !== undefined && mask.dtype !== 'bool')
    throw new OpError(op, `the mask is bool, got ${mask.dtype}`, { hint: 'True where a query may look: mask.eq(1).' })
  const scores = q.mul(scale).matmul(k.transpose(-2, -1)) as Tensor
  const seen = causal
    ? scores.maskedFill(not(causalMask(q.shape.at(-2) as number, k.shape.at(-2) as number)), FAR_BELOW)
    : scores
  // The product makes rows without any key zeros; in others it changes nothing.
  const weights = (
    mask === undefined ? seen.softmax(-1) : seen.maskedFill(not(mask), FAR_BELOW).softmax(-1).mul(mask)
  ) as Tensor
  const kept = dropoutP > 0 && dropoutKey !== undefined ? dropped(weights, dropoutKey, dropoutP) : weights
  return kept.matmul(v) as unknown as Tensor<Attended<Q, V>>
}

const not = (mask: Tensor): Tensor => mask.logicalNot() as Tensor

/** Settings of {@link multiheadAttention}. */
export interface MultiheadAttentionOptions<P extends number = number> {
  /** Each place sees itself and those before it. Default false. */
  readonly causal?: boolean | undefined
  /** Default true. */
  readonly bias?: boolean | undefined
  /** The probability of dropping what a place sees of another, in training; the layer must then be told the mode. Default 0. */
  readonly dropout?: P | undefined
  /** Draws the projections of queries, keys and values, each [features, features]. Default PyTorch's, Xavier uniform. */
  readonly init?: Initializer | undefined
  /** Fixes the numbers drawn, weights and masks; without it the layer's place in the model does. */
  readonly seed?: number | undefined
}

/** Who may look at whom in a layer of attention. */
export interface MultiheadMask extends AttentionMask {
  /** Which keys exist, bool [n, keys]: false behind the end of shorter sequences. */
  readonly keyMask?: Tensor | undefined
}

/** Attention of several heads with its parameters. */
export type MultiheadAttention<E extends number, Modal extends boolean = false> = CallOf<
  FeaturesSpec<'multiheadAttention', E, E>,
  Modal
> & {
  /** The projections of queries, keys and values under each other. */
  readonly inProjWeight: Variable<[number, E], 'float32'>
  readonly inProjBias: Variable<[number], 'float32'> | undefined
  readonly outProj: {
    readonly weight: Variable<[E, E], 'float32'>
    readonly bias: Variable<[E], 'float32'> | undefined
  }
  /**
   * Queries [n, queries, features] look at keys and values [n, keys, features]; masks beside the layer's own `causal`. A
   * layer with dropout must be told the mode.
   */
  attend<N extends number, T extends number>(
    query: Tensor<readonly [N, T, number]>,
    key: Tensor,
    value: Tensor,
    masks?: MultiheadMask,
    mode?: Mode,
  ): Tensor<[N, T, E]>
}

/**
 * Attention of several heads over [n, time, features] (Vaswani et al., 2017), as `torch.nn.MultiheadAttention` with
 * `batch_first`; called with one tensor, every place looks at every place. Masks are true where looking is allowed,
 * the opposite of PyTorch's `key_padding_mask`.
 * @example
 * const attention = multiheadAttention(64, 4, { causal: true })
 * attention(zeros([8, 10, 64])) // Tensor<[8, 10, 64], 'float32'>
 * attention.attend(x, memory, memory, { keyMask })
 */
export function multiheadAttention<const E extends number, const P extends number = 0>(
  features: E,
  heads: number,
  options: MultiheadAttentionOptions<P> = {},
): MultiheadAttention<E, Drops<P>> {
  const op = 'multiheadAttention'
  checkCount(op, 'features', features)
  checkCount(op, 'heads', heads)
  checkOptions(op, options, ['causal', 'bias', 'dropout', 'init', 'seed'])
  if (features % heads !== 0)
    throw new OpError(op, `${features} features do not split into ${heads} heads`, { hint: 'Use a divisor.' })
  const { causal = false, bias = true, dropout = 0, init = xavierUniform(), seed } = options
  const e: number = features
  const noise = innerDropout(op, dropout, seed)
  const weight = parameter('inProjWeight', [3 * e, e], init, { role: 'weight', seed })
  const shift = bias ? parameter('inProjBias', [3 * e], zeros, { role: 'bias', seed }) : undefined
  const outProj = linear(e, e, { bias, biasInit: zeros, ...(seed === undefined ? {} : { seed }) })

  const project = (x: Tensor, part: number): Tensor => {
    checkFeatures(op, x, e, weight.variable.shape)
    if (x.ndim !== 3) throw new OpError(op, 'expects [n, time, features]', { shapes: [x.shape] })
    const w = weight.variable.value.narrow(0, part * e, e) as Tensor
    const y = x.matmul(w.transpose()) as Tensor
    const shifted = shift === undefined ? y : (y.add(shift.variable.value.narrow(0, part * e, e) as Tensor) as Tensor)
    const [n, time] = x.shape as readonly [number, number, number]
    return shifted.reshape([n, time, heads, e / heads]).permute([0, 2, 1, 3]) as Tensor
  }
  const attend = (query: Tensor, key: Tensor, value: Tensor, masks: MultiheadMask = {}, mode?: Mode): Tensor => {
    checkOptions(op, masks, ['causal', 'mask', 'keyMask'])
    const { mask, keyMask } = masks
    const [q, k, v] = [project(query, 0), project(key, 1), project(value, 2)]
    const [n, keys] = [key.shape[0] as number, key.shape[1] as number]
    if (keyMask !== undefined && keyMask.shape.join() !== [n, keys].join())
      throw new OpError(op, 'the mask of keys is [n, keys]', { shapes: [keyMask.shape, [n, keys]] })
    const existing = keyMask?.reshape([n, 1, 1, keys]) as Tensor | undefined
    const both =
      mask !== undefined && existing !== undefined ? (mask.logicalAnd(existing) as Tensor) : (mask ?? existing)
    const dropoutKey = noise.keyFor(mode)
    const looked = scaledDotProductAttention(q, k, v, {
      causal: masks.causal ?? causal,
      mask: both,
      ...(dropoutKey === undefined ? {} : { dropoutP: dropout, dropoutKey }),
    }) as Tensor
    return outProj(looked.permute([0, 2, 1, 3]).reshape([n, query.shape[1] as number, e]) as Tensor) as Tensor
  }
  return defineLayer({
    spec: { kind: 'features', name: op, in: e, out: e },
    modal: dropout > 0,
    parts: { inProjWeight: weight.variable, inProjBias: shift?.variable, outProj, ...noise.parts },
    recipes: [weight.recipe, ...(shift === undefined ? [] : [shift.recipe]), ...noise.recipes],
    // Four projections, and every place with every place twice: scores and weighted values.
    macs: (input) => {
      const [n, time] = input as readonly [number, number, number]
      return n * time * e * (4 * e + 2 * time)
    },
    methods: { attend },
    forward: (x, mode) => attend(x, x, x, {}, mode),
  }) as unknown as MultiheadAttention<E, Drops<P>>
}
