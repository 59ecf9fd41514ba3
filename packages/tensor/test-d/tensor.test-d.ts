/** How operations use the shape types, on a minimal tensor: what must compile, what must not, and what a person reads. */
import type { DType } from '@tessella/ir'
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import type {
  AsShape,
  Axes,
  Broadcast,
  Concat,
  Conv,
  ConvOptions,
  Fits,
  MatMul,
  Ok,
  Reduce,
  Reshape,
  Shape,
  ShapeOf,
  ShapesOf,
} from '../src/types/index.ts'

/** Methods name the receiver as `this` instead of using `S` and `D`: the interface stays covariant and cheap. */
interface Tensor<S extends Shape = Shape, D extends DType = DType> {
  readonly shape: S
  readonly dtype: D
  add<A extends Shape, AD extends DType, B extends Tensor<Shape, AD> | number>(
    this: Tensor<A, AD>,
    other: Fits<Broadcast<A, ShapeOf<B>, 'add'>, B>,
  ): Tensor<Ok<Broadcast<A, ShapeOf<B>, 'add'>>, AD>
  matmul<A extends Shape, AD extends DType, B extends Shape>(
    this: Tensor<A, AD>,
    other: Fits<MatMul<A, B>, Tensor<B, AD>>,
  ): Tensor<Ok<MatMul<A, B>>, AD>
  reshape<A extends Shape, AD extends DType, const To extends Shape>(
    this: Tensor<A, AD>,
    shape: Fits<Reshape<A, To>, To>,
  ): Tensor<Ok<Reshape<A, To>>, AD>
  sum<A extends Shape, AD extends DType, const X extends Axes = undefined, K extends boolean = false>(
    this: Tensor<A, AD>,
    axis?: Fits<Reduce<A, X, K, 'sum'>, X>,
    keepDims?: K,
  ): Tensor<Ok<Reduce<A, X, K, 'sum'>>, AD>
  relu<A extends Shape, AD extends DType>(this: Tensor<A, AD>): Tensor<A, AD>
}

declare function zeros<const S extends Shape, D extends DType = 'float32'>(shape: S, dtype?: D): Tensor<AsShape<S>, D>
declare function add<A extends Shape, AD extends DType, B extends Shape>(
  a: Tensor<A, AD>,
  b: Fits<Broadcast<A, B, 'add'>, Tensor<B, AD>>,
): Tensor<Ok<Broadcast<A, B, 'add'>>, AD>
declare function concat<const Ts extends readonly Tensor[], A extends number = 0>(
  tensors: Fits<Concat<ShapesOf<Ts>, A>, Ts>,
  axis?: A,
): Tensor<Ok<Concat<ShapesOf<Ts>, A>>, Ts[number]['dtype']>
declare function conv2d<
  X extends Shape,
  W extends Shape,
  D extends DType,
  const O extends ConvOptions = Record<never, never>,
>(
  x: Tensor<X, D>,
  weight: Fits<Conv<X, W, O, 'conv2d'>, Tensor<W, D>>,
  options?: O,
): Tensor<Ok<Conv<X, W, O, 'conv2d'>>, D>

declare const batch: Tensor<[number, 784], 'float32'>
declare const unknownRank: Tensor<Shape, 'float32'>
declare const sizes: number[]
declare const list: Tensor<[number, 3], 'float32'>[]
const a = zeros([2, 3])
const b = zeros([4, 3])

expectType<Tensor<[2, 3], 'float32'>>(a)
expectType<Tensor<[2, 3], 'float32'>>(add(a, zeros([3])))
expectType<Tensor<[2, 3], 'float32'>>(a.add(zeros([3])).add(1))
expectError(a.add(zeros([2, 1], 'int32')))
expectType<Tensor<[number, 10], 'float32'>>(batch.matmul(zeros([784, 10])).add(zeros([10])))
expectType<Tensor<[6], 'float32'>>(a.reshape([-1]))
expectType<Tensor<[], 'float32'>>(a.sum())
expectType<Tensor<[1, 1], 'float32'>>(a.sum([0, -1], true))
expectType<Tensor<[2], 'float32'>>(a.sum(1))
expectType<Tensor<[6, 3], 'float32'>>(concat([a, b]))
expectType<Tensor<[number, 3], 'float32'>>(concat(list))
expectType<Tensor<[8, 6, 14, 14], 'float32'>>(
  conv2d(zeros([8, 1, 28, 28]), zeros([6, 1, 3, 3]), { stride: 2, padding: [1, 1] }),
)

expectError(add(a, b))
expectError(a.add(b))
expectError(a.add('3'))
expectError(a.matmul(b))
expectError(a.reshape([4, 2]))
expectError(a.sum(2))
expectError(concat([a, zeros([2, 4])]))
expectError(conv2d(zeros([8, 3, 28, 28]), zeros([6, 1, 3, 3])))

/** The parameter of a call that does not fit is the message itself: the compiler prints it in quotes. */
type AddTo<B extends Shape> = Parameters<typeof add<[2, 3], 'float32', B>>[1]
expectType<'add: shapes [2,3] and [4,3] do not broadcast'>({} as AddTo<[4, 3]>)
expectType<Tensor<[1, 3], 'float32'>>({} as AddTo<[1, 3]>)

/** What is not known is not checked, and stays unknown. */
expectType<Tensor<Shape, 'float32'>>(unknownRank.add(a))
expectType<Tensor<Shape, 'float32'>>(unknownRank.sum(0).relu())
expectType<Tensor<[2, number], 'float32'>>(unknownRank.reshape([2, -1]))
expectType<Tensor<Shape, 'float32'>>(a.reshape(sizes))
expectType<Tensor<Shape, 'float32'>>(a.sum(sizes))

/** A tensor goes where less is known about it, and not where more is. */
expectAssignable<Tensor>(a)
expectAssignable<Tensor<[number, number]>>(a)
expectAssignable<Tensor<Shape, 'float32'>>(a)
expectNotAssignable<Tensor<[2, 4]>>(a)
expectNotAssignable<Tensor<[2, 3], 'int32'>>(a)
expectNotAssignable<Tensor<[2, 784]>>(batch)
