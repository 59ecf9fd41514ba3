import { isTensor, OpError, type Tensor, type Tree } from '@tessella/tensor'

const child = (tree: unknown, key: string | number): Tree | undefined =>
  typeof tree === 'object' && tree !== null ? (tree as Record<string | number, Tree>)[key] : undefined

/**
 * Trees of one structure, walked together: `fn` gets the tensors at the same place, the first of which leads.
 * Throws `OpError` that names the place where a tree lacks a tensor or has another shape.
 */
export function zipTrees<P extends Tree>(
  trees: readonly [P, ...Tree[]],
  fn: (tensors: readonly [Tensor, Tensor, Tensor, Tensor]) => Tensor,
): P {
  return walk(trees, '', fn) as P
}

function walk(
  trees: readonly unknown[],
  path: string,
  fn: (tensors: readonly [Tensor, Tensor, Tensor, Tensor]) => Tensor,
): Tree {
  const first = trees[0]
  if (isTensor(first)) {
    for (const other of trees) {
      if (!isTensor(other))
        throw new OpError('optimizer', `there is no tensor at '${path}' where another tree has one`, {
          shapes: [first.shape],
          hint: 'Gradients, state and parameters must have the same structure.',
        })
      if (other.shape.length !== first.shape.length || other.shape.some((n, i) => n !== first.shape[i]))
        throw new OpError('optimizer', `the tensors at '${path}' differ in shape`, {
          shapes: [first.shape, other.shape],
        })
    }
    return fn(trees as unknown as readonly [Tensor, Tensor, Tensor, Tensor])
  }
  const at = (key: string | number): Tree =>
    walk(
      trees.map((t) => child(t, key)),
      path === '' ? String(key) : `${path}.${key}`,
      fn,
    )
  if (Array.isArray(first)) return first.map((_, i) => at(i))
  if (typeof first === 'object' && first !== null) return Object.fromEntries(Object.keys(first).map((k) => [k, at(k)]))
  throw new OpError('optimizer', `'${path}' is not a tensor`, {
    hint: 'Trees hold tensors in arrays and plain objects.',
  })
}
