import { vjpNodes } from '@tessella/autograd'
import {
  checkOptions,
  concat,
  eye,
  fromNode,
  namedVariables,
  nodeOf,
  OpError,
  ones,
  scalar,
  type Tensor,
  Variable,
  where,
  zeros,
} from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'
import { type Node, nodesOf, productOf } from './kroneckerProducts.ts'
import type { ByParameter } from './naturalGradient.ts'

/** Settings of {@link kroneckerFactored}. */
export interface KroneckerOptions {
  /** Added to the Fisher information, split between the two factors. Default 1e-2. */
  readonly damping?: number
  /** Weight of the past in the factors. Default 0.95. */
  readonly decay?: number
  /** Steps of the iteration that inverts a factor. Default 30: enough for condition numbers up to about 10^6. */
  readonly iterations?: number
}

/** The Kronecker-factored Fisher information of the linear layers and convolutions of a model. */
export interface KroneckerFactored {
  /**
   * Takes in a batch: the mean loss of `examples` examples whose targets were drawn from the model's own answers (the Fisher
   * information), or of the real targets (the empirical one). May run inside a compiled step.
   */
  observe(loss: () => Tensor, examples: number): void
  /** The gradients with those of linear layers and convolutions made natural; others stay as they are. */
  precondition(grads: ByParameter): Record<string, Tensor>
  /** The factors, Variables: for checkpoints. */
  readonly state: unknown
}

/** One linear layer or convolution: its parameters, and the factors of inputs and of slopes. */
interface Factored {
  readonly weight: Variable
  readonly weightName: string
  readonly biasName: string | undefined
  readonly inputs: Variable
  readonly slopes: Variable
}

/** The inverse of a symmetric positive matrix by Newton and Schulz's iteration, X = X (2 I - M X), from I / trace. */
export function inverseOf(matrix: Tensor, iterations: number): Tensor {
  const identity = eye(matrix.shape[0] as number) as Tensor
  let x = identity.div(matrix.mul(identity).sum()) as Tensor
  for (let i = 0; i < iterations; i++) x = x.matmul(identity.mul(2).sub(matrix.matmul(x)) as Tensor) as Tensor
  return x
}

/** Numbers that make one unit's sum, the bias aside. */
const widthOf = (weight: Variable): number => weight.shape.slice(1).reduce((a, b) => a * b, 1)

/** The sum of x x^T over the rows x, divided by `count`. */
const moment = (rows: Tensor, count: number): Tensor => rows.transpose().matmul(rows).div(count) as Tensor

const sum = (tensors: readonly Tensor[]): Tensor => tensors.reduce((s, t): Tensor => s.add(t) as Tensor)

/**
 * The approximate natural gradient of Martens and Grosse (2015): the Fisher information of a linear layer's weight is taken for
 * the product of two small matrices, A = E a a^T of its inputs (with a 1 for the bias) and G = E d d^T of the slopes d by its
 * sums, so that the step is G^-1 dW A^-1. For a convolution (Grosse and Martens, 2016) a is a patch under the filter, A is summed
 * over the places t of the output and G averaged over them, A = E sum_t a_t a_t^T and G = E mean_t d_t d_t^T: exact where slopes
 * do not depend on inputs and are uncorrelated between places. Layers are found by their products, x W^T or a convolution in one
 * group; weights that are used otherwise keep their gradients.
 * @throws OpError when the model has no matrix and no filters, or a loss uses none of them
 * @example
 * const fisher = kroneckerFactored(model)
 * const step = compile((x, y, k) => {
 *   fisher.observe(() => crossEntropy(model(x), categorical(k, model(x))), 64)
 *   const [loss, grads] = valueAndGrad(() => crossEntropy(model(x), y), model)
 *   opt.update(fisher.precondition(grads))
 *   return loss
 * })
 */
export function kroneckerFactored(model: object, options: KroneckerOptions = {}): KroneckerFactored {
  const op = 'kroneckerFactored'
  checkOptions('kroneckerFactored', options, ['damping', 'decay', 'iterations'])
  const { damping = 1e-2, decay = 0.95, iterations = 30 } = options
  checkPositiveInteger(op, 'iterations', iterations)
  if (!(damping > 0)) throw new TrainingError('bad-option', `[${op}] damping must be above 0, got ${damping}`)
  if (!(decay >= 0 && decay < 1)) throw new TrainingError('bad-option', `[${op}] decay must be in [0, 1), got ${decay}`)
  const variables = namedVariables(model, { trainable: true })
  const square = (n: number, name: string): Variable =>
    new Variable(zeros([n, n]) as Tensor, { trainable: false, name }) as Variable
  const layers = Object.entries(variables).flatMap(([name, weight]): Factored[] => {
    if (weight.shape.length < 2) return []
    const units = weight.shape[0] as number
    const inputs = widthOf(weight)
    const bias = name.replace(/weight$/, 'bias')
    const biasName = bias !== name && variables[bias]?.shape.join() === String(units) ? bias : undefined
    const width = biasName === undefined ? inputs : inputs + 1
    return [{ weight, weightName: name, biasName, inputs: square(width, 'inputs'), slopes: square(units, 'slopes') }]
  })
  if (layers.length === 0)
    throw new OpError(op, 'found no trainable matrices', { hint: 'Pass a model with linear layers or convolutions.' })
  const count = new Variable(scalar(0), { trainable: false, name: 'count' })

  const follow = (factor: Variable, now: Tensor): void =>
    factor.assign(factor.value.mul(decay).add(now.mul(1 - decay)) as Tensor)

  function observe(loss: () => Tensor, examples: number): void {
    checkPositiveInteger(op, 'examples', examples)
    const weights = new Map(layers.map((layer) => [nodeOf(layer.weight.value as Tensor), layer]))
    const value = nodeOf(loss())
    const nodes = nodesOf(value, new Set(weights.keys()))
    const products = [...nodes].flatMap((node) => productOf(node, weights) ?? [])
    if (products.length === 0)
      throw new OpError(op, 'the loss has no product x W^T and no convolution of the model', {
        hint: 'Inputs of linear layers are [n, features].',
      })
    const one = nodeOf(scalar(1) as unknown as Tensor)
    for (const layer of layers) {
      const own = products.filter((p) => p.layer === layer)
      if (own.length === 0) continue
      // A layer that is used twice has both uses in its factors, as if they were independent.
      const moments = own.map(({ node, inputs, slopes, places }) => {
        const [slope] = vjpNodes([value], [one], [node])
        const rows = inputs()
        const widened =
          layer.biasName === undefined
            ? rows
            : (concat([rows, ones([rows.shape[0] as number, 1]) as Tensor], 1) as Tensor)
        // Of a mean loss, so that each example's own slope is this times the examples.
        const own = slopes(fromNode(slope as Node) as Tensor).mul(examples) as Tensor
        return { inputs: moment(widened, examples), slopes: moment(own, examples * places) }
      })
      follow(layer.inputs, sum(moments.map((m) => m.inputs)))
      follow(layer.slopes, sum(moments.map((m) => m.slopes)))
    }
    count.assign(count.value.add(1))
  }

  function precondition(grads: ByParameter): Record<string, Tensor> {
    const result: Record<string, Tensor> = { ...grads }
    // The averages start at 0.
    const seen = count.value
      .mul(Math.log(decay === 0 ? Number.MIN_VALUE : decay))
      .expm1()
      .neg()
      .clip(1e-6) as unknown as Tensor
    for (const { weightName, biasName, inputs, slopes, weight } of layers) {
      const dw = grads[weightName]
      const db = biasName === undefined ? undefined : grads[biasName]
      if (dw === undefined || (biasName !== undefined && db === undefined))
        throw new OpError(op, `no gradient for '${weightName}' or its bias`, { hint: 'Pass those of the same model.' })
      const [a, g] = [inputs.value.div(seen), slopes.value.div(seen)] as [Tensor, Tensor]
      const mean = (m: Tensor): Tensor =>
        m
          .mul(eye(m.shape[0] as number) as Tensor)
          .sum()
          .div(m.shape[0] as number) as Tensor
      // Factors may trade a scale; damping is split so that the trade does not matter.
      const balance = mean(a).div(mean(g).clip(1e-12)).clip(1e-12).sqrt() as Tensor
      const root = Math.sqrt(damping)
      const damped = (m: Tensor, by: Tensor): Tensor => m.add((eye(m.shape[0] as number) as Tensor).mul(by)) as Tensor
      const left = inverseOf(damped(g, balance.reciprocal().mul(root) as Tensor), iterations)
      const right = inverseOf(damped(a, balance.mul(root) as Tensor), iterations)
      const width = widthOf(weight)
      const flat = dw.reshape([-1, width]) as Tensor
      const whole = db === undefined ? flat : (concat([flat, db.unsqueeze(1) as Tensor], 1) as Tensor)
      // Without inputs seen, the weight is used in some other way.
      const natural = where(mean(a).gt(0) as Tensor, left.matmul(whole).matmul(right) as Tensor, whole) as Tensor
      result[weightName] = natural.narrow(1, 0, width).reshape(weight.shape) as Tensor
      if (biasName !== undefined) result[biasName] = natural.narrow(1, width, 1).reshape([-1]) as Tensor
    }
    return result
  }
  const state = { count, layers: layers.map(({ inputs, slopes }) => ({ inputs, slopes })) }
  return { observe, precondition, state }
}
