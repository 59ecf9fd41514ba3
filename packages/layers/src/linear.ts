import { linear as linearOf, OpError, type Shape, type Tensor, type Variable } from '@tessella/tensor'
import { checkCount, checkFeatures, checkOptions } from './checks.ts'
import { facts, type Initializer, type LayerFacts } from './facts.ts'
import { uniform } from './init.ts'
import { defineLayer } from './layer.ts'
import { parameter } from './recipe.ts'
import type { FeaturesSpec, LayerCall, LayerSpec } from './types/index.ts'

/** Settings of layers with a weight and a bias. */
export interface WeightOptions<B extends boolean = boolean> {
  /** Adds a bias. Default true. */
  readonly bias?: B | undefined
  /** Draws the weight. Default PyTorch's: uniform within 1 / sqrt(fan in). */
  readonly init?: Initializer | undefined
  /** Draws the bias. Default PyTorch's: uniform within 1 / sqrt(fan in). */
  readonly biasInit?: Initializer | undefined
  /** Fixes the numbers drawn; without it the layer's place in the model does. */
  readonly seed?: number | undefined
}

/** The bias of a layer, `undefined` where it has none. */
export type BiasOf<B extends boolean, N extends number> = B extends true ? Variable<[N], 'float32'> : undefined

/** A fully connected layer with its parameters. */
export type Linear<I extends number, O extends number, B extends boolean = true> = LayerCall<
  FeaturesSpec<'linear', I, O>
> & {
  readonly weight: Variable<[O, I], 'float32'>
  readonly bias: BiasOf<B, O>
}

/** A weight and the bias that goes with it. */
export function weightAndBias<const W extends Shape, const N extends number, B extends boolean>(
  shape: W,
  size: N,
  fanIn: number,
  options: WeightOptions<B>,
) {
  const standard = uniform(1 / Math.sqrt(fanIn))
  const { seed, bias = true } = options
  const weight = parameter('weight', shape, options.init ?? standard, { role: 'weight', seed })
  const shift = bias ? parameter('bias', [size], options.biasInit ?? standard, { role: 'bias', seed }) : undefined
  return {
    parts: { weight: weight.variable, bias: shift?.variable as BiasOf<B, N> },
    value: { weight: (): Tensor => weight.variable.value, bias: (): Tensor | undefined => shift?.variable.value },
    recipes: shift === undefined ? [weight.recipe] : [weight.recipe, shift.recipe],
  }
}

/**
 * y = x W^T + b over the last axis, as `torch.nn.Linear`: (out)(in + 1) parameters.
 * Throws `OpError` at the call when the last size of the input is not `inFeatures`.
 * @example linear(784, 10)(zeros([64, 784])) // Tensor<[64, 10], 'float32'>
 */
export function linear<const I extends number, const O extends number, const B extends boolean = true>(
  inFeatures: I,
  outFeatures: O,
  options: WeightOptions<B> = {},
): Linear<I, O, B> {
  checkCount('linear', 'inFeatures', inFeatures)
  checkCount('linear', 'outFeatures', outFeatures)
  checkOptions('linear', options, ['bias', 'init', 'biasInit', 'seed'])
  const { parts, value, recipes } = weightAndBias([outFeatures, inFeatures], outFeatures, inFeatures, options)
  return defineLayer({
    spec: { kind: 'features', name: 'linear', in: inFeatures, out: outFeatures },
    modal: false,
    parts,
    recipes,
    macs: (_, output) => output.reduce((a, b) => a * b, 1) * inFeatures,
    forward: (x) => {
      checkFeatures('linear', x, inFeatures, parts.weight.shape)
      return linearOf(x, value.weight(), value.bias())
    },
  })
}

/** A layer of two inputs: not a member of `sequential`. */
export type Bilinear<I extends number, J extends number, O extends number, B extends boolean = true> = {
  (x1: Tensor, x2: Tensor): Tensor<Shape, 'float32'>
  readonly spec: LayerSpec<'bilinear', 'bilinear'>
  readonly modal: false
  readonly weight: Variable<[O, I, J], 'float32'>
  readonly bias: BiasOf<B, O>
}

/**
 * y_o = x1^T W_o x2 + b_o over the last axes, as `torch.nn.Bilinear`; the weight is [out, in1, in2].
 * @example bilinear(3, 5, 2)(x1, x2) // x1 [n, 3], x2 [n, 5] -> [n, 2]
 */
export function bilinear<
  const I extends number,
  const J extends number,
  const O extends number,
  const B extends boolean = true,
>(in1: I, in2: J, outFeatures: O, options: WeightOptions<B> = {}): Bilinear<I, J, O, B> {
  for (const [name, n] of [
    ['in1', in1],
    ['in2', in2],
    ['outFeatures', outFeatures],
  ] as const)
    checkCount('bilinear', name, n)
  checkOptions('bilinear', options, ['bias', 'init', 'biasInit', 'seed'])
  const { parts, value, recipes } = weightAndBias([outFeatures, in1, in2], outFeatures, in1, options)
  const [m, n, o]: readonly [number, number, number] = [in1, in2, outFeatures]
  const call = (x1: Tensor, x2: Tensor): Tensor => {
    checkFeatures('bilinear', x1, in1, parts.weight.shape)
    checkFeatures('bilinear', x2, in2, parts.weight.shape)
    const lead = x1.shape.slice(0, -1)
    if (lead.join() !== x2.shape.slice(0, -1).join())
      throw new OpError('bilinear', 'the inputs differ before the last axis', { shapes: [x1.shape, x2.shape] })
    // One product gives W_o^T x1 for every o, which x2 then weighs.
    const left = value
      .weight()
      .permute([1, 0, 2])
      .reshape([m, o * n])
    const between = x1.reshape([-1, m]).matmul(left).reshape([-1, o, n])
    const y = between.mul(x2.reshape([-1, 1, n])).sum(2)
    const b = value.bias()
    return (b === undefined ? y : y.add(b)).reshape([...lead, o])
  }
  const about: LayerFacts = { recipes, inside: undefined, macs: undefined, statistics: undefined }
  const spec: LayerSpec<'bilinear', 'bilinear'> = { kind: 'bilinear', name: 'bilinear' }
  Object.defineProperties(call, { spec: { value: spec }, modal: { value: false }, [facts]: { value: about } })
  return Object.freeze(Object.assign(call, parts)) as unknown as Bilinear<I, J, O, B>
}
