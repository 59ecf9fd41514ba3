import { build, type Dims, type Node, OpError, sizeOf } from '@tessella/ir'
import { asTransform, type DTypeOf, fromNode, isTensor, type Shape, type ShapeOf, type Tensor } from '@tessella/tensor'
import { jvpNodes, vjpNodes } from './backward.ts'
import { lossOf, type ScalarLoss } from './loss.ts'
import { aliases, asyncError, floatNodes, isPromise } from './treeNodes.ts'
import { cotangentDtype } from './vjp.ts'
import { vmapNodes } from './vmapNodes.ts'

/** The shape of a matrix of derivatives: sizes of the values, then sizes of what moves. */
type Joined<R, X> = [...ShapeOf<R>, ...ShapeOf<X>] extends infer S extends Shape ? S : Shape

/** All one-hot values of a shape, one per lane. */
function basis(shape: Dims, dtype: 'float32' | 'float64'): Node {
  const n = sizeOf(shape)
  const square = [n, n]
  const one = build.binary('eq', build.iota(square, 0), build.iota(square, 1))
  return build.reshape(build.cast(one, dtype), [n, ...shape])
}

/** A value to trace one lane with. */
const lane = (x: Node): Node => build.alias(build.full(x.shape, 0, cotangentDtype(x)))

/** One sweep back per output element, all in one graph. */
function byRows(y: Node, x: Node): Node {
  const g = lane(y)
  const [row] = vjpNodes([y], [g], [x])
  const [rows] = vmapNodes([row as Node], [g], [basis(y.shape, cotangentDtype(y))], sizeOf(y.shape))
  return build.reshape(rows as Node, [...y.shape, ...x.shape])
}

/** One push forward per input element, all in one graph. */
function byColumns(y: Node, x: Node): Node {
  const t = lane(x)
  const [column] = jvpNodes([y], [x], [t])
  const [columns] = vmapNodes([column as Node], [t], [basis(x.shape, cotangentDtype(x))], sizeOf(x.shape))
  const back = [...y.shape.map((_, i) => i + 1), 0]
  return build.reshape(build.permute(columns as Node, back), [...y.shape, ...x.shape])
}

function watched(op: string, args: readonly unknown[], argnum: number): { x: Node; given: unknown[] } {
  const chosen = args[argnum]
  if (!isTensor(chosen))
    throw new OpError(op, `argument ${argnum} is not a tensor`, { hint: 'For trees of tensors use vjp or jvp.' })
  const [x] = aliases(floatNodes(op, `argument ${argnum}`, chosen)) as [Node]
  return { x, given: args.map((a, i) => (i === argnum ? fromNode(x) : a)) }
}

/**
 * All first derivatives of a function of tensors by one argument (default the first), as a function of the arguments.
 * Backward or forward mode, whichever needs fewer sweeps; the sweeps are lanes of one graph.
 *
 * @returns [...result.shape, ...argument.shape], of the argument's dtype
 * @example
 * const j = jacobian((x: Tensor<[3]>) => x.mul(x))(x) // [3, 3], diagonal 2x
 */
export function jacobian<A extends readonly unknown[], R extends Tensor, const N extends number = 0>(
  f: (...args: A) => R,
  argnum?: N,
): (...args: A) => Tensor<Joined<R, A[N]>, DTypeOf<A[N]>> {
  return (...args) => {
    const { x, given } = watched('jacobian', args, argnum ?? 0)
    const result = asTransform(() => f(...(given as unknown as A)))
    if (isPromise(result)) throw asyncError('jacobian')
    if (!isTensor(result)) throw new OpError('jacobian', 'the function must return one tensor')
    const [y] = floatNodes('jacobian', 'the result', result) as [Node]
    const matrix = sizeOf(y.shape) <= sizeOf(x.shape) ? byRows(y, x) : byColumns(y, x)
    return fromNode(build.cast(matrix, x.dtype))
  }
}

/**
 * All second derivatives of a scalar function by one argument (default the first), as a function of the arguments:
 * forward mode over the gradient, one lane per element.
 *
 * @returns [...argument.shape, ...argument.shape]
 * @example
 * const h = hessian((x: Tensor<[3]>) => x.pow(3).sum())(x) // [3, 3], diagonal 6x
 */
export function hessian<A extends readonly unknown[], L extends Tensor, const N extends number = 0>(
  f: ((...args: A) => L) & ScalarLoss<L>,
  argnum?: N,
): (...args: A) => Tensor<Joined<A[N], A[N]>, DTypeOf<A[N]>> {
  return (...args) => {
    const { x, given } = watched('hessian', args, argnum ?? 0)
    const { node } = lossOf(
      'hessian',
      asTransform(() => f(...(given as unknown as A))),
      false,
    )
    const [g] = vjpNodes([node], [build.constant(1, cotangentDtype(node))], [x])
    return fromNode(build.cast(byColumns(g as Node, x), x.dtype))
  }
}
