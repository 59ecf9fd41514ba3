import { scalar, type Tensor } from '@tessella/tensor'
import { checkStrength, type Selection, selected } from './parameters.ts'

type Scalar = Tensor<[], 'float32'>

/** The sum of a term over all elements of the selected parameters. */
function total(op: string, model: unknown, selection: Selection, term: (w: Tensor) => Tensor): Scalar {
  const sums = selected(op, model, selection).map((v): Tensor => term(v.value).sum())
  return sums.reduce((a, b) => a.add(b), scalar(0)) as Scalar
}

/**
 * Weight decay as a penalty: strength / 2 * |w|^2 over the weights; its gradient is strength * w.
 * The lectures' lambda / (2n) is `strength = lambda / n`.
 *
 * @example
 * const loss = crossEntropy(model(x), y).add(l2(model, 1e-4))
 */
export function l2(model: unknown, strength: number, selection: Selection = {}): Scalar {
  checkStrength('l2', strength)
  return total('l2', model, selection, (w) => w.square()).mul(strength / 2)
}

/** strength * |w|_1: drives weights to zero. */
export function l1(model: unknown, strength: number, selection: Selection = {}): Scalar {
  checkStrength('l1', strength)
  return total('l1', model, selection, (w) => w.abs()).mul(strength)
}

/** alpha * |w|_1 + beta * |w|_2^2 (no half: the lectures' form). */
export function elasticNet(model: unknown, alpha: number, beta: number, selection: Selection = {}): Scalar {
  checkStrength('elasticNet', alpha, beta)
  return total('elasticNet', model, selection, (w) => w.abs().mul(alpha).add(w.square().mul(beta)))
}
