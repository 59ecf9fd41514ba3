import { mapTree, type Tensor, type Tree } from '@tessella/tensor'
import { zipTrees } from './trees.ts'

/** What a transform remembers between steps: tensors in arrays and plain objects, or nothing. */
export type State = Tree | undefined

/**
 * A pure gradient transform. `update` maps gradients to updates, which are added to the parameters; transforms
 * compose with {@link chain}. Every tree has the structure of the parameters.
 */
export interface Transform<S extends State = State> {
  /** The state before the first step. */
  init(params: Tree): S
  /** Updates and the next state. Throws `OpError` when a gradient does not have its parameter's shape. */
  update<P extends Tree>(grads: P, state: S, params: P): readonly [updates: P, state: S]
}

type StatesOf<T extends readonly Transform[]> = {
  -readonly [I in keyof T]: T[I] extends Transform<infer S> ? S : never
}

/** A transform that remembers nothing. */
export function stateless(fn: (grad: Tensor, param: Tensor) => Tensor): Transform<undefined> {
  return {
    init: () => undefined,
    update: (grads, state, params) => [zipTrees([grads, params], ([g, p]) => fn(g, p)), state],
  }
}

/** The transform that changes nothing. */
export const identity = (): Transform<undefined> => stateless((g) => g)

/**
 * Transforms one after the other; the state is the list of their states.
 *
 * @example
 * const adamWithClipping = chain(clipByGlobalNorm(1), scaleByAdam(), scaleByLearningRate(1e-3))
 */
export function chain<const T extends readonly Transform[]>(...transforms: T): Transform<StatesOf<T> & Tree> {
  return {
    init: (params) => transforms.map((t) => t.init(params) ?? []) as StatesOf<T> & Tree,
    update(grads, state, params) {
      const states = state as readonly State[]
      const next: State[] = []
      let updates = grads
      for (const [i, t] of transforms.entries()) {
        const [u, s] = t.update(updates, states[i], params)
        updates = u
        next.push(s ?? [])
      }
      return [updates, next as StatesOf<T> & Tree]
    },
  }
}

/** The parameters with the updates added. */
export function applyUpdates<P extends Tree>(params: P, updates: P): P {
  return zipTrees([params, updates], ([p, u]) => p.add(u) as Tensor)
}

/** Zeros with the structure of `params`. */
export const zerosFor = (params: Tree): Tree => mapTree(params, (p) => p.mul(0) as Tensor)
