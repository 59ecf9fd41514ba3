import { expectError, expectType } from 'tsd'
import {
  arange,
  bmm,
  cat,
  cosineSimilarity,
  cross,
  diff,
  hypot,
  kthvalue,
  meshgrid,
  nanmean,
  nansum,
  normalize,
  ones,
  quantile,
  swapaxes,
  type Tensor,
  trace,
} from '../src/index.ts'

const m = ones([2, 3])
expectType<Tensor<[2, 3], 'float32'>>(hypot(m, ones([3])))
expectType<Tensor<[2], 'float32'>>(nansum(m, 1))
expectType<Tensor<[1, 3], 'float32'>>(nanmean(m, 0, { keepdim: true }))
expectType<Tensor<[2], 'int32'>>(kthvalue(m, 1).indices)
expectType<Tensor<[], 'float32'>>(quantile(m, 0.5))
expectType<Tensor<[3], 'float32'>>(quantile(m, 0.5, 0))
expectType<Tensor<[4, 3], 'float32'>>(cat([m, ones([2, 3])]))
expectType<Tensor<[3, 2], 'float32'>>(swapaxes(m, 0, 1))
expectType<Tensor<[2, number], 'float32'>>(diff(m))
expectType<Tensor<[2, 3], 'int32'>>(meshgrid([arange(2), arange(3)])[0])
expectType<Tensor<[], 'float32'>>(trace(m))
expectType<Tensor<[8, 2, 4], 'float32'>>(bmm(ones([8, 2, 3]), ones([8, 3, 4])))
expectType<Tensor<[2, 3], 'float32'>>(cross(m, ones([3])))
expectType<Tensor<[2, 3], 'float32'>>(normalize(m))
expectType<Tensor<[2], 'float32'>>(cosineSimilarity(m, m))
expectError(bmm(ones([8, 2, 3]), ones([8, 2, 4])))
expectError(quantile(m, 0.5, 2))
expectError(nansum(m, 0, { keepdims: true }))
expectError(cross(m, ones([2])))
