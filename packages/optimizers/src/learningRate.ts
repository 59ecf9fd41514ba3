import { mapTree, OpError, scalar, type Tensor } from '@tessella/tensor'
import { checkRate } from './checks.ts'
import type { Nothing, Transform } from './transform.ts'

/**
 * A rate as a function of the number of steps done, inside the graph: a float32 scalar, 0 at the first step, exact up to
 * 2^24 steps.
 */
export type Schedule = (step: Tensor<[], 'float32'>) => Tensor<[], 'float32'>

/** A constant rate, or one that follows the steps. */
export type Rate = number | Schedule

/** State of a transform that counts its steps. */
export type Count = { readonly count: Tensor<[], 'float32'> }

export const zeroCount = (): Count => ({ count: scalar(0) })
export const nextCount = ({ count }: Count): Count => ({ count: count.add(1) })

/** A rate comes first and bare: `adam(1e-3)`, not `adam({ lr: 1e-3 })`. */
export function checkRateOrSchedule(op: string, rate: Rate): void {
  if (typeof rate === 'function') return
  if (typeof rate !== 'number')
    throw new OpError(op, `the rate must be a number or a schedule, got ${rate === null ? 'null' : typeof rate}`, {
      hint: 'The rate comes first, options after it: adam(1e-3, { beta1: 0.9 }).',
    })
  checkRate(op, 'the rate', rate)
}

const scaleBy = (rate: number): Transform<Nothing> => ({
  init: () => [],
  update: (grads, state) => [mapTree(grads, (g) => g.mul(-rate)), state],
})

const scaleBySchedule = (schedule: Schedule): Transform<Count> => ({
  init: zeroCount,
  update(grads, state) {
    const factor = schedule(state.count).neg()
    return [mapTree(grads, (g) => g.mul(factor)), nextCount(state)]
  },
})

/**
 * update = -rate * gradient: the last transform of every optimizer.
 * A schedule is evaluated in the graph, so a compiled step follows it without recompiling.
 */
export function scaleByLearningRate(rate: number): Transform<Nothing>
export function scaleByLearningRate(rate: Schedule): Transform<Count>
export function scaleByLearningRate(rate: Rate): Transform
export function scaleByLearningRate(rate: Rate): Transform {
  checkRateOrSchedule('scaleByLearningRate', rate)
  if (typeof rate !== 'number') return scaleBySchedule(rate)
  return scaleBy(rate)
}
