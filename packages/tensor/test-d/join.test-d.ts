import { expectType } from 'tsd'
import type { Concat, Shape, ShapeError, Stack } from '../src/types/index.ts'

declare function of<T>(): T

expectType<[6, 3]>(of<Concat<[[2, 3], [4, 3]], 0>>())
expectType<[2, 15]>(of<Concat<[[2, 3], [2, 5], readonly [2, 7]], -1>>())
expectType<[number, 3]>(of<Concat<[[2, 3], [number, 3]], 0>>())
expectType<[6, 3]>(of<Concat<[[2, 3], [4, number]], 0>>())
expectType<[number, 3]>(of<Concat<[2, 3][], 0>>())
expectType<Shape>(of<Concat<Shape[], 0>>())
expectType<Shape>(of<Concat<[[2, 3], Shape], 0>>())
expectType<ShapeError<'concat: shapes [2,3] and [4,5] differ outside axis 0'>>(of<Concat<[[2, 3], [4, 5]], 0>>())
expectType<ShapeError<'concat: shapes [2,3] and [4] differ outside axis 0'>>(of<Concat<[[2, 3], [4]], 0>>())
expectType<ShapeError<'concat: axis 2 is out of range for shape [2,3]'>>(of<Concat<[[2, 3], [4, 3]], 2>>())
expectType<[number, number]>(of<Concat<[[2, 3], [4, 3]], number>>())
expectType<[2, 2, 3]>(of<Stack<[[2, 3], [2, 3]]>>())
expectType<[2, 3, 3]>(of<Stack<[[2, 3], [2, 3], [2, 3]], -1>>())
expectType<[number, 2, 3]>(of<Stack<[2, 3][]>>())
expectType<ShapeError<'stack: shapes [2,3] and [2,4] differ'>>(of<Stack<[[2, 3], [2, 4]]>>())
