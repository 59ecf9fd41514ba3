import type { DType } from '@tessella/ir'
import type { ArithOf, FloatOf, Promote } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import { einsum as einsumNodes } from '../ops/einsum.ts'
import * as ops from '../ops/matmul.ts'
import type { DTypeOf } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Einsum, Fits, MatMul, Ok, Shape, ShapesOf, Transpose } from '../types/index.ts'

/**
 * The matrix product as torch.matmul has it: vectors gain a dimension that is dropped again, the leading dimensions
 * of stacks broadcast. Integers compute in float32.
 * @example matmul(ones([64, 784]), ones([784, 10])) // Tensor<[64, 10], 'float32'>
 */
export const matmul = <S extends Shape, D extends DType, R extends Shape, E extends DType>(
  a: Tensor<S, D>,
  b: Fits<MatMul<S, R>, Tensor<R, E>>,
): Tensor<Ok<MatMul<S, R>>, FloatOf<Promote<D, E>>> =>
  fromNode(ops.matmul('matmul', nodeIn('matmul', a), nodeIn('matmul', b)))

/** The sum of products of two vectors. */
export const dot = <S extends Shape, D extends DType, R extends Shape, E extends DType>(
  a: Tensor<S, D>,
  b: Fits<MatMul<S, R, 'dot'>, Tensor<R, E>>,
): Tensor<[], FloatOf<Promote<D, E>>> => fromNode(ops.dot(nodeIn('dot', a), nodeIn('dot', b)))

/** All products of the elements of two vectors. */
export const outer = <N extends number, D extends DType, M extends number, E extends DType>(
  a: Tensor<[N], D>,
  b: Tensor<[M], E>,
): Tensor<[N, M], ArithOf<Promote<D, E>>> => fromNode(ops.outer(nodeIn('outer', a), nodeIn('outer', b)))

/** x w^T + bias with w [out, in], as torch.nn.functional.linear. */
export const linear = <S extends Shape, D extends DType, W extends Shape, E extends DType>(
  x: Tensor<S, D>,
  weight: Fits<MatMul<S, Ok<Transpose<W>>, 'linear'>, Tensor<W, E>>,
  bias?: Tensor,
): Tensor<Ok<MatMul<S, Ok<Transpose<W>>, 'linear'>>, FloatOf<Promote<D, E>>> =>
  fromNode(
    ops.linear(nodeIn('linear', x), nodeIn('linear', weight), bias === undefined ? undefined : nodeIn('linear', bias)),
  )

/** One operand alone only adds; matrix products are floats. */
type SumOfProducts<Ts extends readonly Tensor[]> = Ts extends readonly [Tensor<Shape, infer D>]
  ? ArithOf<D>
  : DType extends DTypeOf<Ts[number]>
    ? FloatOf<DType>
    : 'float64' extends DTypeOf<Ts[number]>
      ? 'float64'
      : 'float32'

/**
 * Einstein's summation, as torch.einsum: labels absent from the result are summed, repeated labels take a diagonal,
 * `...` stands for leading dimensions. Operands are contracted from left to right; integers compute in float32. The type of
 * the result follows the equation where it names every dimension and the result.
 * @example einsum('bqd,bkd->bqk', ones([8, 16, 64]), ones([8, 32, 64])) // Tensor<[8, 16, 32], 'float32'>
 */
export const einsum = <const E extends string, const Ts extends readonly Tensor[]>(
  equation: Fits<Einsum<E, ShapesOf<Ts>>, E>,
  ...operands: Ts
): Tensor<Ok<Einsum<E, ShapesOf<Ts>>>, SumOfProducts<Ts>> =>
  fromNode(
    einsumNodes(
      equation,
      operands.map((x) => nodeIn('einsum', x)),
    ),
  )
