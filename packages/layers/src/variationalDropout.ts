import {
  nodeOf,
  normal,
  OpError,
  type Shape,
  scalar,
  softplus,
  type Tensor,
  Variable,
  withVariables,
  zeros,
} from '@tessella/tensor'
import { checkOptions } from './checks.ts'
import { type DropoutOptions, source } from './dropout.ts'
import { factsOf, isHolder, joinPath, type LearnedNoise, type Recipe } from './facts.ts'
import { defineLayer } from './layer.ts'
import type { AnyLayer, ModalLayerCall, Mode } from './types/index.ts'

/** A linear layer or a convolution. */
type Weighted = AnyLayer & {
  readonly weight: Variable
  readonly bias: Variable | undefined
  readonly modal: false
}

/** Settings of {@link variationalDropout}. */
export interface VariationalDropoutOptions extends DropoutOptions {
  /** What shares an alpha: the whole layer, all weights of an input unit or channel, or nothing. Default 'weight'. */
  readonly per?: 'layer' | 'unit' | 'weight'
  /** Where alpha starts; dropout of probability p has p / (1 - p). Default 0.1. */
  readonly alpha?: number
  /** Weights whose log alpha is above count as removed in evaluation. Default 3: dropped 19 times of 20. */
  readonly threshold?: number
}

/** A layer with learned noise on its weights. */
export type VariationalDropout<L extends Weighted> = ModalLayerCall<L['spec']> &
  Omit<{ readonly [K in keyof L]: L[K] }, 'spec' | 'modal'> & {
    /** log alpha of the layer [] or of its inputs [1, in, 1...]; with an alpha per weight log (alpha w^2). */
    readonly noise: Variable<Shape, 'float32'>
    readonly generator: Variable<[2], 'uint32'>
  }

// Beyond these a weight is certain or gone, and exp would leave float32.
const LEAST = -10
const MOST = 10
// Keeps the root of the variance differentiable where nothing arrives.
const TINY = 1e-8

/**
 * Variational dropout (Kingma, Salimans and Welling, 2015) of a linear layer or a convolution: weights are w (1 + sqrt(alpha)
 * e) with normal e, and alpha is learned. The noise is drawn once for each output instead of for each weight (local
 * reparameterisation), with the mean and the variance that the weights' noise gives it:
 * y = layer(x) + sqrt(alpha w^2 (*) x^2) e. Evaluation takes the means and leaves out weights of a log alpha above the
 * threshold. Add {@link variationalKl} to the loss, or alpha falls to 0.
 *
 * With an alpha for each weight the Variable is log (alpha w^2), whose gradient stays calm while alpha grows (Molchanov et
 * al., 2017): that finds sparse layers.
 * @example
 * const model = sequential(variationalDropout(linear(784, 100)), relu(), variationalDropout(linear(100, 10)))
 * const loss = crossEntropy(model(x, 'train'), y).add(variationalKl(model).mul(1 / examples))
 */
export function variationalDropout<const L extends Weighted>(
  layer: L,
  options: VariationalDropoutOptions = {},
): VariationalDropout<L> {
  const op = 'variationalDropout'
  checkOptions(op, options, ['per', 'alpha', 'threshold', 'generator', 'seed'])
  const { per = 'weight', alpha = 0.1, threshold = 3, ...sourceOptions } = options
  if (!(alpha > 0 && Number.isFinite(alpha))) throw new OpError(op, `alpha must start above 0, got ${alpha}`)
  if (!['layer', 'unit', 'weight'].includes(per))
    throw new OpError(op, `alpha is per 'layer', 'unit' or 'weight', got '${per}'`)
  const { weight, bias } = layer
  const kind = layer.spec.kind
  if (layer.spec.name !== 'linear' && kind !== 'conv' && kind !== 'convTranspose')
    throw new OpError(op, `wraps linear layers and convolutions, got ${layer.spec.name}`)
  const { shape } = weight
  const inputs = kind === 'convTranspose' ? 0 : 1
  if (per === 'unit' && kind !== 'features' && (layer.spec as unknown as { readonly in: number }).in !== shape[inputs])
    throw new OpError(op, 'an alpha for each unit needs a convolution of one group', { hint: "Use per: 'weight'." })
  const noiseShape = per === 'layer' ? [] : per === 'weight' ? shape : shape.map((n, i) => (i === inputs ? n : 1))

  /** log w^2, finite at 0. */
  const logSquare = (): Tensor => (weight.value as Tensor).square().add(TINY).log() as Tensor
  const start = (): Tensor => {
    const even = zeros(noiseShape).add(Math.log(alpha)) as Tensor
    return per === 'weight' ? (even.add(logSquare()) as Tensor) : even
  }
  const first = start()
  const noise = new Variable(first, { name: 'noise' }) as unknown as Variable<Shape, 'float32'>
  const logAlpha = (): Tensor =>
    (per === 'weight' ? noise.value.sub(logSquare()) : noise.value).clip(LEAST, MOST) as Tensor

  /** alpha w^2. */
  const variance = (): Tensor =>
    per === 'weight'
      ? (noise.value.exp() as Tensor)
      : ((weight.value as Tensor).square().mul(logAlpha().exp()) as Tensor)

  const about = factsOf(layer)
  const own = about?.recipes.find((recipe) => recipe.target === weight)
  const { generator, recipes } = source(sourceOptions)
  const noiseRecipe: Recipe = {
    name: 'noise',
    role: 'other',
    target: noise as unknown as Variable,
    draw: start,
    birth: own?.birth === undefined ? undefined : new WeakRef(nodeOf(first)),
  }
  const train = (x: Tensor): Tensor => {
    const spread: [Variable, Tensor][] = [[weight, variance()]]
    if (bias !== undefined) spread.push([bias, zeros(bias.shape) as Tensor])
    const squared = withVariables(new Map(spread), () => layer(x.square() as Tensor, 'train'))
    const mean = layer(x, 'train')
    const drawn = normal(generator.next(), mean.shape).cast(mean.dtype) as Tensor
    return mean.add(squared.add(TINY).sqrt().mul(drawn) as Tensor) as Tensor
  }
  const evaluate = (x: Tensor): Tensor => {
    const kept = (weight.value as Tensor).mul(logAlpha().le(threshold).cast('float32') as Tensor) as Tensor
    return withVariables(new Map([[weight, kept]]), () => layer(x, 'eval'))
  }
  const learned: LearnedNoise = { weight, logAlpha }
  return defineLayer({
    spec: layer.spec,
    modal: true,
    parts: { ...(layer as Weighted & Record<string, unknown>), noise, generator: generator.state },
    // The noise starts from the weight, so it comes after it.
    recipes: [...(about?.recipes ?? []), noiseRecipe, ...recipes],
    ...(about?.macs === undefined ? {} : { macs: about.macs }),
    noise: learned,
    forward: (x, mode: Mode) => {
      const input = x.dtype === 'float64' ? x : (x.cast('float32') as Tensor)
      return mode === 'train' ? train(input) : evaluate(input)
    },
  }) as unknown as VariationalDropout<L>
}

function noisesIn(x: unknown, path: string, found: Map<LearnedNoise, string>, seen: Set<unknown>): void {
  if ((typeof x !== 'function' && !isHolder(x)) || seen.has(x)) return
  seen.add(x)
  const noise = factsOf(x)?.noise
  if (noise !== undefined) found.set(noise, path)
  for (const [key, part] of Object.entries(x)) noisesIn(part, joinPath(path, key), found, seen)
}

function learnedNoises(op: string, model: unknown): ReadonlyMap<LearnedNoise, string> {
  const found = new Map<LearnedNoise, string>()
  noisesIn(model, '', found, new Set())
  if (found.size === 0)
    throw new OpError(op, 'found no variational dropout', {
      hint: 'Wrap layers: variationalDropout(linear(784, 100)).',
    })
  return found
}

const count = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/**
 * The divergence of the noisy weights from the log-uniform prior, summed over all weights of a model: to within 0.01 per
 * weight k1 - k1 sigmoid(k2 + k3 log alpha) + log(1 + 1 / alpha) / 2 (Molchanov et al., 2017). It falls as alpha grows.
 * A mean loss over the examples gets it divided by their number.
 * @example loss.add(variationalKl(model).mul(1 / 60000))
 */
export function variationalKl(model: unknown): Tensor<[], 'float32'> {
  const sums = [...learnedNoises('variationalKl', model).keys()].map(({ weight, logAlpha }) => {
    const a = logAlpha()
    const each = a
      .mul(1.48695)
      .add(1.8732)
      .sigmoid()
      .mul(-0.63576)
      .add(0.63576)
      .add(softplus(a.neg()).mul(0.5) as Tensor) as Tensor
    // An alpha that is shared counts once for each of its weights.
    return each.sum().mul(count(weight.shape) / count(a.shape)) as Tensor
  })
  return sums.reduce((a, b) => a.add(b) as Tensor, scalar(0) as unknown as Tensor) as unknown as Tensor<[], 'float32'>
}

/** What variational dropout has learned in one layer. */
export interface LearnedDropout {
  /** alpha of each weight, in a shape that broadcasts with the weight's. */
  readonly alpha: Tensor
  /** The probability of dropout with the same variance, alpha / (1 + alpha). */
  readonly rate: Tensor
  /** The share of weights whose log alpha is above the threshold: those that can be removed. */
  readonly sparsity: Tensor<[], 'float32'>
}

/**
 * The learned noise by the path of the layer; a model that is one layer has the path ''.
 * @example Number(await learnedAlphas(model)['0']?.sparsity.item()) // 0.93
 */
export function learnedAlphas(
  model: unknown,
  options: { readonly threshold?: number } = {},
): Record<string, LearnedDropout> {
  const { threshold = 3 } = options
  return Object.fromEntries(
    [...learnedNoises('learnedAlphas', model)].map(([{ logAlpha }, path]) => {
      const a = logAlpha()
      const sparsity = a.gt(threshold).cast('float32').mean() as unknown as Tensor<[], 'float32'>
      return [path, { alpha: a.exp() as Tensor, rate: a.sigmoid() as Tensor, sparsity }]
    }),
  )
}
