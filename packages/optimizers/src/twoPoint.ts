import { checkOptions, namedVariables, OpError, type Tensor, Variable, withVariables } from '@tessella/tensor'
import { checkDecay, checkRate } from './checks.ts'
import { globalNorm } from './clip.ts'
import type { Optimizer } from './optimizer.ts'

/** Loss and gradients by the parameters' names at the weights as they are: `() => valueAndGrad(loss, model)`. */
export type Evaluate = () => readonly [loss: Tensor, grads: Readonly<Record<string, Tensor>>]

/** An optimizer that asks for the gradient at a point of its own choice; it may run inside `compile`. */
export interface TwoPoint {
  /** One step; the loss where the gradient was taken (for `sam` at the weights themselves). */
  step(evaluate: Evaluate): Tensor
  /** Variables of its own: for checkpoints. */
  readonly state: unknown
}

function trained(op: string, model: unknown): readonly (readonly [string, Variable])[] {
  const found = Object.entries(namedVariables(model, { trainable: true }))
  if (found.length === 0)
    throw new OpError(op, 'found no trainable Variables', { hint: 'Pass the model, or an array of Variables.' })
  return found
}

function gradientOf(op: string, grads: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const g = grads[name]
  if (g === undefined)
    throw new OpError(op, `no gradient for '${name}'`, { hint: 'Evaluate valueAndGrad for the same model.' })
  return g
}

export interface NagOptions {
  readonly rate: number
  /** Weight of the past velocity. Default 0.9. */
  readonly momentum?: number
}

/**
 * Nesterov's accelerated gradient as the lectures have it, with the gradient taken at the point looked ahead to:
 * v = m v + (1 - m) dQ(w - rate m v); w -= rate v. `nesterov` is the usual form, whose parameters are the points looked
 * at, with the rate multiplied by 1 - m.
 * @example
 * const opt = nag(model, { rate: 0.1 })
 * const step = compile((x, y) => opt.step(() => valueAndGrad(() => loss(x, y), model)))
 */
export function nag(model: unknown, options: NagOptions): TwoPoint {
  checkOptions('nag', options, ['rate', 'momentum'])
  const { rate, momentum = 0.9 } = options
  checkRate('nag', 'the rate', rate)
  checkDecay('nag', 'the momentum', momentum)
  const cells = trained('nag', model)
  const state = Object.fromEntries(
    cells.map(([name, v]) => [name, new Variable(v.value.mul(0).cast(v.dtype) as Tensor, { trainable: false, name })]),
  )
  const velocityOf = (name: string): Variable => state[name] as Variable
  return {
    state,
    step(evaluate) {
      const ahead = cells.map(([name, v]): [Variable, Tensor] => [
        v,
        v.value.sub(velocityOf(name).value.mul(rate * momentum)).cast(v.dtype) as Tensor,
      ])
      const [loss, grads] = withVariables(new Map(ahead), evaluate)
      for (const [name, v] of cells) {
        const velocity = velocityOf(name)
        const g = gradientOf('nag', grads, name)
        const next = velocity.value.mul(momentum).add(g.mul(1 - momentum)) as Tensor
        velocity.assign(next.cast(v.dtype) as Tensor)
        v.assign(v.value.sub(next.mul(rate)).cast(v.dtype) as Tensor)
      }
      return loss
    },
  }
}

export interface SamOptions {
  /** How far to climb, in the norm over all parameters. Default 0.05. */
  readonly rho?: number
}

/**
 * Sharpness-aware minimisation (Foret et al., 2021): climbs to w + rho g / |g| and gives the gradient found there to the
 * optimizer, so that flat minima are preferred. Two evaluations a step; Variables that `evaluate` assigns (running statistics)
 * move twice.
 * @example
 * const opt = sam(model, optimizer(sgd(0.1), model))
 * const step = compile((x, y) => opt.step(() => valueAndGrad(() => loss(x, y), model)))
 */
export function sam(model: unknown, optimizer: Optimizer, options: SamOptions = {}): TwoPoint {
  checkOptions('sam', options, ['rho'])
  const { rho = 0.05 } = options
  checkRate('sam', 'rho', rho)
  const cells = trained('sam', model)
  return {
    state: optimizer.state,
    step(evaluate) {
      const [loss, grads] = evaluate()
      const mine = cells.map(([name]) => gradientOf('sam', grads, name))
      // Nowhere to climb where the gradient is 0.
      const scale = globalNorm(mine).clip(1e-12).reciprocal().mul(rho)
      const climbed = cells.map(([, v], i): [Variable, Tensor] => [
        v,
        v.value.add((mine[i] as Tensor).mul(scale)).cast(v.dtype) as Tensor,
      ])
      const [, there] = withVariables(new Map(climbed), evaluate)
      optimizer.update(there)
      return loss
    },
  }
}
