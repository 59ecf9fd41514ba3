import {
  flattenTree,
  isTensor,
  mapTree,
  namedVariables,
  OpError,
  type Tensor,
  type Tree,
  Variable,
} from '@tessella/tensor'
import { applyUpdates, type State, type Transform } from './transform.ts'

/** A transform bound to the trainable Variables of a model. */
export interface Optimizer {
  /** One step: assigns the parameters and the state. Gradients come by the parameters' names. */
  update(grads: Readonly<Record<string, Tensor>>): void
  /** The state's Variables, in the structure of the transform's state: for checkpoints. */
  readonly state: unknown
}

/** Rebuilds a tree with the values of `cells` in order. */
function valuesOf(structure: Tree, cells: readonly Variable[]): Tree {
  let next = 0
  return mapTree(structure, () => (cells[next++] as Variable).value)
}

/** The nesting of `tree` with Variables for its tensors. */
function cellsLike(tree: Tree, cells: readonly Variable[]): unknown {
  let next = 0
  const copy = (t: Tree): unknown => {
    if (isTensor(t)) return cells[next++]
    if (Array.isArray(t)) return t.map(copy)
    return Object.fromEntries(Object.entries(t).map(([k, v]) => [k, copy(v as Tree)]))
  }
  return copy(tree)
}

/**
 * Keeps a transform's state in Variables and applies it to a model's trainable Variables.
 * Works on anything that holds Variables: a model, an array, an object.
 *
 * @example
 * const w = new Variable(zeros([2]))
 * const opt = optimizer(adam(0.1), { w })
 * const [loss, grads] = valueAndGrad(() => rosenbrock(w.value), { w })
 * opt.update(grads)
 */
export function optimizer(transform: Transform, model: unknown): Optimizer {
  const params = namedVariables(model, { trainable: true })
  const names = Object.keys(params)
  if (names.length === 0)
    throw new OpError('optimizer', 'found no trainable Variables', {
      hint: 'Pass the model, or an object or array of Variables.',
    })
  const values = (): Record<string, Tensor> => Object.fromEntries(names.map((n) => [n, (params[n] as Variable).value]))
  const initial: State = transform.init(values())
  const structure: Tree = initial ?? []
  const cells = flattenTree(structure).map((t) => new Variable(t, { trainable: false }))
  return {
    state: cellsLike(structure, cells),
    update(grads) {
      const missing = names.filter((n) => !(n in grads))
      if (missing.length > 0)
        throw new OpError('optimizer', `no gradient for '${missing.join("', '")}'`, {
          hint: 'Pass the gradients that valueAndGrad gives for the same model.',
        })
      const now = values()
      const ordered = Object.fromEntries(names.map((n) => [n, grads[n] as Tensor]))
      const [updates, state] = transform.update(ordered, valuesOf(structure, cells), now)
      const next = applyUpdates(now, updates)
      for (const n of names) (params[n] as Variable).assign(next[n] as Tensor)
      for (const [i, t] of flattenTree(state ?? []).entries()) (cells[i] as Variable).assign(t)
    },
  }
}
