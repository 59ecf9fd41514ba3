import { checkRate } from './checks.ts'
import { identity, type Nothing, stateless, type Transform } from './transform.ts'

/** g + decay * w: the gradient of decay / 2 |w|^2, or decoupled decay when it comes after the scaling. */
export function addDecayedWeights(decay: number): Transform<Nothing> {
  checkRate('addDecayedWeights', 'the decay', decay)
  return decay === 0 ? identity() : stateless((g, p) => g.add(p.mul(decay)))
}
