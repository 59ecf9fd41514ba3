import { OpError, scalar, type Tensor, type Tree, where } from '@tessella/tensor'
import { type Count, nextCount, zeroCount } from './learningRate.ts'
import { type Transform, zerosFor } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface MomentumOptions {
  /** v = momentum * v + (1 - dampening) * g, but v = g at the first step. Default 0. */
  readonly dampening?: number
  /** Update by g + momentum * v instead of v (Nesterov's method as PyTorch writes it). Default false. */
  readonly nesterov?: boolean
}

export type MomentumState = Count & { readonly velocity: Tree }

/**
 * Heavy-ball momentum in PyTorch's form: v = m v + (1 - dampening) g, v = g at the first step; the update is v,
 * or g + m v with Nesterov (Sutskever et al., 2013).
 */
export function trace(momentum: number, options: MomentumOptions = {}): Transform<MomentumState> {
  const { dampening = 0, nesterov = false } = options
  if (!(momentum >= 0 && momentum <= 1)) throw new OpError('momentum', `must be between 0 and 1, got ${momentum}`)
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw new OpError('nesterov', 'needs a momentum above 0 and no dampening', {
      hint: 'Set momentum: 0.9 and leave dampening out.',
    })
  return {
    init: (params) => ({ ...zeroCount(), velocity: zerosFor(params) }),
    update(grads, state, _params) {
      // Velocity starts at zero, so only a dampened first step needs care.
      const factor = dampening === 0 ? scalar(1) : where(state.count.eq(0), scalar(1), scalar(1 - dampening))
      const velocity = zipTrees([grads, state.velocity], ([g, v]) => v.mul(momentum).add(g.mul(factor)) as Tensor)
      const updates = nesterov ? zipTrees([grads, velocity], ([g, v]) => g.add(v.mul(momentum)) as Tensor) : velocity
      return [updates, { ...nextCount(state), velocity }]
    },
  }
}

/**
 * The lectures' momentum, a moving average: v = m v + (1 - m) g; the update is v.
 * The same path as {@link trace} with the rate divided by 1 - m.
 */
export function emaMomentum(momentum: number): Transform<{ readonly velocity: Tree }> {
  if (!(momentum >= 0 && momentum < 1)) throw new OpError('momentum', `must be at least 0 and below 1, got ${momentum}`)
  return {
    init: (params) => ({ velocity: zerosFor(params) }),
    update(grads, state, _params) {
      const velocity = zipTrees([grads, state.velocity], ([g, v]) => v.mul(momentum).add(g.mul(1 - momentum)) as Tensor)
      return [velocity, { velocity }]
    },
  }
}
