import { isFloat, type Node, OpError } from '@tessella/ir'
import { isTensor, nodeOf, type Shape, type ShowShape, type Tensor } from '@tessella/tensor'
import { asyncError, isPromise } from './treeNodes.ts'

/** A demand on top of a function's type: that it returns a scalar, as far as its shape is known. */
export type ScalarLoss<L> = [L] extends [{ readonly shape: infer S extends Shape }]
  ? number extends S['length']
    ? unknown
    : S extends readonly []
      ? unknown
      : `grad: the loss must be a scalar, got shape ${ShowShape<S>}; reduce it with mean() or sum()`
  : unknown

const describe = (x: unknown): string =>
  x === undefined ? 'nothing' : x === null ? 'null' : Array.isArray(x) ? 'an array' : `a ${typeof x}`

/** The loss in a function's result, and what came with it. Throws `OpError` when it is not a floating scalar. */
export function lossOf<L extends Tensor, X>(
  op: string,
  result: L | readonly [L, X],
  hasAux: boolean,
): { readonly loss: L; readonly node: Node; readonly aux: X | undefined } {
  if (isPromise(result)) throw asyncError(op)
  if (hasAux && !(Array.isArray(result) && result.length === 2))
    throw new OpError(op, `with hasAux the function must return [loss, aux], got ${describe(result)}`)
  const [loss, aux] = hasAux ? (result as readonly [L, X]) : [result as L, undefined]
  if (!isTensor(loss))
    throw new OpError(op, `the function must return a scalar tensor, got ${describe(loss)}`, {
      hint: Array.isArray(result)
        ? 'For results beside the loss return [loss, aux] and pass { hasAux: true }.'
        : 'Return the loss.',
    })
  const node = nodeOf(loss)
  if (node.shape.length !== 0)
    throw new OpError(op, 'the loss must be a scalar', {
      shapes: [node.shape],
      hint: 'Reduce it with .mean() or .sum(); for derivatives of several outputs use vjp or jacobian.',
    })
  if (!isFloat(node.dtype))
    throw new OpError(op, `the loss must be floating, got ${node.dtype}`, {
      dtypes: [node.dtype],
      hint: "Integers have no derivative: compute it in float32, x.cast('float32').",
    })
  return { loss, node, aux }
}
