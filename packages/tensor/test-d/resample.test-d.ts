import { expectError, expectType } from 'tsd'
import {
  bincount,
  cdist,
  copysign,
  heaviside,
  interpolate,
  key,
  logspace,
  median,
  multinomial,
  ones,
  pixelShuffle,
  searchsorted,
  type Tensor,
  tensor,
  unfold,
  zeros,
} from '../src/index.ts'

const bytes = zeros([1, 4, 8, 8], 'uint8')
expectType<Tensor<[number, number, number, number], 'uint8'>>(interpolate(bytes, { scaleFactor: 2 }))
expectType<Tensor<[number, number, number, number], 'float32'>>(interpolate(bytes, { size: 4, mode: 'bilinear' }))
expectError(interpolate(bytes, { size: 4, mode: 'cubic' }))
expectType<Tensor<[number, number, number], 'uint8'>>(unfold(bytes, 3))
expectType<Tensor<[number, number, number, number], 'uint8'>>(pixelShuffle(bytes, 2))
expectType<Tensor<[5], 'int32'>>(bincount(tensor([1, 2], 'int32'), 5))
expectType<Tensor<[5], 'float32'>>(bincount(tensor([1, 2], 'int32'), 5, ones([2])))
expectType<Tensor<[2, 3], 'int32'>>(searchsorted(ones([4]), ones([2, 3])))
expectType<Tensor<[2], 'uint8'>>(median(zeros([2, 3], 'uint8'), 1))
expectError(median(zeros([2, 3]), 2))
expectType<Tensor<[number], 'int32'>>(multinomial(key(1), ones([4]), 2))
expectType<Tensor<[3], 'float32'>>(logspace(0, 1, 3))
expectType<Tensor<[number, number], 'float32'>>(cdist(ones([2, 3]), ones([4, 3])))
expectType<Tensor<[2, 3], 'float32'>>(copysign(ones([2, 3]), -1))
expectType<Tensor<[2, 3], 'float32'>>(heaviside(ones([2, 3]), ones([3])))
