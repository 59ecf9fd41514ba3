import { valueAndGrad } from '@tessella/autograd'
import { adam, optimizer } from '@tessella/optimizers'
import {
  bernoulli,
  checkOptions,
  compile,
  concat,
  foldIn,
  type Key,
  normal,
  OpError,
  ones,
  softplus,
  type Tensor,
  type Variable,
} from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'

/** A fully connected layer to start: `linear` of the layers tile is one. */
export interface PretrainedLayer {
  /** [units, inputs] */
  readonly weight: Variable
  /** [units] */
  readonly bias?: Variable | undefined
  /** What the next layer is given; default the sums themselves. */
  readonly activation?: ((z: Tensor) => Tensor) | undefined
}

/** What {@link pretrainLayers} is given. */
export interface PretrainOptions {
  /** From the input on, without the layer that gives the answers. */
  readonly layers: readonly PretrainedLayer[]
  /** Inputs [n, features]. */
  readonly x: Tensor
  /** Classes as probabilities [n, classes]; unit h learns to tell class h mod classes from the others. */
  readonly targets: Tensor
  /**
   * What makes units of one class differ besides their random start: a random part of the examples, a random part of the
   * inputs, or nothing more. Default 'subsample'.
   */
  readonly vary?: 'subsample' | 'inputs' | 'start'
  /** How large the parts are. Default 0.5. */
  readonly share?: number
  /** Steps for each layer. Default 100. */
  readonly steps?: number
  /** Of Adam. Default 0.05. */
  readonly rate?: number
  /** Fixes starts and parts. */
  readonly key: Key
}

const START = 0.1

async function pretrainLayer(layer: PretrainedLayer, x: Tensor, options: PretrainOptions, key: Key): Promise<void> {
  const { targets, vary = 'subsample', share = 0.5, steps = 100, rate = 0.05 } = options
  const { weight, bias } = layer
  const [units, inputs] = weight.shape as readonly [number, number]
  const [n, classes] = targets.shape as readonly [number, number]
  const repeated = concat(
    Array.from({ length: Math.ceil(units / classes) }, () => targets),
    1,
  ) as Tensor
  const goals = repeated.narrow(1, 0, units).cast('float32') as Tensor
  const part = (size: readonly number[]): Tensor => bernoulli(foldIn(key, 1), size, share).cast('float32') as Tensor
  const examples = vary === 'subsample' ? part([n, units]) : (ones([n, units]) as Tensor)
  const seen = vary === 'inputs' ? part([units, inputs]) : (ones([units, inputs]) as Tensor)
  weight.assign(normal(foldIn(key, 0), [units, inputs], { std: START }).mul(seen as never) as Tensor)
  bias?.assign(bias.value.mul(0) as Tensor)
  // The parts are fixed for the layer: computed once, not in every step.
  const [input, goal, used] = await settled([x, goals, examples])
  const model = { weight, bias }
  const opt = optimizer(adam(rate), model)
  const step = compile(() => {
    const loss = (): Tensor => {
      const product = input.matmul(weight.value.transpose())
      const z = (bias === undefined ? product : product.add(bias.value)) as Tensor
      // Binary cross entropy of the sums.
      const each = softplus(z).sub(z.mul(goal)) as Tensor
      return each.mul(used).sum().div(n) as Tensor
    }
    const [value, grads] = valueAndGrad(loss, model)
    opt.update({ ...grads, weight: (grads.weight as Tensor).mul(seen) as Tensor })
    return value
  })
  for (let i = 0; i < steps; i++) step()
}

async function settled<const T extends readonly Tensor[]>(tensors: T): Promise<T> {
  for (const t of tensors) await t.data()
  return tensors
}

/**
 * Layer-wise pretraining as the lectures have it: every unit of a layer is trained as a linear model of its own, from a random
 * start and on a random part of the examples or inputs, so that units differ; then the next layer on what this one gives.
 * Weights and biases are assigned; train the whole afterwards.
 * @throws TrainingError `bad-option`, OpError where shapes do not fit
 * @example
 * const layers = [{ ...model[0], activation: (z) => z.relu() }, { ...model[2], activation: (z) => z.relu() }]
 * await pretrainLayers({ layers, x, targets: oneHot(y, 10), vary: 'inputs', key: key(1) })
 */
export async function pretrainLayers(options: PretrainOptions): Promise<void> {
  checkOptions('pretrainLayers', options, ['layers', 'x', 'targets', 'vary', 'share', 'steps', 'rate', 'key'])
  const { layers, x, targets, share = 0.5, steps = 100, key } = options
  checkPositiveInteger('pretrainLayers', 'steps', steps)
  if (!(share > 0 && share <= 1))
    throw new TrainingError('bad-option', `[pretrainLayers] share must be above 0 and at most 1, got ${share}`)
  if (targets.ndim !== 2 || x.ndim !== 2 || targets.shape[0] !== x.shape[0])
    throw new OpError('pretrainLayers', 'expects inputs [n, features] and targets [n, classes]', {
      shapes: [x.shape, targets.shape],
      hint: 'Flatten images; make targets of class numbers by oneHot(labels, classes).',
    })
  let input = x.cast('float32') as Tensor
  for (const [i, layer] of layers.entries()) {
    if (layer.weight.shape[1] !== input.shape[1])
      throw new OpError('pretrainLayers', `layer ${i} does not fit what comes before it`, {
        shapes: [input.shape, layer.weight.shape],
      })
    await pretrainLayer(layer, input, options, foldIn(key, i))
    const product = input.matmul(layer.weight.value.transpose())
    const z = (layer.bias === undefined ? product : product.add(layer.bias.value)) as Tensor
    input = layer.activation?.(z) ?? z
  }
}
