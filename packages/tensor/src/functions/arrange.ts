import { checkOptions, type DType } from '@tessella/ir'
import type { ArithOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/arrange.ts'
import { moveAxis, transpose } from '../ops/movement.ts'
import type { DTypeOf, PartOf } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Fits, Ok, Shape, Transpose, UnknownSizes } from '../types/index.ts'

export { concat as cat } from './movement.ts'

/** One axis moved to another place; the others keep their order. */
export const moveaxis = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  source: number,
  destination: number,
): Tensor<UnknownSizes<S>, D> => fromNode(moveAxis(nodeIn('moveaxis', x), source, destination))

/** Two dimensions exchanged; NumPy's name of `transpose` with both axes. */
export const swapaxes = <S extends Shape, D extends DType, const A extends number, const B extends number>(
  x: Tensor<S, D>,
  a: A,
  b: Fits<Transpose<S, A, B, 'swapaxes'>, B>,
): Tensor<Ok<Transpose<S, A, B, 'swapaxes'>>, D> => fromNode(transpose(nodeIn('swapaxes', x), a, b as number))

/**
 * The n-th difference of neighbours along an axis, the last unless given.
 * @example diff(tensor([1, 4, 9])) // [3, 5]
 */
export const diff = <S extends Shape, D extends DType, const A extends number = -1>(
  x: Tensor<S, D>,
  n = 1,
  axis?: A,
): Tensor<PartOf<S, A, number>, ArithOf<D>> => fromNode(ops.diff(nodeIn('diff', x), n, axis ?? -1))

/** Elements along an axis by an index of the same rank, such as `argsort` gives; the other sizes broadcast. */
export const takeAlongDim = <D extends DType, I extends Shape>(
  x: Tensor<Shape, D>,
  index: Tensor<I>,
  axis: number,
): Tensor<UnknownSizes<I>, D> =>
  fromNode(ops.takeAlongDim(nodeIn('takeAlongDim', x), nodeIn('takeAlongDim', index), axis))

type GridOf<Ts extends readonly Tensor<[number]>[]> = {
  -readonly [K in keyof Ts]: Ts[K] extends Tensor<[infer N extends number]> ? N : number
}

/**
 * Coordinates of a grid: the i-th result repeats the i-th vector along every axis but its own. Indexing 'xy' exchanges
 * the first two axes, as pictures count.
 * @example meshgrid([arange(2), arange(3)]) // [[0, 0, 0], [1, 1, 1]] and [[0, 1, 2], [0, 1, 2]]
 */
export const meshgrid = <const Ts extends readonly Tensor<[number]>[], const X extends 'ij' | 'xy' = 'ij'>(
  vectors: Ts,
  options: { readonly indexing?: X | undefined } = {},
): {
  -readonly [K in keyof Ts]: Tensor<X extends 'ij' ? GridOf<Ts> : UnknownSizes<GridOf<Ts>>, DTypeOf<Ts[K]>>
} => {
  checkOptions('meshgrid', options, ['indexing'])
  const nodes = vectors.map((v) => nodeIn('meshgrid', v))
  return ops.meshgrid(nodes, options.indexing ?? 'ij').map((node) => fromNode(node)) as never
}
