import { checkOptions, einsum, eye, OpError, type Tensor } from '@tessella/tensor'

/** A nonlinearity with its first two derivatives, all of the sum z before it. */
export interface Bend {
  readonly value: (z: Tensor) => Tensor
  readonly first: (z: Tensor) => Tensor
  readonly second: (z: Tensor) => Tensor
}

const sigmoid = (z: Tensor): Tensor => z.sigmoid() as Tensor

/** The nonlinearities of {@link DenseLayer}, by name. */
export const bends = {
  identity: { value: (z) => z, first: (z) => z.mul(0).add(1) as Tensor, second: (z) => z.mul(0) as Tensor },
  /** f' = 1 - f^2, f'' = -2 f f'. */
  tanh: {
    value: (z) => z.tanh() as Tensor,
    first: (z) => z.tanh().square().neg().add(1) as Tensor,
    second: (z) => z.tanh().mul(z.tanh().square().sub(1)).mul(2) as Tensor,
  },
  /** f' = f (1 - f), f'' = f' (1 - 2 f). */
  sigmoid: {
    value: sigmoid,
    first: (z) => sigmoid(z).mul(sigmoid(z).neg().add(1)) as Tensor,
    second: (z) => sigmoid(z).mul(sigmoid(z).neg().add(1)).mul(sigmoid(z).mul(-2).add(1)) as Tensor,
  },
  /** The second derivative is 0 where it exists. */
  relu: {
    value: (z) => z.relu() as Tensor,
    first: (z) => z.gt(0).cast(z.dtype) as Tensor,
    second: (z) => z.mul(0) as Tensor,
  },
} as const satisfies Readonly<Record<string, Bend>>

/** a = f(W a' + b): a fully connected layer as values, W [out, in]. */
export interface DenseLayer {
  readonly weight: Tensor
  readonly bias?: Tensor | undefined
  /** Default 'identity'. */
  readonly activation?: keyof typeof bends | Bend
}

/** First and second derivatives of a criterion by the outputs of a net, for each example. */
export interface OutputDerivatives {
  /** [n, k] */
  readonly gradient: Tensor
  /** [n, k, k] */
  readonly hessian: Tensor
}

/** Q = 1/2 sum |a - y|^2 (the lectures' criterion): gradient a - y, second derivatives the identity. */
export const halfSquaredError =
  (target: Tensor) =>
  (output: Tensor): OutputDerivatives => {
    const [n, k] = output.shape as readonly [number, number]
    return { gradient: output.sub(target) as Tensor, hessian: eye(k).expand([n, k, k]) as Tensor }
  }

/** Q = -sum y log softmax(z), y the probabilities of the classes [n, k]: gradient p - y, second derivatives diag(p) - p p^T. */
export const softmaxCrossEntropy =
  (target: Tensor) =>
  (output: Tensor): OutputDerivatives => {
    const p = output.softmax(1) as Tensor
    const k = output.shape[1] as number
    const diagonal = p.unsqueeze(2).mul(eye(k) as Tensor) as Tensor
    return {
      gradient: p.sub(target) as Tensor,
      hessian: diagonal.sub(p.unsqueeze(2).mul(p.unsqueeze(1) as Tensor)) as Tensor,
    }
  }

/** Second derivatives of one layer's parameters: d2Q/dw2, of the parameters' shapes. */
export interface LayerCurvature {
  readonly weight: Tensor
  readonly bias: Tensor
}

/** Settings of {@link denseCurvature}. */
export interface CurvatureOptions {
  /**
   * What is sent back: all second derivatives by the units of a layer, which makes the result exact, or their diagonal only,
   * as LeCun et al. do. The two agree for one hidden layer and a criterion whose outputs do not mix. Default 'exact'.
   */
  readonly mode?: 'exact' | 'diagonal'
}

const bendOf = ({ activation = 'identity' }: DenseLayer): Bend =>
  typeof activation === 'string' ? bends[activation] : activation

function check(layers: readonly DenseLayer[], x: Tensor): void {
  if (layers.length === 0) throw new OpError('denseCurvature', 'needs a layer')
  let width = x.shape[1]
  for (const { weight } of layers) {
    if (weight.ndim !== 2 || x.ndim !== 2 || weight.shape[1] !== width)
      throw new OpError('denseCurvature', 'a layer does not fit what comes before it', {
        shapes: [[x.shape[0] ?? 0, width ?? 0], weight.shape],
        hint: 'x is [n, features], weights are [out, in].',
      })
    width = weight.shape[0]
  }
}

/**
 * The diagonal second derivatives of a fully connected net's criterion, summed over the examples, by one backward pass
 * (LeCun, Denker and Solla, 1990): with B the second derivatives by a layer's outputs a = f(z) and g the first ones,
 *
 *   H = f' B f' + diag(f'' g),   d2Q/dw_ij^2 = sum_n H_ii x_j^2,   d2Q/db_i^2 = sum_n H_ii,
 *
 * and the layer before gets W^T H W and W^T (f' g). Nothing is left out in mode 'exact'; a criterion that is a mean gets the
 * result divided by n.
 * @param criterion from the outputs [n, k] to their derivatives, such as `halfSquaredError(y)`
 * @example
 * const [first, second] = denseCurvature(
 *   [{ weight: w1, bias: b1, activation: 'tanh' }, { weight: w2, bias: b2 }], x, halfSquaredError(y))
 */
export function denseCurvature(
  layers: readonly DenseLayer[],
  x: Tensor,
  criterion: (output: Tensor) => OutputDerivatives,
  options: CurvatureOptions = {},
): readonly LayerCurvature[] {
  check(layers, x)
  checkOptions('denseCurvature', options, ['mode'])
  const exact = (options.mode ?? 'exact') === 'exact'
  const inputs: Tensor[] = []
  const sums: Tensor[] = []
  let a = x
  for (const layer of layers) {
    const product = a.matmul(layer.weight.transpose())
    const z = (layer.bias === undefined ? product : product.add(layer.bias)) as Tensor
    inputs.push(a)
    sums.push(z)
    a = bendOf(layer).value(z)
  }
  let { gradient: g, hessian: b } = criterion(a)
  if (!exact) b = diagonalOf(b)
  const found: LayerCurvature[] = []
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l] as DenseLayer
    const [z, before] = [sums[l] as Tensor, inputs[l] as Tensor]
    const bend = bendOf(layer)
    const [first, second] = [bend.first(z), bend.second(z)]
    const own = second.mul(g) as Tensor
    if (exact) {
      const outer = first.unsqueeze(2).mul(first.unsqueeze(1) as Tensor) as Tensor
      const width = z.shape[1] as number
      const h = b.mul(outer).add(own.unsqueeze(2).mul(eye(width) as Tensor) as Tensor) as Tensor
      found.unshift(curvatureOf(diagonalOf(h), before))
      b = layer.weight.transpose().matmul(h).matmul(layer.weight) as Tensor
    } else {
      const h = b.mul(first.square() as Tensor).add(own) as Tensor
      found.unshift(curvatureOf(h, before))
      b = h.matmul(layer.weight.square() as Tensor) as Tensor
    }
    g = first.mul(g).matmul(layer.weight) as Tensor
  }
  return found
}

/** Of each example's matrix. */
const diagonalOf = (matrices: Tensor): Tensor => einsum('nii->ni', matrices)

const curvatureOf = (h: Tensor, input: Tensor): LayerCurvature => ({
  weight: h.transpose().matmul(input.square() as Tensor) as Tensor,
  bias: h.sum(0) as Tensor,
})
