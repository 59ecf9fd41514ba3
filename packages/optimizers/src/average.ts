import { checkOptions, maximum, type Tree } from '@tessella/tensor'
import { checkRate } from './checks.ts'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { applyUpdates, filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

/**
 * Keeps the mean of the parameters over the steps after `start` in its state, as `average`, and changes nothing (Polyak
 * and Juditsky, 1992). Up to `start` it is the parameters themselves. Place it last.
 */
export function trackAverage(options: { readonly start?: number } = {}): Transform<Count & { readonly average: Tree }> {
  checkOptions('trackAverage', options, ['start'])
  const { start = 0 } = options
  checkRate('trackAverage', 'start', start)
  return {
    init: (params) => ({ ...zeroCount(), average: zipTrees((zero, p) => zero.add(p), filled(params, 0), params) }),
    update(updates, state, params) {
      const { count } = nextCount(state)
      const weight = maximum(count.sub(start), 1).reciprocal()
      const average = zipTrees((a, p) => a.add(p.sub(a).mul(weight)), state.average, applyUpdates(params, updates))
      return [updates, { count, average }]
    },
  }
}
