import { bernoulli, Generator, type Key, nodeOf, normal, type Tensor, type Variable } from '@tessella/tensor'
import { checkMode, checkOptions, checkProbability } from './checks.ts'
import type { Recipe } from './facts.ts'
import { defineLayer } from './layer.ts'
import { freshKey, keyOf } from './recipe.ts'
import type { ModalLayerCall, Mode, SameSpec } from './types/index.ts'

/** Where dropout's masks come from. */
export interface DropoutOptions {
  /** A source of keys to share between layers; the layer has its own unless given. */
  readonly generator?: Generator
  /** Fixes the masks; without it the layer's place in the model does. */
  readonly seed?: number
}

/** A layer with a random mask in training; `generator` is its random state, which is no parameter. */
export type Dropout<N extends string> = ModalLayerCall<SameSpec<N>> & {
  readonly generator: Variable<[2], 'uint32'>
}

/** The generator of a layer, and how its first state is drawn. */
export function source(options: DropoutOptions): {
  readonly generator: Generator
  readonly recipes: readonly Recipe[]
} {
  const { generator: shared, seed } = options
  if (shared !== undefined) return { generator: shared, recipes: [] }
  const generator = new Generator(0)
  const first = seed === undefined ? freshKey() : keyOf(seed, 'generator')
  generator.state.assign(first)
  const recipe: Recipe = {
    name: 'generator',
    role: 'random',
    target: generator.state as unknown as Variable,
    draw: (key: Key) => key,
    birth: seed === undefined ? new WeakRef(nodeOf(first)) : undefined,
  }
  return { generator, recipes: [recipe] }
}

/** x where a mask keeps it, divided by the probability of that, so that the expectation stays. */
export const dropped = (x: Tensor, key: Key, p: number, maskShape: readonly number[] = x.shape): Tensor =>
  x.mul(bernoulli(key, maskShape, 1 - p).cast(x.dtype) as Tensor).mul(1 / (1 - p)) as Tensor

const asFloat = (x: Tensor): Tensor => (x.dtype === 'float32' || x.dtype === 'float64' ? x : x.cast('float32'))

/** Whether a layer with an option `dropout` of type P must be told the mode. */
export type Drops<P extends number> = [P] extends [0] ? false : true

/**
 * The random state of dropout inside another layer, and a key for each call that trains: none at p = 0 or in evaluation.
 */
export function innerDropout(
  op: string,
  p: number,
  seed: number | undefined,
): {
  readonly parts: { readonly generator?: Variable }
  readonly recipes: readonly Recipe[]
  /** Throws unless told the mode. */
  readonly keyFor: (mode: Mode | undefined) => Key | undefined
} {
  checkProbability(op, p)
  if (p === 0) return { parts: {}, recipes: [], keyFor: () => undefined }
  const { generator, recipes } = source(seed === undefined ? {} : { seed })
  return {
    parts: { generator: generator.state as unknown as Variable },
    recipes,
    keyFor: (mode) => {
      checkMode(op, mode)
      return mode === 'train' ? generator.next() : undefined
    },
  }
}

/** `train` gets a fresh key at every call. */
function noisy<const N extends string>(
  name: N,
  p: number,
  options: DropoutOptions,
  train: (x: Tensor, key: Key) => Tensor,
  evaluate: (x: Tensor) => Tensor,
): Dropout<N> {
  checkProbability(name, p)
  checkOptions(name, options, ['generator', 'seed'])
  const { generator, recipes } = source(options)
  return defineLayer({
    spec: { kind: 'same', name },
    modal: true,
    parts: { generator: generator.state },
    recipes,
    forward: (input, mode) => {
      const x = asFloat(input)
      if (mode === 'eval') return evaluate(x)
      if (p === 0) return x
      return train(x, generator.next())
    },
  }) as Dropout<N>
}

const masked = <const N extends string>(
  name: N,
  p: number,
  options: DropoutOptions,
  train: (x: Tensor, kept: Tensor) => Tensor,
  evaluate: (x: Tensor) => Tensor,
): Dropout<N> =>
  noisy(name, p, options, (x, key) => train(x, bernoulli(key, x.shape, 1 - p).cast(x.dtype) as Tensor), evaluate)

/**
 * Inverted dropout (Srivastava et al., 2014): in training each element is 0 with probability `p` and else divided by
 * 1 - p, so that the expectation stays and evaluation does nothing.
 *
 * Masks come from the layer's own random state, a Variable that moves on with every training call, inside `compile`
 * too. Two layers never share masks: the state starts from `seed`, or from the layer's place in its model.
 * @example sequential(linear(784, 128), relu(), dropout(0.5), linear(128, 10))(x, 'train')
 */
export const dropout = (p = 0.5, options: DropoutOptions = {}): Dropout<'dropout'> =>
  noisy(
    'dropout',
    p,
    options,
    (x, key) => dropped(x, key, p),
    (x) => x,
  )

/**
 * Dropout as it was first described: in training elements are 0 with probability `p`, in evaluation all are
 * multiplied by the probability 1 - p of keeping them. Agrees with {@link dropout} in expectation up to the factor.
 */
export const classicDropout = (p = 0.5, options: DropoutOptions = {}): Dropout<'classicDropout'> =>
  masked(
    'classicDropout',
    p,
    options,
    (x, kept) => x.mul(kept) as Tensor,
    (x) => x.mul(1 - p) as Tensor,
  )

/**
 * Gaussian dropout (Srivastava et al., 2014): in training each element is multiplied by a normal number of mean 1 and
 * variance alpha = p / (1 - p), the variance that {@link dropout} of the same p has. `variationalDropout` learns alpha.
 */
export const gaussianDropout = (p = 0.5, options: DropoutOptions = {}): Dropout<'gaussianDropout'> =>
  noisy(
    'gaussianDropout',
    p,
    options,
    (x, key) => x.mul(normal(key, x.shape, { mean: 1, std: Math.sqrt(p / (1 - p)) }).cast(x.dtype) as Tensor) as Tensor,
    (x) => x,
  )

/** Inverted dropout of whole channels of [n, channels, ...], for features that repeat their neighbours: spatial dropout (Tompson et al., 2015). */
export const channelDropout = (p = 0.5, options: DropoutOptions = {}): Dropout<'channelDropout'> =>
  noisy(
    'channelDropout',
    p,
    options,
    (x, key) =>
      dropped(
        x,
        key,
        p,
        x.shape.map((n, i) => (i < 2 ? n : 1)),
      ),
    (x) => x,
  )

// Of selu: what a unit gives far below 0, -scale alpha.
const SATURATED = -1.7580993408473766

/**
 * Dropout that keeps mean 0 and variance 1 (Klambauer et al., 2017): dropped elements become selu's lower end, and
 * the result is scaled and shifted. For use after `selu`.
 */
export const alphaDropout = (p = 0.5, options: DropoutOptions = {}): Dropout<'alphaDropout'> => {
  const scale = 1 / Math.sqrt((1 - p) * (1 + p * SATURATED ** 2))
  const shift = -scale * p * SATURATED
  return masked(
    'alphaDropout',
    p,
    options,
    (x, kept) => x.mul(kept).add(kept.mul(-SATURATED).add(SATURATED)).mul(scale).add(shift) as Tensor,
    (x) => x,
  )
}
