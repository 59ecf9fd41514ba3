import { mapTree, type Tensor, type Tree } from '@tessella/tensor'
import { checkDecay } from './adam.ts'
import { checkRate } from './learningRate.ts'
import { type Transform, zerosFor } from './transform.ts'
import { zipTrees } from './trees.ts'

export interface RmsOptions {
  /** Decay of the moving average of squares. Default 0.99. */
  readonly alpha?: number
  /** Added to the root. Default 1e-8. */
  readonly eps?: number
  /** Subtract the squared moving average: divide by the deviation. Default false. */
  readonly centered?: boolean
}

/** v = a v + (1 - a) g^2; update = g / (sqrt(v) + eps) (Hinton's RMSProp, PyTorch's form). */
export function scaleByRms(options: RmsOptions = {}): Transform<{ readonly square: Tree; readonly mean: Tree }> {
  const { alpha = 0.99, eps = 1e-8, centered = false } = options
  checkDecay('alpha', alpha)
  return {
    init: (params) => ({ square: zerosFor(params), mean: centered ? zerosFor(params) : [] }),
    update(grads, state, _params) {
      const square = zipTrees([grads, state.square], ([g, v]) => v.mul(alpha).add(g.mul(g).mul(1 - alpha)) as Tensor)
      const mean = centered
        ? zipTrees([grads, state.mean], ([g, m]) => m.mul(alpha).add(g.mul(1 - alpha)) as Tensor)
        : []
      const updates = centered
        ? zipTrees([grads, square, mean], ([g, v, m]) => g.div(v.sub(m.mul(m)).sqrt().add(eps)) as Tensor)
        : zipTrees([grads, square], ([g, v]) => g.div(v.sqrt().add(eps)) as Tensor)
      return [updates, { square, mean }]
    },
  }
}

export interface AdagradOptions {
  /** Start of the sum of squares. Default 0. */
  readonly initialAccumulator?: number
  /** Added to the root. Default 1e-10. */
  readonly eps?: number
}

/** s = s + g^2; update = g / (sqrt(s) + eps) (Duchi et al., 2011). */
export function scaleByAdagrad(options: AdagradOptions = {}): Transform<{ readonly sum: Tree }> {
  const { initialAccumulator = 0, eps = 1e-10 } = options
  checkRate('initialAccumulator', initialAccumulator)
  return {
    init: (params) => ({ sum: mapTree(zerosFor(params), (z) => z.add(initialAccumulator) as Tensor) }),
    update(grads, state, _params) {
      const sum = zipTrees([grads, state.sum], ([g, s]) => s.add(g.mul(g)) as Tensor)
      return [zipTrees([grads, sum], ([g, s]) => g.div(s.sqrt().add(eps)) as Tensor), { sum }]
    },
  }
}

export interface AdadeltaOptions {
  /** Decay of both moving averages. Default 0.9. */
  readonly rho?: number
  /** Under both roots. Default 1e-6. */
  readonly eps?: number
}

/**
 * v = r v + (1 - r) g^2; d = g sqrt(D + eps) / sqrt(v + eps); D = r D + (1 - r) d^2; update = d (Zeiler, 2012).
 */
export function scaleByAdadelta(
  options: AdadeltaOptions = {},
): Transform<{ readonly square: Tree; readonly delta: Tree }> {
  const { rho = 0.9, eps = 1e-6 } = options
  checkDecay('rho', rho)
  return {
    init: (params) => ({ square: zerosFor(params), delta: zerosFor(params) }),
    update(grads, state, _params) {
      const square = zipTrees([grads, state.square], ([g, v]) => v.mul(rho).add(g.mul(g).mul(1 - rho)) as Tensor)
      const updates = zipTrees(
        [grads, square, state.delta],
        ([g, v, d]) => g.mul(d.add(eps).sqrt()).div(v.add(eps).sqrt()) as Tensor,
      )
      const delta = zipTrees([updates, state.delta], ([u, d]) => d.mul(rho).add(u.mul(u).mul(1 - rho)) as Tensor)
      return [updates, { square, delta }]
    },
  }
}
