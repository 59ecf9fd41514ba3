import { mapTree, OpError, scalar, type Tensor } from '@tessella/tensor'
import type { Transform } from './transform.ts'

/** A rate as a function of the number of steps done (float32 scalar, 0 at the first step), inside the graph. */
export type Schedule = (step: Tensor<readonly [], 'float32'>) => Tensor<readonly [], 'float32'>

/** State of a transform that counts its steps. */
export type Count = { readonly count: Tensor<readonly [], 'float32'> }

export const zeroCount = (): Count => ({ count: scalar(0, 'float32') })
export const nextCount = ({ count }: Count): Count => ({ count: count.add(1) as Tensor<readonly [], 'float32'> })

/** Throws unless `value` is a finite number >= 0. */
export function checkRate(name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) throw new OpError(name, `must be a finite number >= 0, got ${value}`)
}

/**
 * update = -rate * gradient: the last transform of every optimizer.
 * A schedule is evaluated in the graph, so a compiled step follows it without recompiling.
 */
export function scaleByLearningRate(rate: number | Schedule): Transform<Count | undefined> {
  if (typeof rate === 'number') {
    checkRate('learningRate', rate)
    return { init: () => undefined, update: (grads, state) => [mapTree(grads, (g) => g.mul(-rate) as Tensor), state] }
  }
  return {
    init: zeroCount,
    update(grads, state, _params) {
      const now = state ?? zeroCount()
      const factor = rate(now.count).neg()
      return [mapTree(grads, (g) => g.mul(factor) as Tensor), nextCount(now)]
    },
  }
}
