import { checkOptions, type Tree } from '@tessella/tensor'
import { checkDecay } from './checks.ts'
import { movingAverage } from './momentum.ts'
import { filled, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface ScaleByLionOptions {
  /** Weight of the past in the direction. Default 0.9. */
  readonly beta1?: number
  /** Weight of the past in the moving average that is kept. Default 0.99. */
  readonly beta2?: number
}

/** update = sign(b1 m + (1 - b1) g), then m = b2 m + (1 - b2) g (Chen et al., 2023, "Symbolic discovery"). */
export function scaleByLion(options: ScaleByLionOptions = {}): Transform<{ readonly mean: Tree }> {
  checkOptions('scaleByLion', options, ['beta1', 'beta2'])
  const { beta1 = 0.9, beta2 = 0.99 } = options
  checkDecay('scaleByLion', 'beta1', beta1)
  checkDecay('scaleByLion', 'beta2', beta2)
  return {
    init: (params) => ({ mean: filled(params, 0) }),
    update: (grads, { mean }) => [
      zipTrees((g, m) => movingAverage(m, beta1, g).sign(), grads, mean),
      { mean: zipTrees((g, m) => movingAverage(m, beta2, g), grads, mean) },
    ],
  }
}
