import { checkOptions, OpError, type Tree, where } from '@tessella/tensor'
import { checkRate } from './checks.ts'
import { filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface RpropOptions {
  /** Factors of the step where the gradient turned, and where it kept its sign. Default [0.5, 1.2]. */
  readonly etas?: readonly [shrink: number, grow: number]
  /** Bounds of the step. Default [1e-6, 50]. */
  readonly stepSizes?: readonly [smallest: number, largest: number]
}

/**
 * Steps of their own for every parameter, from the gradient's sign alone (Riedmiller and Braun, 1993; PyTorch's form):
 * a step grows while the sign stays and shrinks, unused, where it turned. For full batches.
 */
export function scaleByRprop(
  initialStep: number,
  options: RpropOptions = {},
): Transform<{ readonly previous: Tree; readonly step: Tree }> {
  checkOptions('scaleByRprop', options, ['etas', 'stepSizes'])
  const { etas = [0.5, 1.2], stepSizes = [1e-6, 50] } = options
  const [shrink, grow] = etas
  const [smallest, largest] = stepSizes
  checkRate('scaleByRprop', 'the initial step', initialStep)
  if (!(shrink > 0 && shrink < 1 && grow > 1))
    throw new OpError('scaleByRprop', `etas must be below and above 1, got [${etas.join(', ')}]`)
  if (!(smallest >= 0 && smallest <= largest))
    throw new OpError('scaleByRprop', `stepSizes must be ascending and >= 0, got [${stepSizes.join(', ')}]`)
  return {
    init: (params) => ({ previous: filled(params, 0), step: filled(params, initialStep) }),
    update(grads, state) {
      const previous = zipTrees((g, p) => where(g.mul(p).lt(0), 0, g), grads, state.previous)
      const step = zipTrees(
        (s, g, p) => {
          const turn = g.mul(p)
          return s.mul(where(turn.gt(0), grow, where(turn.lt(0), shrink, 1))).clip(smallest, largest)
        },
        state.step,
        grads,
        state.previous,
      )
      return [zipTrees((g, s) => g.sign().mul(s), previous, step), { previous, step }]
    },
  }
}
