import { full, mapTree, type Tensor, type Tree } from '@tessella/tensor'
import { zipTrees } from './trees.ts'

/** The state of a transform that remembers nothing. */
export type Nothing = readonly []

/**
 * A pure gradient transform. `update` maps gradients to updates, which are added to the parameters; transforms
 * compose with {@link chain}. Gradients, updates and parameters are trees of one structure; the state `S` is any tree
 * of tensors that keeps its structure from step to step.
 */
export interface Transform<S = Tree> {
  /** The state before the first step. */
  init(params: Tree): S
  /** Updates and the next state. Throws `OpError` when a gradient does not have its parameter's shape. */
  update<P extends Tree>(grads: P, state: S, params: P): readonly [updates: P, state: S]
}

type StatesOf<T extends readonly Transform[]> = {
  -readonly [I in keyof T]: T[I] extends Transform<infer S> ? S : never
}

/** A transform that remembers nothing. */
export function stateless(fn: (grad: Tensor, param: Tensor) => Tensor): Transform<Nothing> {
  return {
    init: () => [],
    update: (grads, state, params) => [zipTrees(fn, grads, params), state],
  }
}

/** The transform that changes nothing. */
export const identity = (): Transform<Nothing> => stateless((g) => g)

/**
 * Transforms one after the other; the state is the list of their states.
 *
 * @example
 * const adamWithClipping = chain(clipByGlobalNorm(1), scaleByAdam(), scaleByLearningRate(1e-3))
 */
export function chain<const T extends readonly Transform[]>(...transforms: T): Transform<StatesOf<T>> {
  return {
    init: (params) => transforms.map((t) => t.init(params)) as StatesOf<T>,
    update(grads, state, params) {
      const states = state as readonly Tree[]
      let updates = grads
      const next = transforms.map((t, i) => {
        const [u, s] = t.update(updates, states[i] ?? [], params)
        updates = u
        return s
      })
      return [updates, next as StatesOf<T>]
    },
  }
}

/** The parameters with the updates added, in the parameters' dtypes. */
export function applyUpdates<P extends Tree>(params: P, updates: P): P {
  return zipTrees((p, u) => p.add(u).cast(p.dtype), params, updates)
}

/** A tree like `params` with one value everywhere, in the dtype that its elements compute in. */
export const filled = (params: Tree, value: number): Tree =>
  mapTree(params, (p) => full(p.shape, value, p.dtype === 'float64' ? 'float64' : 'float32'))
