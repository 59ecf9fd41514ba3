/** The types of real tensors: shapes and dtypes that follow, and what does not compile. */
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import {
  add,
  arange,
  argmax,
  avgPool2d,
  clip,
  concat,
  conv2d,
  div,
  eq,
  type Key,
  key,
  linear,
  max,
  maxPool2d,
  mean,
  normal,
  type Operand,
  oneHot,
  ones,
  pow,
  relu,
  splitKey,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  topk,
  transpose,
  where,
  zeros,
} from '../src/index.ts'

declare const unknownShape: Tensor
declare const anyDType: Tensor<[2, 3]>
declare const batch: Tensor<[number, 784], 'float32'>
declare const wide: number
declare const operand: Operand
declare const list: number[]

// Creation.
expectType<Tensor<[2, 2], 'float32'>>(
  tensor([
    [1, 2],
    [3, 4],
  ]),
)
expectType<Tensor<[3], 'int32'>>(tensor([3, 1, 2], 'int32'))
expectType<Tensor<[2], 'bool'>>(tensor([true, false]))
expectType<Tensor<[], 'float32'>>(tensor(3))
expectType<Tensor<[28, 28], 'uint8'>>(tensor(new Uint8Array(784), [28, 28]))
expectType<Tensor<[number], 'float64'>>(tensor(new Float64Array(3)))
expectType<Tensor<[number], 'float32'>>(tensor(list))
expectType<Tensor<[2, 3], 'float32'>>(zeros([2, 3]))
expectType<Tensor<[number, 3], 'int32'>>(zeros([wide, 3], 'int32'))
expectType<Tensor<[10], 'int32'>>(arange(10))
expectType<Tensor<[4, 10], 'float32'>>(oneHot(zeros([4], 'int32'), 10))
// The surroundings do not widen a dtype.
expectType<Tensor<[4, 3], 'float32'>>(concat([ones([2, 3]), ones([2, 3])]))

// A tensor of known shape is one of unknown shape, and not the other way round.
expectAssignable<Tensor>(zeros([2, 3]))
expectAssignable<Tensor<[number, 3]>>(zeros([2, 3]))
expectNotAssignable<Tensor<[2, 4]>>(zeros([2, 3]))
expectNotAssignable<Tensor<[2, 3], 'int32'>>(zeros([2, 3]))
expectNotAssignable<Tensor<[2, 3]>>(unknownShape)

// Broadcasting and dtypes of two operands.
expectType<Tensor<[2, 3], 'float32'>>(zeros([2, 3]).add(zeros([3])))
expectType<Tensor<[2, 3], 'float32'>>(zeros([2, 1]).mul(zeros([3], 'int32')))
expectType<Tensor<[number, 784], 'float32'>>(batch.sub(batch.mean(0)))
expectType<Tensor<[2], 'int32'>>(zeros([2], 'int32').add(2))
expectType<Tensor<[2], 'float32'>>(zeros([2], 'int32').add(0.5))
expectType<Tensor<[2], 'int32' | 'float32'>>(zeros([2], 'int32').add(wide))
expectType<Tensor<[2], 'int32'>>(zeros([2], 'bool').add(zeros([2], 'uint8')))
expectType<Tensor<[2], 'float32'>>(div(zeros([2], 'int32'), 2))
expectType<Tensor<[2], 'float64'>>(zeros([2], 'int32').add(zeros([], 'float64')))
expectType<Tensor<[2], 'bool'>>(eq(zeros([2]), 1))
expectType<Tensor<[2], 'float32'>>(sub(1, zeros([2])))
expectType<Tensor<[2], 'int32'>>(pow(zeros([2], 'int32'), 2))
expectType<Tensor<[2, 3], 'float32'>>(where(zeros([2, 1], 'bool'), zeros([3]), 0))
expectType<Tensor<[2, 3], 'float32'>>(clip(zeros([2, 3]), 0, 1))
expectAssignable<Tensor>(unknownShape.add(operand))
expectAssignable<Tensor<[2, 3]>>(anyDType.mul(2))
expectError(zeros([2, 3]).add(zeros([4, 3])))
expectError(add(zeros([2, 3]), zeros([4, 3])))
expectError(zeros([2]).add('1'))

// Generic code keeps its shape.
const scaled = <S extends readonly number[]>(x: Tensor<S, 'float32'>): Tensor<S, 'float32'> => relu(x).mul(2).add(1)
expectType<Tensor<[2, 3], 'float32'>>(scaled(zeros([2, 3])))

// Reductions.
expectType<Tensor<[], 'float32'>>(sum(zeros([2, 3])))
expectType<Tensor<[2], 'float32'>>(zeros([2, 3]).sum(-1))
expectType<Tensor<[2, 1], 'float32'>>(mean(zeros([2, 3]), 1, { keepdim: true }))
expectType<Tensor<[], 'int32'>>(zeros([2], 'bool').sum())
expectType<Tensor<[3], 'int32'>>(argmax(zeros([2, 3]), 0))
expectType<Tensor<[2, 3], 'float32'>>(zeros([2, 3]).cumsum(0))
expectError(max(zeros([2, 3]), 2))
expectError(zeros([2, 3]).softmax())

// Movement.
expectType<Tensor<[6, 4], 'float32'>>(zeros([2, 3, 4]).reshape([6, -1]))
expectType<Tensor<[3, 2], 'float32'>>(zeros([2, 3]).T)
expectType<Tensor<[2, 12], 'float32'>>(zeros([2, 3, 4]).flatten(1))
expectType<Tensor<[5, 3, 2], 'float32'>>(zeros([8, 3, 4, 9]).slice([0, 5], null, [null, null, 2], 3))
expectType<Tensor<[2, 4], 'float32'>>(zeros([2, 3, 4]).at(1, 0))
expectType<Tensor<[2, 2], 'float32'>>(zeros([2, 5]).narrow(1, 0, 2))
expectType<Tensor<[3, 32], 'float32'>>(
  zeros([3, 28]).pad([
    [0, 0],
    [2, 2],
  ]),
)
expectType<Tensor<[2, 2, 3], 'float64'>>(stack([zeros([2, 3]), zeros([2, 3], 'float64')]))
expectError(zeros([2, 3]).reshape([4, 2]))
expectError(zeros([2, 3]).permute([0, 0]))
expectError(transpose(zeros([2, 3]), 0, 2))
expectError(zeros([2, 3]).squeeze(0))
expectError(concat([zeros([2, 3]), zeros([2, 4])]))

// Products, picking, windows.
expectType<Tensor<[number, 10], 'float32'>>(batch.matmul(zeros([784, 10])))
expectType<Tensor<[number, 10], 'float32'>>(linear(batch, zeros([10, 784]), zeros([10])))
expectType<Tensor<[32, 10, 64], 'float32'>>(take(zeros([5000, 64]), zeros([32, 10], 'int32')))
expectType<Tensor<[4, 3], 'float32'>>(topk(zeros([4, 7]), 3).values)
expectType<Tensor<[8, 64, 112, 112], 'float32'>>(
  conv2d(zeros([8, 3, 224, 224]), zeros([64, 3, 7, 7]), { stride: 2, padding: 3, bias: zeros([64]) }),
)
expectType<Tensor<[64, 6, 12, 12], 'float32'>>(maxPool2d(zeros([64, 6, 24, 24]), 2))
expectType<Tensor<[1, 6, number, number], 'float32'>>(avgPool2d(zeros([1, 6, 5, 5]), 2, { ceilMode: true }))
expectError(batch.matmul(zeros([10, 784])))
expectError(linear(batch, zeros([784, 10])))
expectError(conv2d(zeros([8, 2, 28, 28]), zeros([6, 1, 5, 5])))
expectError(maxPool2d(zeros([1, 1, 3, 3]), 5))

// Reading and random numbers.
expectType<Promise<number>>(zeros([]).item())
expectType<Promise<boolean>>(zeros([], 'bool').item())
expectType<Promise<Int32Array<ArrayBuffer>>>(zeros([2], 'int32').data())
expectType<Key>(key(0))
expectType<Tensor<[2, 2], 'uint32'>>(splitKey(key(0)))
expectType<Tensor<[3, 4], 'float32'>>(normal(key(0), [3, 4]))
