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
  zeros,
} from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'
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

/** The Kronecker-factored Fisher information of the linear layers of a model. */
export interface KroneckerFactored {
  /**
   * Takes in a batch: the mean loss of `examples` examples whose targets were drawn from the model's own answers (the Fisher
   * information), or of the real targets (the empirical one). May run inside a compiled step.
   */
  observe(loss: () => Tensor, examples: number): void
  /** The gradients with those of linear layers made natural; others stay as they are. */
  precondition(grads: ByParameter): Record<string, Tensor>
  /** The factors, Variables: for checkpoints. */
  readonly state: unknown
}

type Node = ReturnType<typeof nodeOf>

/** One linear layer: its parameters, and the factors of inputs and of slopes. */
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

/** Every node of a graph, those in `ends` without what is behind them. */
function nodesOf(root: Node, ends: ReadonlySet<Node>): Set<Node> {
  const seen = new Set<Node>()
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    if (!ends.has(node)) open.push(...node.src)
  }
  return seen
}

const isTransposed = (node: Node, of: Node): boolean =>
  node.op === 'permute' && node.src[0] === of && node.attrs.perm.join() === '1,0'

/**
 * The approximate natural gradient of Martens and Grosse (2015), for linear layers: the Fisher information of a layer's weight
 * is taken for the product of two small matrices, A = E a a^T of its inputs (with a 1 for the bias) and G = E d d^T of the slopes
 * d by its sums, so that the step is G^-1 dW A^-1. Linear layers are found by their products, x W^T; weights that are used
 * otherwise, such as filters, keep their gradients.
 * @throws OpError when the model has no matrix, or a loss uses none of them
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
    if (weight.shape.length !== 2) return []
    const [units, inputs] = weight.shape as readonly [number, number]
    const bias = name.replace(/weight$/, 'bias')
    const biasName = bias !== name && variables[bias]?.shape.join() === String(units) ? bias : undefined
    const width = biasName === undefined ? inputs : inputs + 1
    return [{ weight, weightName: name, biasName, inputs: square(width, 'inputs'), slopes: square(units, 'slopes') }]
  })
  if (layers.length === 0)
    throw new OpError(op, 'found no trainable matrices', { hint: 'Pass a model with linear layers.' })
  const count = new Variable(scalar(0), { trainable: false, name: 'count' })

  const follow = (factor: Variable, now: Tensor): void =>
    factor.assign(factor.value.mul(decay).add(now.mul(1 - decay)) as Tensor)

  function observe(loss: () => Tensor, examples: number): void {
    checkPositiveInteger(op, 'examples', examples)
    const weights = new Map(layers.map((layer) => [nodeOf(layer.weight.value as Tensor), layer]))
    const value = nodeOf(loss())
    const nodes = nodesOf(value, new Set(weights.keys()))
    const products = [...nodes].flatMap((node) => {
      if (node.op !== 'matmul' || node.shape.length !== 2) return []
      const [a, w] = node.src
      const layer = [...weights].find(([weight]) => isTransposed(w, weight))?.[1]
      return layer === undefined ? [] : [{ node, a, layer }]
    })
    if (products.length === 0)
      throw new OpError(op, 'the loss has no product x W^T of the model', { hint: 'Inputs are [n, features].' })
    const one = nodeOf(scalar(1) as unknown as Tensor)
    for (const layer of layers) {
      const own = products.filter((p) => p.layer === layer)
      if (own.length === 0) continue
      // A layer that is used twice has both uses in its factors, as if they were independent.
      const pairs = own.map(({ node, a }) => {
        const [slope] = vjpNodes([value], [one], [node])
        const input = fromNode(a) as Tensor
        const widened =
          layer.biasName === undefined
            ? input
            : (concat([input, ones([a.shape[0] as number, 1]) as Tensor], 1) as Tensor)
        // Of a mean loss, so that each example's own slope is this times the examples.
        return { input: widened, slope: (fromNode(slope as Node) as Tensor).mul(examples) as Tensor }
      })
      const moment = (xs: readonly Tensor[]): Tensor =>
        xs.map((x): Tensor => x.transpose().matmul(x).div(examples)).reduce((s, m): Tensor => s.add(m))
      follow(layer.inputs, moment(pairs.map((p) => p.input)))
      follow(layer.slopes, moment(pairs.map((p) => p.slope)))
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
      const whole = db === undefined ? dw : (concat([dw, db.unsqueeze(1) as Tensor], 1) as Tensor)
      const natural = left.matmul(whole).matmul(right) as Tensor
      const width = weight.shape[1] as number
      result[weightName] = natural.narrow(1, 0, width) as Tensor
      if (biasName !== undefined) result[biasName] = natural.narrow(1, width, 1).reshape([-1]) as Tensor
    }
    return result
  }
  const state = { count, layers: layers.map(({ inputs, slopes }) => ({ inputs, slopes })) }
  return { observe, precondition, state }
}
