import type { DType } from '@tessella/ir'
import type { FloatOf, Promote } from '../dtypes.ts'
import { nodeOf } from '../handle.ts'
import { nodeIn } from '../operand.ts'
import { dot, matmul } from '../ops/matmul.ts'
import type { Tensor } from '../tensor.ts'
import type { Fits, MatMul, Ok, Shape } from '../types/index.ts'
import { MovementMethods } from './movement.ts'

/** Products of matrices. */
export abstract class LinearMethods<S extends Shape, D extends DType> extends MovementMethods<S, D> {
  /** The matrix product as torch.matmul has it: vectors, matrices, stacks that broadcast. Integers compute in float32. */
  matmul<S extends Shape, D extends DType, R extends Shape, E extends DType>(
    this: Tensor<S, D>,
    other: Fits<MatMul<S, R>, Tensor<R, E>>,
  ): Tensor<Ok<MatMul<S, R>>, FloatOf<Promote<D, E>>> {
    return this.wrap(matmul('matmul', nodeOf(this), nodeIn('matmul', other)))
  }
  /** The sum of products of two vectors. */
  dot<S extends Shape, D extends DType, R extends Shape, E extends DType>(
    this: Tensor<S, D>,
    other: Fits<MatMul<S, R, 'dot'>, Tensor<R, E>>,
  ): Tensor<[], FloatOf<Promote<D, E>>> {
    return this.wrap(dot(nodeOf(this), nodeIn('dot', other)))
  }
}
