import { expectType } from 'tsd'
import type {
  Flatten,
  Pad,
  Reshape,
  Shape,
  ShapeError,
  SliceDim,
  Squeeze,
  Take,
  Unsqueeze,
} from '../src/types/index.ts'

declare function of<T>(): T

expectType<[6, 4]>(of<Reshape<[2, 3, 4], [6, -1]>>())
expectType<[24]>(of<Reshape<[2, 3, 4], readonly [-1]>>())
expectType<[number, 256]>(of<Reshape<[number, 16, 4, 4], [-1, 256]>>())
expectType<ShapeError<'reshape: [2,3] has 6 elements and [4,2] has 8'>>(of<Reshape<[2, 3], [4, 2]>>())
expectType<ShapeError<'reshape: [2,3] has 6 elements, not a multiple of 4 as [-1,4] needs'>>(
  of<Reshape<[2, 3], [-1, 4]>>(),
)
expectType<ShapeError<'reshape: [-1,-1] has more than one -1'>>(of<Reshape<[2, 3], [-1, -1]>>())
expectType<Shape>(of<Reshape<[2, 3], number[]>>())
expectType<[number, 6]>(of<Reshape<[2, 3], [number, 6]>>())
expectType<[number, number]>(of<Reshape<[2, 3], [number, -1]>>())
expectType<[2, number]>(of<Reshape<Shape, [2, -1]>>())
expectType<[60000, 784]>(of<Reshape<[60000, 28, 28], [-1, 784]>>())
expectType<[1, 1]>(of<Reshape<[], [1, 1]>>())
expectType<[64, 256]>(of<Flatten<[64, 16, 4, 4], 1>>())
expectType<[24]>(of<Flatten<[2, 3, 4]>>())
expectType<[2, 12, 5]>(of<Flatten<[2, 3, 4, 5], 1, 2>>())
expectType<[2, 3, 20]>(of<Flatten<[2, 3, 4, 5], -2>>())
expectType<[number, 12]>(of<Flatten<[number, 3, 4], 1>>())
expectType<[2, number]>(of<Flatten<[2, number, 4], 1>>())
expectType<Shape>(of<Flatten<Shape, 1>>())
expectType<[1]>(of<Flatten<[]>>())
expectType<ShapeError<'flatten: axis 1 is out of range for shape [2]'>>(of<Flatten<[2], 1>>())
expectType<[3]>(of<Squeeze<[1, 3, 1]>>())
expectType<[1, 3]>(of<Squeeze<[1, 3, 1], -1>>())
expectType<[3]>(of<Squeeze<[1, 3, 1], [0, 2]>>())
expectType<[1, 3]>(of<Squeeze<[1, 3, number], 2>>())
expectType<Shape>(of<Squeeze<[1, 3, number]>>())
expectType<ShapeError<'squeeze: axis 1 of [1,3,1] has size 3, not 1'>>(of<Squeeze<[1, 3, 1], 1>>())
expectType<[1, 2, 3]>(of<Unsqueeze<[2, 3], 0>>())
expectType<[2, 3, 1]>(of<Unsqueeze<[2, 3], -1>>())
expectType<[2, 3, 1]>(of<Unsqueeze<[2, 3], 2>>())
expectType<[1, 2, 3]>(of<Unsqueeze<[2, 3], -3>>())
expectType<ShapeError<'unsqueeze: axis 3 is out of range for shape [2,3] with one more dimension'>>(
  of<Unsqueeze<[2, 3], 3>>(),
)
expectType<Shape>(of<Unsqueeze<Shape, 1>>())
expectType<[number, number, number]>(of<Unsqueeze<[2, 3], number>>())
expectType<[100, 28, 28]>(of<SliceDim<[60000, 28, 28], 0, 0, 100>>())
expectType<[10, 28, 28]>(of<SliceDim<[60000, 28, 28], 0, 59990, 70000>>())
expectType<[3]>(of<SliceDim<[10], 0, -3>>())
expectType<[7]>(of<SliceDim<[10], 0, 0, -3>>())
expectType<[4]>(of<SliceDim<[10], 0, 0, 10, 3>>())
expectType<[0]>(of<SliceDim<[10], 0, 7, 3>>())
expectType<[3]>(of<SliceDim<[10], 0, -30, 3>>())
expectType<[number]>(of<SliceDim<[10], 0, number, 3>>())
expectType<ShapeError<'slice: axis 2 is out of range for shape [10,4]'>>(of<SliceDim<[10, 4], 2, 0, 3>>())
expectType<[32, 10, 64]>(of<Take<[5000, 64], [32, 10]>>())
expectType<[2, 4]>(of<Take<[2, 3, 4], [], 1>>())
expectType<[2, 3, 7]>(of<Take<[2, 3, 4], [7], -1>>())
expectType<[3, 32]>(of<Pad<[3, 28], [[0, 0], [2, 2]]>>())
expectType<[5, 30]>(of<Pad<[3, 28], 1>>())
expectType<ShapeError<'pad: 1 pairs of widths for shape [3,28]'>>(of<Pad<[3, 28], [[0, 0]]>>())
expectType<ShapeError<'flatten: start 2 lies after end 1'>>(of<Flatten<[2, 3, 4], 2, 1>>())
expectType<[2, 3, 4]>(of<Flatten<[2, 3, 4], 1, 1>>())
