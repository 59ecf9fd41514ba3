import { isTensor, leaves, mapLeaves, OpError, type Tensor, type Tree } from '@tessella/tensor'
import type { Transform } from './transform.ts'

type Flat = Readonly<Record<string, Tensor>>

/** The state of every group's transform, by the group's name. */
export type GroupStates<T extends Readonly<Record<string, Transform>>> = {
  readonly [K in keyof T]: T[K] extends Transform<infer S> ? S : never
}

/** The tensors of a tree whose paths belong to a group, by path. */
const partOf = (tree: Tree, belongs: (path: string) => boolean): Flat =>
  Object.fromEntries(leaves(tree).flatMap(({ path, value }) => (belongs(path) ? [[path, value as Tensor]] : [])))

/**
 * Parameter groups: every parameter goes through the transform of its group, which `choose` names by the parameter's name.
 * What works on whole trees, such as clipping by the global norm, sees one group.
 * @throws OpError when `choose` names a group that there is not
 * @example
 * const transform = groups((name) => (name.endsWith('bias') ? 'free' : 'decayed'), {
 *   decayed: adamw(1e-3, { weightDecay: 0.05 }),
 *   free: adam(1e-3),
 * })
 */
export function groups<const T extends Readonly<Record<string, Transform>>>(
  choose: (name: string) => keyof T & string,
  transforms: T,
): Transform<GroupStates<T>> {
  const checked = (path: string): string => {
    const name = choose(path)
    if (!Object.hasOwn(transforms, name))
      throw new OpError('groups', `'${path}' belongs to a group '${name}' that there is not`, {
        hint: `Groups are ${Object.keys(transforms).join(', ')}.`,
      })
    return name
  }
  const entries = Object.entries<Transform>(transforms)
  return {
    init(params) {
      for (const { path } of leaves(params)) checked(path)
      const states = entries.map(([name, t]) => [name, t.init(partOf(params, (path) => checked(path) === name))])
      return Object.fromEntries(states) as GroupStates<T>
    },
    update<P extends Tree>(grads: P, state: GroupStates<T>, params: P) {
      const updated = new Map<string, Tensor>()
      const states = entries.map(([name, t]) => {
        const mine = (path: string): boolean => checked(path) === name
        const [updates, next] = t.update<Flat>(partOf(grads, mine), state[name] as Tree, partOf(params, mine))
        for (const [path, u] of Object.entries(updates)) updated.set(path, u)
        return [name, next]
      })
      const joined = mapLeaves(grads, (leaf, path) => (isTensor(leaf) ? updated.get(path) : leaf)) as P
      return [joined, Object.fromEntries(states) as GroupStates<T>]
    },
  }
}
