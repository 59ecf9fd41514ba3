import { checkOptions, type DType } from '@tessella/ir'
import type { ArithOf, FloatOf, Promote } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/products.ts'
import { axisOf } from '../ops/reduce.ts'
import type { AxesOf, Reduced } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Broadcast, Fits, MatMul, Ok, Shape, UnknownSizes } from '../types/index.ts'

/** The sum of the diagonal of a matrix. */
export const trace = <N extends number, M extends number, D extends DType>(
  x: Tensor<[N, M], D>,
): Tensor<[], ArithOf<D>> => fromNode(ops.trace(nodeIn('trace', x)))

/**
 * Matrix products of two stacks of equal length, [n, i, k] and [n, k, j].
 * @example bmm(ones([8, 2, 3]), ones([8, 3, 4])) // Tensor<[8, 2, 4], 'float32'>
 */
export const bmm = <
  S extends readonly [number, number, number],
  D extends DType,
  R extends readonly [number, number, number],
  E extends DType,
>(
  a: Tensor<S, D>,
  b: Fits<MatMul<S, R, 'bmm'>, Tensor<R, E>>,
): Tensor<Ok<MatMul<S, R, 'bmm'>>, FloatOf<Promote<D, E>>> => fromNode(ops.bmm(nodeIn('bmm', a), nodeIn('bmm', b)))

/** The vector product along an axis of size 3, the last unless given. */
export const cross = <S extends Shape, D extends DType, R extends Shape, E extends DType>(
  a: Tensor<S, D>,
  b: Fits<Broadcast<S, R, 'cross'>, Tensor<R, E>>,
  axis = -1,
): Tensor<Ok<Broadcast<S, R, 'cross'>>, ArithOf<Promote<D, E>>> =>
  fromNode(ops.cross(nodeIn('cross', a), nodeIn('cross', b), axis))

/**
 * The Kronecker product: every element of `a` times the whole of `b`, in its place.
 * @example kron(tensor([1, 10]), tensor([1, 2])) // [1, 2, 10, 20]
 */
export const kron = <D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<Shape, ArithOf<Promote<D, E>>> => fromNode(ops.kron(nodeIn('kron', a), nodeIn('kron', b)))

/** x over its p-norm along an axis, dimension 1 unless given, as torch.nn.functional.normalize. */
export const normalize = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axis = 1,
  options: { readonly p?: number | undefined; readonly eps?: number | undefined } = {},
): Tensor<S, FloatOf<D>> => {
  checkOptions('normalize', options, ['p', 'eps'])
  return fromNode(ops.normalize(nodeIn('normalize', x), options.p ?? 2, axis, options.eps ?? 1e-12))
}

/** a.b / (|a| |b|) along an axis, dimension 1 unless given; lengths count as at least `eps`. */
export const cosineSimilarity = <S extends Shape, D extends DType, E extends DType, const A extends number = 1>(
  a: Tensor<S, D>,
  b: Tensor<S, E>,
  axis?: AxesOf<S, A, 'cosineSimilarity'>,
  options: { readonly eps?: number | undefined } = {},
): Tensor<Reduced<S, A, false, 'cosineSimilarity'>, FloatOf<Promote<D, E>>> => {
  checkOptions('cosineSimilarity', options, ['eps'])
  const [x, y] = [nodeIn('cosineSimilarity', a), nodeIn('cosineSimilarity', b)]
  return fromNode(ops.cosineSimilarity(x, y, axisOf(axis) ?? 1, options.eps ?? 1e-8))
}

/**
 * The sum of products over pairs of axes: the last `axes` of `a` with the first of `b`, or those that two lists name.
 * @example tensordot(ones([2, 3, 4]), ones([3, 4, 5])).shape // [2, 5]
 */
export const tensordot = <D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor<Shape, FloatOf<Promote<D, E>>> =>
  fromNode(ops.tensordot(nodeIn('tensordot', a), nodeIn('tensordot', b), axes))

/**
 * Distances (p-norms of differences, p = 2 unless given) between all rows of `a` [..., n, d] and `b` [..., m, d]. The gradient
 * at distance 0 is 0.
 * @example cdist(tensor([[0, 0]]), tensor([[3, 4], [0, 1]])) // [[5, 1]]
 */
export const cdist = <S extends Shape, D extends DType, E extends DType>(
  a: Tensor<S, D>,
  b: Tensor<Shape, E>,
  p = 2,
): Tensor<UnknownSizes<S>, FloatOf<Promote<D, E>>> => fromNode(ops.cdist(nodeIn('cdist', a), nodeIn('cdist', b), p))
