import { expectError, expectType } from 'tsd'
import { type Einsum, einsum, matmul, ones, type ShapeError, type Tensor, zeros } from '../src/index.ts'

const a = ones([8, 2, 3])
const b = ones([8, 3, 4])
expectType<Tensor<[8, 2, 4], 'float32'>>(einsum('bij,bjk->bik', a, b))
expectType<Tensor<[8, 2, 4], 'float32'>>(einsum('bij, bjk -> bik', a, b))
expectType<Tensor<[3, 8], 'float32'>>(einsum('bij->jb', a))
expectType<Tensor<[], 'float32'>>(einsum('ii->', ones([3, 3])))
expectType<Tensor<[2, 4, 5], 'float32'>>(einsum('bij,bjk,kl->ikl', a, b, ones([4, 5])))
expectType<Tensor<[], 'int32'>>(einsum('i->', zeros([3], 'uint8')))
expectType<Tensor<[], 'float64'>>(einsum('i,i->', zeros([3], 'uint8'), zeros([3], 'float64')))
// A size of 1 broadcasts.
expectType<Tensor<[8, 2, 4], 'float32'>>(einsum('bij,bjk->bik', ones([1, 2, 3]), b))

// What is unknown is not checked.
declare const batch: Tensor<[number, 3], 'float32'>
declare const any: Tensor<readonly number[], 'float32'>
declare const equation: string
declare const pair: Tensor<[2, 2], 'float32'>[]
expectType<Tensor<[number, 2], 'float32'>>(einsum('ni,oi->no', batch, ones([2, 3])))
expectType<Tensor<[number, 4], 'float32'>>(einsum('ij,jk->ik', any, ones([3, 4])))
expectType<Tensor<readonly number[], 'float32'>>(einsum('...ij,...jk->...ik', a, b))
expectType<Tensor<readonly number[], 'float32'>>(einsum('ij,jk', ones([2, 3]), ones([3, 4])))
expectType<Tensor<readonly number[], 'float32'>>(einsum(equation, a, b))
expectType<Tensor<readonly number[], 'float32'>>(einsum('ij,jk->ik', ...pair))
matmul(einsum('bij->ij', a), ones([3, 1]))

// Mistakes do not compile.
expectError(einsum('ij,jk->ik', ones([2, 3]), ones([4, 5])))
expectError(einsum('ij->ji', a))
expectError(einsum('ij,jk->ik', ones([2, 3])))
expectError(einsum('ij->ik', ones([2, 3])))
expectType<ShapeError<"einsum 'ij,jk->ik': 'j' is 3 and 4">>({} as Einsum<'ij,jk->ik', [[2, 3], [4, 5]]>)
expectType<ShapeError<"einsum 'ij->k': the result names 'k', which no operand has">>({} as Einsum<'ij->k', [[2, 3]]>)
