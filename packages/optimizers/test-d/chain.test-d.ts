import type { Tensor } from '@tessella/tensor'
import { expectAssignable, expectError, expectType } from 'tsd'
import {
  type AdamState,
  type Count,
  chain,
  clipByNorm,
  type MomentumState,
  type Nothing,
  optimizer,
  scaleByAdam,
  scaleByLearningRate,
  sgd,
  type Transform,
  trace,
} from '../src/index.ts'

// The state of a chain is the list of the states of its parts.
const steps = chain(
  clipByNorm(1),
  scaleByAdam(),
  trace(0.9),
  scaleByLearningRate((step) => step),
)
expectType<Transform<[Nothing, AdamState, MomentumState, Count]>>(steps)
expectType<Transform<[Nothing, Transform<[AdamState]> extends Transform<infer S> ? S : never]>>(
  chain(scaleByLearningRate(0.1), chain(scaleByAdam())),
)

declare const w: Tensor<[3, 2], 'float32'>
expectType<Count>(steps.init({ w })[3])

// Updates keep the type of the gradients.
const [updates] = sgd(0.1).update({ w, more: [w] as const }, [], { w, more: [w] })
expectType<Tensor<[3, 2], 'float32'>>(updates.more[0])

// The shell takes any transform whose state is made of tensors.
expectAssignable<Transform>(steps)
declare const counting: Transform<number>
expectError(optimizer(counting, {}))
expectError(chain(sgd(0.1), counting))
expectError(sgd('0.1'))
