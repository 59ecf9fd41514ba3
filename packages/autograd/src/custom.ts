import { type CustomVjp, idMark, make, type Node, OpError } from '@tessella/ir'
import { fromNode, isTensor, nodeOf, type Tensor } from '@tessella/tensor'
import { rematerialized } from './remat.ts'
import { asyncError, isPromise, tensorNodes, treeLike } from './treeNodes.ts'

/** Gradients by the inputs: of their shapes, `undefined` for none. Built from tensors, so it can be differentiated. */
export type GradRule<A extends readonly Tensor[], R extends Tensor> = (
  inputs: A,
  output: R,
  grad: R,
) => { readonly [K in keyof A]: A[K] | undefined }

/**
 * A function with a gradient of your own. The rule's gradients go to the inputs; what `f` does inside, and
 * what it closes over, is not differentiated.
 *
 * @param f from tensors to one tensor
 * @param rule from the inputs, the output and its gradient to one gradient per input, or `undefined` for none
 * @example
 * const clipGradient = customVjp((x: Tensor<[3]>) => x, (_, __, g) => [g.clip(-1, 1)])
 */
export function customVjp<A extends readonly Tensor[], R extends Tensor>(
  f: (...inputs: A) => R,
  rule: GradRule<A, R>,
): (...inputs: A) => R {
  const vjp: CustomVjp = (inputs, output, grad) => {
    const given = inputs.map((x) => fromNode(x)) as unknown as A
    const grads = rule(given, fromNode(output) as unknown as R, fromNode(grad) as unknown as R)
    if (!Array.isArray(grads) || grads.length !== inputs.length)
      throw new OpError('customVjp', `the rule must answer ${inputs.length} gradients, one per input`, {
        hint: 'Use undefined for an input without a gradient.',
      })
    return grads.map((g: Tensor | undefined) => (g === undefined ? undefined : nodeOf(g)))
  }
  return (...inputs) => {
    const nodes = inputs.map(nodeOf)
    const result = f(...inputs)
    if (isPromise(result)) throw asyncError('customVjp')
    if (!isTensor(result))
      throw new OpError('customVjp', 'the function must return one tensor', {
        hint: 'Wrap each result in a customVjp of its own.',
      })
    const sources: readonly [Node, ...Node[]] = [nodeOf(result), ...nodes]
    return fromNode(make('custom', sources, { name: f.name || 'custom', vjp })) as unknown as R
  }
}

/**
 * A function whose intermediate values are computed again for the gradient instead of kept: less memory for more time.
 * Gradients reach the arguments and everything the function closes over, Variables included.
 * Results are the same to the bit; random numbers too, since they come from keys.
 *
 * @example
 * const block = checkpoint((x: Tensor) => relu(conv(x)).add(x))
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const mark = idMark()
    const result = f(...args)
    if (isPromise(result)) throw asyncError('checkpoint')
    return treeLike(result, rematerialized(tensorNodes(result), mark))
  }
}
