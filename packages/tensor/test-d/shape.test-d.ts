import { expectType } from 'tsd'
import type { Ok, Product, Shape, ShapeError, ShowShape } from '../src/types/index.ts'

declare function of<T>(): T

expectType<150528>(of<Product<[3, 224, 224]>>())
expectType<1>(of<Product<[]>>())
expectType<number>(of<Product<Shape>>())
expectType<number>(of<Product<[number, 3]>>())
expectType<'[...]'>(of<ShowShape<Shape>>())
expectType<'[...,128]'>(of<ShowShape<[...number[], 128]>>())
expectType<Shape>(of<Ok<ShapeError<'x'>>>())
