import {
  flattenTree,
  leaves,
  mapLeaves,
  namedVariables,
  OpError,
  type Tensor,
  type Tree,
  Variable,
} from '@tessella/tensor'
import { applyUpdates, type Transform } from './transform.ts'
import { zipTrees } from './trees.ts'

/** A transform bound to the trainable Variables of a model. */
export interface Optimizer {
  /** One step: assigns the parameters and the state. Gradients come by the parameters' names. */
  update(grads: Readonly<Record<string, Tensor>>): void
  /** The transform's state with a Variable in place of each tensor: for checkpoints. */
  readonly state: unknown
}

/** A nesting of Variables with their values in place. */
const valuesOf = (cells: unknown): Tree => mapLeaves(cells, (cell) => (cell as Variable).value) as Tree

/**
 * Keeps a transform's state in Variables and applies it to a model's trainable Variables.
 * Works on anything that holds Variables: a model, an array, an object.
 *
 * @throws OpError when there is nothing to train, or `update` gets no gradient for a parameter
 * @example
 * const w = new Variable(zeros([2]))
 * const opt = optimizer(adam(0.1), { w })
 * const [loss, grads] = valueAndGrad(() => rosenbrock(w.value), { w })
 * opt.update(grads)
 */
export function optimizer(transform: Transform, model: unknown): Optimizer {
  const params = namedVariables(model, { trainable: true })
  const entries = Object.entries(params)
  if (entries.length === 0)
    throw new OpError('optimizer', 'found no trainable Variables', {
      hint: 'Pass the model, or an object or array of Variables.',
    })
  const values = (): Record<string, Tensor> => Object.fromEntries(entries.map(([name, v]) => [name, v.value]))
  const state = mapLeaves(transform.init(values()), (t) => new Variable(t as Tensor, { trainable: false }))
  const cells = leaves(state).map(({ value }) => value as Variable)
  return {
    state,
    update(grads) {
      if (typeof grads !== 'object' || grads === null)
        throw new OpError('optimizer', `update takes the gradients, got ${grads === null ? 'null' : typeof grads}`, {
          hint: 'Write opt.update(grads) with the second result of valueAndGrad.',
        })
      const missing = entries.map(([name]) => name).filter((name) => !(name in grads))
      if (missing.length > 0)
        throw new OpError('optimizer', `no gradient for '${missing.join("', '")}'`, {
          hint: 'Pass the gradients that valueAndGrad gives for the same model.',
        })
      const now = values()
      const before = valuesOf(state)
      const ordered = Object.fromEntries(entries.map(([name]) => [name, grads[name] as Tensor]))
      const [updates, after] = transform.update(ordered, before, now)
      const next = applyUpdates(now, updates)
      // Zipped, because a transform may name the parts of its state in another order.
      const states = flattenTree(zipTrees((_, t) => t, before, after))
      for (const [name, v] of entries) v.assign(next[name] as Tensor)
      for (const [i, cell] of cells.entries()) cell.assign(states[i] as Tensor)
    },
  }
}
