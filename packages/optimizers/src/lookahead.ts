import { checkOptions, type Tensor, type Tree, where } from '@tessella/tensor'
import { checkPositiveInteger, checkRate } from './checks.ts'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { applyUpdates, filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface LookaheadOptions {
  /** Steps between two meetings. Default 5. */
  readonly every?: number
  /** How far the slow weights follow. Default 0.5. */
  readonly share?: number
}

/**
 * Lookahead (Zhang et al., 2019): `transform` runs ahead for `every` steps; then slow weights follow a share of the way,
 * s += share (w - s), and the fast ones go on from there. A whole optimizer goes inside.
 * @example optimizer(lookahead(adam(1e-3)), model)
 */
export function lookahead<S>(
  transform: Transform<S>,
  options: LookaheadOptions = {},
): Transform<Count & { readonly slow: Tree; readonly inner: S }> {
  checkOptions('lookahead', options, ['every', 'share'])
  const { every = 5, share = 0.5 } = options
  checkPositiveInteger('lookahead', 'every', every)
  checkRate('lookahead', 'share', share)
  return {
    init: (params) => ({
      ...zeroCount(),
      slow: zipTrees((zero, p) => zero.add(p), filled(params, 0), params),
      inner: transform.init(params),
    }),
    update(grads, state, params) {
      const { count } = nextCount(state)
      const [updates, inner] = transform.update(grads, state.inner, params)
      const fast = applyUpdates(params, updates)
      const meets = count.div(every).floor().mul(every).eq(count) as Tensor
      const slow = zipTrees((s, f) => where(meets, s.add(f.sub(s).mul(share)), s) as Tensor, state.slow, fast)
      return [zipTrees((u, s, p) => where(meets, s.sub(p), u) as Tensor, updates, slow, params), { count, slow, inner }]
    },
  }
}
