import { build, type Node, OpError, sameShape } from '@tessella/ir'
import { asTransform, fromNode, namedVariables, type Tensor, type Variable, withVariables } from '@tessella/tensor'
import { jvpNodes, vjpNodes } from './backward.ts'
import { lossOf, type ScalarLoss } from './loss.ts'
import { aliases, floatNodes, type Grads, outputNodes, treeLike } from './treeNodes.ts'
import { cotangentDtype } from './vjp.ts'

/** The nodes of `tree`, which must match `like` tensor by tensor. */
function matching(op: string, what: string, tree: unknown, like: readonly Node[]): Node[] {
  const nodes = floatNodes(op, what, tree)
  if (nodes.length !== like.length)
    throw new OpError(op, `${what} holds ${nodes.length} tensors where ${like.length} are needed`)
  for (const [i, node] of nodes.entries()) {
    const other = like[i] as Node
    if (!sameShape(node.shape, other.shape))
      throw new OpError(op, `tensor ${i} of ${what} has another shape`, { shapes: [node.shape, other.shape] })
  }
  return nodes
}

/** Refuses a bare tensor where a list of arguments belongs. */
function checkArguments(op: string, args: unknown): void {
  if (!Array.isArray(args))
    throw new OpError(op, 'the second argument must be an array of arguments', { hint: `${op}(f, [x], [v]).` })
}

/** The arguments under new identities, and the function's result on them. */
function traced<A extends readonly unknown[], R>(op: string, f: (...args: A) => R, args: A) {
  const inputs = aliases(args.flatMap((a, i) => floatNodes(op, `argument ${i}`, a)))
  const result = asTransform(() => f(...treeLike(args, inputs)))
  return { inputs, result }
}

/**
 * The value of a function and its vector-Jacobian product: `pull` takes a cotangent like the result and
 * answers one gradient like each argument. Call it as often as needed: the function is traced once.
 *
 * @example
 * const [y, pull] = vjp((x: Tensor<[3]>) => x.exp(), x)
 * const [dx] = pull(ones([3]))
 */
export function vjp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): [value: R, pull: (cotangent: R) => A] {
  const { inputs, result } = traced('vjp', f, args)
  const outputs = outputNodes('vjp', result)
  const pull = (cotangent: R): A =>
    treeLike(args, vjpNodes(outputs, matching('vjp', 'the cotangent', cotangent, outputs), inputs))
  return [result, pull]
}

/**
 * Forward mode: the value of a function, and how it moves when the arguments move along `tangents`.
 *
 * @param args the arguments, in an array
 * @param tangents one like each argument
 * @example
 * const [y, dy] = jvp((x: Tensor<[3]>) => x.exp(), [x], [v]) // dy = exp(x) * v
 */
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  args: A,
  tangents: A,
): [value: R, tangent: R] {
  checkArguments('jvp', args)
  const { inputs, result } = traced('jvp', f, args)
  const directions = matching('jvp', 'the tangents', tangents, inputs)
  return [result, treeLike(result, jvpNodes(outputNodes('jvp', result), inputs, directions))]
}

const gradientOf = (loss: Node, inputs: readonly Node[]): readonly Node[] =>
  vjpNodes([loss], [build.constant(1, cotangentDtype(loss))], inputs)

/**
 * The Hessian of a scalar function times a vector, without the Hessian: forward over reverse mode.
 * For functions of arguments `direction` is an array like them; for a model it is a record by the Variables' paths.
 *
 * @example
 * const [hv] = hvp((x: Tensor<[3]>) => x.pow(4).sum(), [x], [v]) // 12 x^2 v
 * @example
 * const hv = hvp(() => mse(model(x), y), model, grads)
 */
export function hvp<A extends readonly unknown[], L extends Tensor>(
  f: ((...args: A) => L) & ScalarLoss<L>,
  args: A,
  direction: A,
): A
export function hvp<L extends Tensor>(f: (() => L) & ScalarLoss<L>, model: object, direction: Readonly<Grads>): Grads
export function hvp(f: unknown, at: unknown, direction: unknown): unknown {
  const call = f as (...args: readonly unknown[]) => Tensor
  const variables = Object.entries(namedVariables(at, { trainable: true }))
  if (variables.length === 0) {
    if (!Array.isArray(at))
      throw new OpError('hvp', 'the second argument must be an array of arguments, or a model', {
        hint: 'hvp(f, [x], [v]) or hvp(f, model, grads).',
      })
    const { inputs, result } = traced('hvp', call, at)
    const directions = matching('hvp', 'the direction', direction, inputs)
    return treeLike(at, jvpNodes(gradientOf(lossOf('hvp', result, false).node, inputs), inputs, directions))
  }
  const inputs = aliases(variables.flatMap(([path, v]) => floatNodes('hvp', `Variable '${path}'`, v.value)))
  const record = direction as Readonly<Grads>
  const missing = variables.find(([path]) => record[path] === undefined)
  if (missing)
    throw new OpError('hvp', `the direction has no '${missing[0]}'`, {
      hint: 'Give one tensor per trainable Variable.',
    })
  const directions = matching(
    'hvp',
    'the direction',
    variables.map(([path]) => record[path]),
    inputs,
  )
  const replaced = new Map<Variable, Tensor>(variables.map(([, v], i) => [v, fromNode(inputs[i] as Node)]))
  const { node } = lossOf(
    'hvp',
    withVariables(replaced, () => call()),
    false,
  )
  const products = jvpNodes(gradientOf(node, inputs), inputs, directions)
  return Object.fromEntries(variables.map(([path], i) => [path, fromNode(products[i] as Node)]))
}
