import { type Tensor, type Tree, where } from '@tessella/tensor'
import { checkPositiveInteger } from './checks.ts'
import { type Count, zeroCount } from './learningRate.ts'
import { filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

/**
 * Gathers gradients: `transform` sees the mean of every `count` of them and rests between, so that batches of a size that
 * does not fit in memory are trained on in parts. Its schedules count real steps.
 * @example optimizer(accumulate(adam(1e-3), 4), model)
 */
export function accumulate<S>(
  transform: Transform<S>,
  count: number,
): Transform<Count & { readonly sum: Tree; readonly inner: S }> {
  checkPositiveInteger('accumulate', 'count', count)
  return {
    init: (params) => ({ ...zeroCount(), sum: filled(params, 0), inner: transform.init(params) }),
    update(grads, state, params) {
      const seen = state.count.add(1)
      const due = seen.ge(count) as Tensor
      const sum = zipTrees((g, s) => s.add(g), grads, state.sum)
      const [updates, inner] = transform.update(
        zipTrees((s) => s.div(count), sum),
        state.inner,
        params,
      )
      const rest = (then: Tensor, otherwise: Tensor): Tensor => where(due, then, otherwise) as Tensor
      return [
        zipTrees((u) => rest(u, u.mul(0) as Tensor), updates),
        {
          count: where(due, 0, seen) as typeof seen,
          sum: zipTrees((s) => rest(s.mul(0) as Tensor, s), sum),
          inner: zipTrees((old, now) => rest(now, old), state.inner as Tree, inner as Tree) as S,
        },
      ]
    },
  }
}
