import { isTensor, OpError, sameShape, type Tensor, type Tree } from '@tessella/tensor'

const child = (tree: unknown, key: string | number): unknown =>
  typeof tree === 'object' && tree !== null ? (tree as Record<string | number, unknown>)[key] : undefined

/** One tensor for each tree. */
type Tensors<R extends readonly Tree[]> = { readonly [I in keyof R]: Tensor }

/**
 * Trees walked together: `fn` gets the tensors at the same place, and the first tree says which places there are.
 * Throws `OpError` that names the place where a tree lacks a tensor or has another shape.
 */
export function zipTrees<P extends Tree, R extends readonly Tree[]>(
  fn: (first: Tensor, ...rest: Tensors<R>) => Tensor,
  first: P,
  ...rest: R
): P {
  return walk(fn as (...tensors: readonly Tensor[]) => Tensor, [first, ...rest], '') as P
}

function walk(fn: (...tensors: readonly Tensor[]) => Tensor, trees: readonly unknown[], path: string): Tree {
  const [first] = trees
  if (isTensor(first)) return fn(...trees.map((t) => checkedLike(first, t, path)))
  const at = (key: string | number): Tree =>
    walk(
      fn,
      trees.map((t) => child(t, key)),
      path === '' ? String(key) : `${path}.${key}`,
    )
  if (Array.isArray(first)) return first.map((_, i) => at(i))
  if (typeof first === 'object' && first !== null) return Object.fromEntries(Object.keys(first).map((k) => [k, at(k)]))
  throw new OpError('optimizer', `'${path}' is not a tensor`, {
    hint: 'Trees hold tensors in arrays and plain objects.',
  })
}

function checkedLike(first: Tensor, other: unknown, path: string): Tensor {
  if (!isTensor(other))
    throw new OpError('optimizer', `there is no tensor at '${path}' where another tree has one`, {
      shapes: [first.shape],
      hint: 'Gradients, state and parameters must have the same structure.',
    })
  if (!sameShape(other.shape, first.shape))
    throw new OpError('optimizer', `the tensors at '${path}' differ in shape`, { shapes: [first.shape, other.shape] })
  return other
}
