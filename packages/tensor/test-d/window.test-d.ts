import { expectType } from 'tsd'
import type { Conv, Pool, Shape, ShapeError, WindowSize } from '../src/types/index.ts'

declare function of<T>(): T

expectType<24>(of<WindowSize<28, 5>>())
expectType<109>(of<WindowSize<224, 7, 2>>())
expectType<112>(of<WindowSize<224, 7, 2, 3>>())
expectType<24>(of<WindowSize<28, 3, 1, 0, 2>>())
expectType<never>(of<WindowSize<3, 5>>())
expectType<number>(of<WindowSize<number, 5>>())
expectType<[64, 6, 24, 24]>(of<Conv<[64, 1, 28, 28], [6, 1, 5, 5]>>())
expectType<[8, 64, 112, 112]>(of<Conv<[8, 3, 224, 224], [64, 3, 7, 7], { stride: 2; padding: 3 }>>())
expectType<[8, 64, 112, 112]>(of<Conv<[8, 3, 224, 224], [64, 3, 7, 7], { stride: 2; padding: 'same' }>>())
expectType<[8, 64, 20, 15]>(
  of<Conv<[8, 3, 20, 30], [64, 3, 3, 5], { readonly stride: readonly [1, 2]; readonly padding: readonly [1, 2] }>>(),
)
expectType<[8, 64, 18]>(of<Conv<[8, 32, 20], [64, 1, 3], { groups: 32 }>>())
expectType<[8, 2, 2, 2, 2]>(of<Conv<[8, 1, 4, 4, 4], [2, 1, 3, 3, 3]>>())
expectType<[number, 6, number, 24]>(of<Conv<[number, 1, number, 28], [6, 1, 5, 5]>>())
expectType<[number, 6, number, number]>(of<Conv<Shape, [6, 1, 5, 5]>>())
expectType<Shape>(of<Conv<[8, 1, 28, 28], Shape>>())
expectType<ShapeError<'conv2d: input [64,3,28,28] has 3 channels, weights [6,1,5,5] take 1'>>(
  of<Conv<[64, 3, 28, 28], [6, 1, 5, 5], unknown, 'conv2d'>>(),
)
expectType<ShapeError<'conv2d: a kernel of [5,5] does not fit an input of [4,28]'>>(
  of<Conv<[64, 1, 4, 28], [6, 1, 5, 5], unknown, 'conv2d'>>(),
)
expectType<[64, 6, 12, 12]>(of<Pool<[64, 6, 24, 24], 2, 2>>())
expectType<[64, 6, 12, 12]>(of<Pool<[64, 6, 24, 24], 2, 3, { stride: 2; padding: 1 }>>())
