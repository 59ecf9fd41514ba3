import { isTensor, OpError, type Tensor, type Tree, type Variable } from '@tessella/tensor'
import type { Nothing, Transform } from './transform.ts'

const multiplied = (tensor: Tensor, mask: Variable, name: string): Tensor => {
  if (mask.shape.join() !== tensor.shape.join())
    throw new OpError('maskUpdates', `the mask of '${name}' has another shape`, { shapes: [tensor.shape, mask.shape] })
  return tensor.mul(mask.value.cast(tensor.dtype) as Tensor) as Tensor
}

/**
 * Leaves the parameters alone where a mask is 0: both as the first transform of a chain, where it keeps moments at 0, and as
 * the last, where it stops what comes from elsewhere (weight decay does nothing to a weight of 0). The masks are Variables by
 * the parameters' names, such as those of `pruning` in the regularizers; parameters without one are trained whole.
 * @example optimizer(chain(maskUpdates(kept.masks), adam(1e-3)), model)
 */
export function maskUpdates(masks: Readonly<Record<string, Variable>>): Transform<Nothing> {
  return {
    init(params) {
      const names = typeof params === 'object' && !isTensor(params) ? Object.keys(params) : []
      const unknown = Object.keys(masks).filter((name) => !names.includes(name))
      if (unknown.length > 0)
        throw new OpError('maskUpdates', `there is no parameter '${unknown.join("', '")}'`, {
          hint: 'Masks come by the names that namedVariables(model) gives.',
        })
      return []
    },
    update<P extends Tree>(grads: P, state: Nothing) {
      const entries = Object.entries(grads as Readonly<Record<string, Tensor>>)
      const masked = entries.map(([name, g]) => {
        const mask = masks[name]
        return [name, mask === undefined ? g : multiplied(g, mask, name)] as const
      })
      return [Object.fromEntries(masked) as unknown as P, state]
    },
  }
}
