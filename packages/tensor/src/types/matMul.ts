import type { TryBroadcast } from './broadcast.ts'
import type { Differs, Shape } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/**
 * The shape of a matrix product, as `torch.matmul` has it: vectors gain a dimension that is dropped again, and the
 * leading dimensions of stacks of matrices broadcast.
 * @example MatMul<[64, 784], [784, 10]> // [64, 10]
 * @example MatMul<[8, 1, 5, 3], [4, 3, 2]> // [8, 4, 5, 2]
 * @example MatMul<[3], [3]> // []
 */
export type MatMul<A extends Shape, B extends Shape, Op extends string = 'matmul'> = number extends A['length']
  ? Shape
  : number extends B['length']
    ? Shape
    : A extends readonly [infer K extends number]
      ? VectorMatMul<K, A, B, Op>
      : A extends readonly [...infer Batch extends Shape, infer M extends number, infer K extends number]
        ? MatrixMatMul<Batch, M, K, A, B, Op>
        : NoScalars<A, B, Op>

type VectorMatMul<K extends number, A extends Shape, B extends Shape, Op extends string> = B extends readonly [
  infer K2 extends number,
]
  ? Differs<K, K2> extends true
    ? Unequal<A, B, K, K2, Op>
    : []
  : B extends readonly [...infer Batch extends Shape, infer K2 extends number, infer N extends number]
    ? Differs<K, K2> extends true
      ? Unequal<A, B, K, K2, Op>
      : [...Batch, N]
    : NoScalars<A, B, Op>

type MatrixMatMul<
  Batch extends Shape,
  M extends number,
  K extends number,
  A extends Shape,
  B extends Shape,
  Op extends string,
> = B extends readonly [infer K2 extends number]
  ? Differs<K, K2> extends true
    ? Unequal<A, B, K, K2, Op>
    : [...Batch, M]
  : B extends readonly [...infer Batch2 extends Shape, infer K2 extends number, infer N extends number]
    ? Differs<K, K2> extends true
      ? Unequal<A, B, K, K2, Op>
      : TryBroadcast<Batch, Batch2> extends infer Lead extends Shape
        ? [Lead] extends [never]
          ? ShapeError<`${Op}: the leading dimensions of ${ShowShape<A>} and ${ShowShape<B>} do not broadcast`>
          : [...Lead, M, N]
        : never
    : NoScalars<A, B, Op>

type Unequal<
  A extends Shape,
  B extends Shape,
  K extends number,
  K2 extends number,
  Op extends string,
> = ShapeError<`${Op}: shapes ${ShowShape<A>} and ${ShowShape<B>} do not fit: inner sizes ${K} and ${K2}`>

type NoScalars<
  A extends Shape,
  B extends Shape,
  Op extends string,
> = ShapeError<`${Op}: shapes ${ShowShape<A>} and ${ShowShape<B>} do not fit: a scalar has no inner size`>
