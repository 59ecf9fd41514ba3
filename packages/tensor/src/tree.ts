import { OpError } from '@tessella/ir'
import { isTensor, type Tensor } from './tensor.ts'
import { isVariable, type Variable } from './variable.ts'

/** Tensors, nested in arrays and plain objects. Everything else in it is carried along unchanged. */
export type Tree = Tensor | readonly Tree[] | { readonly [key: string]: Tree }

const isPlain = (x: object): boolean => {
  const proto: unknown = Object.getPrototypeOf(x)
  return proto === Object.prototype || proto === null
}

const join = (path: string, key: string | number): string => (path === '' ? String(key) : `${path}.${key}`)

/** The leaves of nested arrays and plain objects in order, with their dotted paths; a leaf is anything else. */
export function leaves(tree: unknown, path = ''): { readonly path: string; readonly value: unknown }[] {
  if (Array.isArray(tree)) return tree.flatMap((t, i) => leaves(t, join(path, i)))
  if (typeof tree === 'object' && tree !== null && isPlain(tree) && !isTensor(tree) && !isVariable(tree))
    return Object.entries(tree).flatMap(([k, t]) => leaves(t, join(path, k)))
  return [{ path, value: tree }]
}

/** The same nesting with every leaf replaced. */
export function mapLeaves(tree: unknown, fn: (leaf: unknown, path: string) => unknown, path = ''): unknown {
  if (Array.isArray(tree)) return tree.map((t, i) => mapLeaves(t, fn, join(path, i)))
  if (typeof tree === 'object' && tree !== null && isPlain(tree) && !isTensor(tree) && !isVariable(tree))
    return Object.fromEntries(Object.entries(tree).map(([k, t]) => [k, mapLeaves(t, fn, join(path, k))]))
  return fn(tree, path)
}

/** The tensors of a tree in order. Throws when something else is in it. */
export function flattenTree(tree: Tree): Tensor[] {
  return leaves(tree).map(({ path, value }) => {
    if (isTensor(value)) return value
    throw new OpError('tree', `'${path}' is not a tensor`, { hint: 'Trees hold tensors in arrays and plain objects.' })
  })
}

/** The same tree with `fn` applied to each tensor; the type is kept, so `fn` should keep shapes. */
export function mapTree<T extends Tree>(tree: T, fn: (tensor: Tensor, path: string) => Tensor): T {
  return mapLeaves(tree, (leaf, path) => (isTensor(leaf) ? fn(leaf, path) : leaf)) as T
}

/**
 * The Variables in any value (a model, an array, an object, a function with properties, an object of a class that holds
 * Variables, such as a `Generator`) by dotted path, in order.
 * A Variable that appears twice (tied weights) is listed once, under its first name.
 */
export function namedVariables(root: unknown, filter: { readonly trainable?: boolean } = {}): Record<string, Variable> {
  const found: Record<string, Variable> = {}
  const seen = new Set<unknown>()
  const visit = (x: unknown, path: string): void => {
    if ((typeof x !== 'object' && typeof x !== 'function') || x === null || seen.has(x)) return
    seen.add(x)
    if (isVariable(x)) {
      if (filter.trainable === undefined || filter.trainable === x.trainable) found[path === '' ? 'value' : path] = x
    } else if (Array.isArray(x) || typeof x === 'function' || isPlain(x) || Object.values(x).some(isVariable))
      for (const [key, entry] of Object.entries(x)) visit(entry, join(path, key))
  }
  visit(root, '')
  return found
}
