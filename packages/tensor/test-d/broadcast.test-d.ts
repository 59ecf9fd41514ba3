import { expectType } from 'tsd'
import type { Broadcast, Broadcast3, Expand, MatMul, Shape, ShapeError } from '../src/types/index.ts'

declare function of<T>(): T

expectType<[64, 10]>(of<Broadcast<[64, 10], [10]>>())
expectType<[2, 3]>(of<Broadcast<readonly [2, 1], readonly [3]>>())
expectType<[3]>(of<Broadcast<[], [3]>>())
expectType<[3]>(of<Broadcast<[3], []>>())
expectType<[]>(of<Broadcast<[], []>>())
expectType<[number, 10]>(of<Broadcast<[number, 10], [1]>>())
expectType<[number, 10]>(of<Broadcast<[number, 10], [number, 1]>>())
expectType<ShapeError<'add: shapes [2,3] and [4,3] do not broadcast'>>(of<Broadcast<[2, 3], [4, 3], 'add'>>())
expectType<Shape>(of<Broadcast<Shape, [4, 3], 'add'>>())
expectType<[3]>(of<Broadcast<[2 | 3], [3]>>())
expectType<[2, 3]>(of<Broadcast3<[2, 1], [3], []>>())
expectType<[2, 3, 4]>(of<Expand<[3, 1], [2, 3, 4]>>())
expectType<[3, 4]>(of<Expand<[3, 1], [-1, 4]>>())
expectType<ShapeError<'expand: shape [3,2] does not expand to [3,4]'>>(of<Expand<[3, 2], [3, 4]>>())
expectType<ShapeError<'expand: shape [3] does not expand to [-1,3]'>>(of<Expand<[3], [-1, 3]>>())
expectType<[64, 10]>(of<MatMul<[64, 784], [784, 10]>>())
expectType<[number, 10]>(of<MatMul<[number, 784], [784, 10]>>())
expectType<[8, 4, 5, 2]>(of<MatMul<[8, 1, 5, 3], [4, 3, 2]>>())
expectType<[]>(of<MatMul<[3], [3]>>())
expectType<[7, 2]>(of<MatMul<[3], [7, 3, 2]>>())
expectType<[7, 2]>(of<MatMul<[7, 2, 3], [3]>>())
expectType<ShapeError<'matmul: shapes [2,3] and [4,5] do not fit: inner sizes 3 and 4'>>(of<MatMul<[2, 3], [4, 5]>>())
expectType<ShapeError<'matmul: the leading dimensions of [2,2,3] and [3,3,5] do not broadcast'>>(
  of<MatMul<[2, 2, 3], [3, 3, 5]>>(),
)
expectType<ShapeError<'matmul: shapes [] and [3] do not fit: a scalar has no inner size'>>(of<MatMul<[], [3]>>())
expectType<Shape>(of<MatMul<Shape, [3]>>())
