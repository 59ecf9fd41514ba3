import { expectType } from 'tsd'
import type { Permute, Reduce, Shape, ShapeError, Transpose } from '../src/types/index.ts'

declare function of<T>(): T

expectType<[2, 3]>(of<Reduce<[2, 3, 4], -1>>())
expectType<[3]>(of<Reduce<[2, 3, 4], [0, -1]>>())
expectType<[1, 3, 1]>(of<Reduce<[2, 3, 4], [0, 2], true>>())
expectType<[]>(of<Reduce<[2, 3, 4]>>())
expectType<[1, 1, 1]>(of<Reduce<[2, 3, 4], undefined, true>>())
expectType<Shape>(of<Reduce<[2, 3, 4], number>>())
expectType<Shape>(of<Reduce<[2, 3, 4], number[]>>())
expectType<[number, number, number]>(of<Reduce<[2, 3, 4], number, true>>())
expectType<Shape>(of<Reduce<Shape, 0>>())
expectType<[]>(of<Reduce<Shape>>())
expectType<ShapeError<'sum: axis 3 is out of range for shape [2,3,4]'>>(of<Reduce<[2, 3, 4], 3, false, 'sum'>>())
expectType<ShapeError<'sum: axis -4 is out of range for shape [2,3,4]'>>(of<Reduce<[2, 3, 4], [0, -4], false, 'sum'>>())
expectType<[number, 4]>(of<Reduce<[2, number, 4], 0>>())
expectType<Shape>(of<Reduce<[2, 3], 0 | 1>>())
expectType<[4, 2, 3]>(of<Permute<[2, 3, 4], [2, 0, 1]>>())
expectType<[2, 4, 3]>(of<Permute<[2, 3, 4], readonly [0, -1, 1]>>())
expectType<ShapeError<'permute: axes [0,0,1] do not name every axis of shape [2,3,4] once'>>(
  of<Permute<[2, 3, 4], [0, 0, 1]>>(),
)
expectType<ShapeError<'permute: axes [0,1] do not name every axis of shape [2,3,4] once'>>(
  of<Permute<[2, 3, 4], [0, 1]>>(),
)
expectType<[number, number, number]>(of<Permute<[2, 3, 4], number[]>>())
expectType<[number, number]>(of<Permute<Shape, [1, 0]>>())
expectType<[2, 4, 3]>(of<Transpose<[2, 3, 4]>>())
expectType<[4, 3, 2]>(of<Transpose<[2, 3, 4], 0, -1>>())
expectType<ShapeError<'transpose: axis -2 is out of range for shape [2]'>>(of<Transpose<[2]>>())
