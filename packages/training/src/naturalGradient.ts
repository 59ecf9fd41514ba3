import { jvp, vjp } from '@tessella/autograd'
import {
  checkOptions,
  namedVariables,
  OpError,
  scalar,
  type Tensor,
  type Variable,
  where,
  withVariables,
} from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'

/** Tensors by the names of the trainable parameters. */
export type ByParameter = Readonly<Record<string, Tensor>>

/**
 * What the outputs mean, which says how far two of them are apart: class scores for a softmax, or means of normal numbers of
 * variance 1 (half the squared error).
 */
export type Likelihood = 'categorical' | 'gaussian'

/** The Fisher information of the outputs [n, k] of each example times a direction. */
function outputProduct(output: Tensor, direction: Tensor, likelihood: Likelihood): Tensor {
  if (likelihood === 'gaussian') return direction
  const p = output.softmax(1) as Tensor
  const weighted = p.mul(direction) as Tensor
  return weighted.sub(p.mul(weighted.sum(1, { keepdim: true }) as Tensor)) as Tensor
}

/**
 * The Fisher information of a model times a direction, exactly and without the matrix: F v = 1/n sum J^T H J v, with J the
 * derivatives of an example's outputs by the parameters and H the Fisher information of the outputs, diag(p) - p p^T for
 * classes. It is the Gauss-Newton matrix of the mean loss.
 * @param forward the outputs [n, k] of a batch at the weights as they are: `() => model(x)`
 */
export function fisherProduct(
  model: object,
  forward: () => Tensor,
  likelihood: Likelihood,
): (direction: ByParameter) => Record<string, Tensor> {
  const variables = namedVariables(model, { trainable: true })
  const entries = Object.entries(variables)
  if (entries.length === 0) throw new OpError('fisherProduct', 'found no trainable Variables')
  const at = (values: ByParameter): Tensor => {
    const replaced = entries.map(([name, v]): [Variable, Tensor] => [v, values[name] as Tensor])
    return withVariables(new Map(replaced), forward)
  }
  return (direction) => {
    const values = Object.fromEntries(entries.map(([name, v]) => [name, v.value]))
    const [output, moved] = jvp((w: ByParameter) => at(w), [values], [direction])
    if (output.ndim !== 2)
      throw new OpError('fisherProduct', 'expects outputs [n, k]', { shapes: [output.shape], hint: 'Flatten them.' })
    const [, pull] = vjp((w: ByParameter) => at(w), values)
    const [back] = pull(outputProduct(output, moved, likelihood).div(output.shape[0] as number) as Tensor)
    return back as Record<string, Tensor>
  }
}

/** Settings of {@link naturalGradient}. */
export interface NaturalGradientOptions {
  /** Added to the diagonal; keeps steps short where the outputs do not depend on the parameters. Default 1e-3. */
  readonly damping?: number
  /** Steps of the conjugate gradient method; as many as there are parameters solve exactly. Default 10. */
  readonly iterations?: number
}

const inner = (a: ByParameter, b: ByParameter): Tensor =>
  Object.keys(a)
    .map((name): Tensor => (a[name] as Tensor).mul(b[name] as Tensor).sum())
    .reduce((sum, x): Tensor => sum.add(x))

const plus = (a: ByParameter, b: ByParameter, factor: Tensor | number): Record<string, Tensor> =>
  Object.fromEntries(
    Object.keys(a).map((name) => [name, (a[name] as Tensor).add((b[name] as Tensor).mul(factor)) as Tensor]),
  )

/** a / b, and 0 where b is: the residual is gone. */
const ratio = (a: Tensor, b: Tensor): Tensor =>
  where(b.gt(0) as Tensor, a.div(where(b.gt(0) as Tensor, b, 1)), scalar(0)) as Tensor

/**
 * The natural gradient (Amari, 1998): d with (F + damping I) d = g, the steepest descent when distance is measured on what the
 * model says rather than on its parameters. Found by conjugate gradients on products with F, all inside the graph. Give it to an
 * optimizer in place of the gradient.
 * @example
 * const step = compile((x, y) => {
 *   const [loss, grads] = valueAndGrad(() => crossEntropy(model(x), y), model)
 *   opt.update(naturalGradient(fisherProduct(model, () => model(x), 'categorical'), grads))
 *   return loss
 * })
 */
export function naturalGradient(
  product: (direction: ByParameter) => ByParameter,
  grads: ByParameter,
  options: NaturalGradientOptions = {},
): Record<string, Tensor> {
  checkOptions('naturalGradient', options, ['damping', 'iterations'])
  const { damping = 1e-3, iterations = 10 } = options
  checkPositiveInteger('naturalGradient', 'iterations', iterations)
  if (!(damping >= 0)) throw new TrainingError('bad-option', `[naturalGradient] damping must be >= 0, got ${damping}`)
  let x: Record<string, Tensor> = Object.fromEntries(
    Object.entries(grads).map(([name, g]) => [name, g.mul(0) as Tensor]),
  )
  let residual: Record<string, Tensor> = { ...grads }
  let direction = residual
  let square = inner(residual, residual)
  for (let i = 0; i < iterations; i++) {
    const image = plus(product(direction), direction, damping)
    const step = ratio(square, inner(direction, image))
    x = plus(x, direction, step)
    residual = plus(residual, image, step.neg() as Tensor)
    const next = inner(residual, residual)
    direction = plus(residual, direction, ratio(next, square))
    square = next
  }
  return x
}
