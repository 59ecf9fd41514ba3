import { checkOptions, OpError, type Tensor, type Tree, where } from '@tessella/tensor'
import { checkDecay } from './checks.ts'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { filled, type Nothing, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

/** decay * mean + (1 - decay) * x. */
export const movingAverage = (mean: Tensor, decay: number, x: Tensor): Tensor => mean.mul(decay).add(x.mul(1 - decay))

export interface MomentumOptions {
  /** v = momentum * v + (1 - dampening) * g, but v = g at the first step. Default 0. */
  readonly dampening?: number
  /** Update by g + momentum * v instead of v (Nesterov's method as PyTorch writes it). Default false. */
  readonly nesterov?: boolean
}

/** The steps count only where the first one differs: with dampening. */
export type MomentumState = { readonly velocity: Tree; readonly steps: Count | Nothing }

/**
 * Heavy-ball momentum in PyTorch's form: v = m v + (1 - dampening) g, v = g at the first step; the update is v,
 * or g + m v with Nesterov (Sutskever et al., 2013).
 */
export function trace(momentum: number, options: MomentumOptions = {}): Transform<MomentumState> {
  checkOptions('trace', options, ['dampening', 'nesterov'])
  const { dampening = 0, nesterov = false } = options
  if (!(momentum >= 0 && momentum <= 1))
    throw new OpError('trace', `the momentum must be between 0 and 1, got ${momentum}`)
  if (!Number.isFinite(dampening)) throw new OpError('trace', `dampening must be a finite number, got ${dampening}`)
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw new OpError('trace', 'nesterov needs a momentum above 0 and no dampening', {
      hint: 'Set momentum: 0.9 and leave dampening out.',
    })
  return {
    init: (params) => ({ velocity: filled(params, 0), steps: dampening === 0 ? [] : zeroCount() }),
    update(grads, { velocity: before, steps }) {
      // Velocity starts at zero, so only a dampened first step needs care.
      const share = 'count' in steps ? where(steps.count.eq(0), 1, 1 - dampening) : 1
      const velocity = zipTrees((g, v) => v.mul(momentum).add(g.mul(share)), grads, before)
      const updates = nesterov ? zipTrees((g, v) => g.add(v.mul(momentum)), grads, velocity) : velocity
      return [updates, { velocity, steps: 'count' in steps ? nextCount(steps) : steps }]
    },
  }
}

/**
 * The lectures' momentum, a moving average: v = m v + (1 - m) g; the update is v.
 * The same path as {@link trace} with the rate divided by 1 - m.
 */
export function emaMomentum(momentum: number): Transform<{ readonly velocity: Tree }> {
  checkDecay('emaMomentum', 'the momentum', momentum)
  return {
    init: (params) => ({ velocity: filled(params, 0) }),
    update(grads, state) {
      const velocity = zipTrees((g, v) => movingAverage(v, momentum, g), grads, state.velocity)
      return [velocity, { velocity }]
    },
  }
}
