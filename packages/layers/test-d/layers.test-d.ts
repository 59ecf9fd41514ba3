/** The factories as users call them: what must compile, what must not. */
import { type Shape, type Tensor, Variable, zeros } from '@tessella/tensor'
import { expectAssignable, expectError, expectType } from 'tsd'
import * as L from '../src/index.ts'

const digits = zeros([64, 1, 28, 28])
declare const someDigits: Tensor<[number, 1, 28, 28], 'float32'>
declare const bytes: Tensor<[number, 1, 28, 28], 'uint8'>

const leNet = L.sequential(
  L.input(1, 28, 28),
  L.conv2d(1, 6, 5),
  L.relu(),
  L.maxPool2d(2),
  L.conv2d(6, 16, 5),
  L.relu(),
  L.maxPool2d(2),
  L.flatten(),
  L.linear(256, 120),
  L.relu(),
  L.linear(120, 84),
  L.relu(),
  L.linear(84, 10),
)
expectType<Tensor<[64, 10], 'float32'>>(leNet(digits))
expectType<Tensor<[number, 10], 'float32'>>(leNet(someDigits))
expectType<Tensor<[number, 10], 'float32'>>(leNet(bytes))
expectType<Variable<[120, 256], 'float32'>>(leNet[8].weight)
expectError(leNet(zeros([64, 784])))
expectError(
  L.sequential(
    L.input(1, 28, 28),
    L.conv2d(1, 6, 5),
    L.relu(),
    L.maxPool2d(2),
    L.conv2d(6, 16, 5),
    L.relu(),
    L.maxPool2d(2),
    L.flatten(),
    L.linear(400, 120),
  ),
)
expectError(L.sequential(L.linear(784, 128), L.linear(120, 10)))
expectError(L.sequential(L.conv2d(1, 6, 5), L.batchNorm2d(16)))
expectError(L.sequential(L.relu))
expectError(L.linear(784, 10)(zeros([8, 400])))
expectError(L.conv2d(1, 6, 5)(zeros([8, 3, 28, 28])))
expectError(L.conv2d(1, 6, 5)(zeros([8, 1, 4, 4])))

/** Options reach the shapes. */
expectType<Tensor<[8, 64, 112, 112], 'float32'>>(
  L.conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })(zeros([8, 3, 224, 224])),
)
expectType<Tensor<[8, 6, 28, 28], 'float32'>>(L.conv2d(1, 6, 5, { padding: 'same' })(zeros([8, 1, 28, 28])))
expectType<Tensor<[8, 6, 24, 26], 'float32'>>(L.conv2d(1, 6, [5, 3])(zeros([8, 1, 28, 28])))
expectType<Tensor<[4, 8, 98], 'float32'>>(L.conv1d(1, 8, 3)(zeros([4, 1, 100])))
expectType<Tensor<[4, 2, 6, 6, 4], 'float32'>>(L.conv3d(1, 2, [3, 3, 5])(zeros([4, 1, 8, 8, 8])))
expectType<Tensor<[8, 3, 28, 28], 'float32'>>(
  L.convTranspose2d(16, 3, 4, { stride: 2, padding: 1 })(zeros([8, 16, 14, 14])),
)
expectType<Tensor<[8, 6, 13, 13], 'float32'>>(L.maxPool2d(3, { stride: 2 })(zeros([8, 6, 28, 28])))
expectType<Tensor<[8, 6, 4, 4], 'float32'>>(L.maxPool2d(2)(zeros([8, 6, 8, 8], 'uint8')))
expectType<Tensor<[8, 6, number, number], 'float32'>>(L.maxPool2d(2, { ceilMode: true })(zeros([8, 6, 7, 7])))
expectType<Tensor<[8, 6, 3, 2], 'float32'>>(L.adaptiveAvgPool2d([3, 2])(zeros([8, 6, 7, 7])))
expectType<Tensor<[8, 6, 3, 2, 1], 'float32'>>(L.adaptiveMaxPool3d([3, 2, 1])(zeros([8, 6, 7, 7, 7])))
expectType<Tensor<[number, number], 'float32'>>(L.globalAvgPool2d()(zeros([8, 6, 7, 7])))
expectType<Tensor<[8, 16, 4, 4], 'float32'>>(L.unflatten(1, [16, 4, 4])(zeros([8, 256])))
expectType<Tensor<[2, 12], 'uint8'>>(L.flatten()(zeros([2, 3, 4], 'uint8')))
expectType<Tensor<[8, 5, 4], 'float32'>>(L.sequential(L.embedding(100, 16), L.linear(16, 4))(zeros([8, 5], 'int32')))

/** Parameters. */
expectType<Variable<[10], 'float32'>>(L.linear(784, 10).bias)
expectType<undefined>(L.linear(784, 10, { bias: false }).bias)
expectType<undefined>(L.conv2d(1, 6, 5, { bias: false }).bias)
expectType<Variable<[6, number, number, number], 'float32'>>(L.conv2d(1, 6, 5).weight)
expectType<Variable<[6], 'float32'>>(L.batchNorm2d(6).runningMean)
expectType<undefined>(L.batchNorm2d(6, { affine: false }).weight)
expectType<Variable<[], 'int32'>>(L.batchNorm2d(6).numBatchesTracked)

/** Modes. */
const modal = L.sequential(L.conv2d(1, 6, 5), L.batchNorm2d(6), L.relu(), L.dropout(0.5))
expectType<Tensor<[64, 6, 24, 24], 'float32'>>(modal(digits, 'train'))
expectError(modal(digits))
expectError(L.dropout(0.5)(digits))
expectAssignable<L.AnyLayer>(modal)
expectAssignable<L.AnyLayer>(L.residual(modal))
expectType<Tensor<[8, 6], 'float32'>>(L.residual(L.linear(6, 6))(zeros([8, 6])))
expectError(L.residual(L.linear(6, 7))(zeros([8, 6])))

/** Dtypes. */
expectType<Tensor<[3], 'float64'>>(L.tanh()(zeros([3], 'float64')))
expectType<Tensor<[3], 'float32'>>(L.tanh()(zeros([3], 'int32')))
expectType<Tensor<[3], 'int32'>>(L.relu()(zeros([3], 'int32')))

/** Free composition. */
const net = L.module(
  { conv1: L.conv2d(1, 6, 5), fc1: L.linear(864, 10), scale: new Variable(zeros([10])) },
  (m, x: Tensor<[number, 1, 28, 28], 'float32'>) =>
    m.fc1(L.maxPool2d(2)(m.conv1(x).relu()).flatten(1)).mul(m.scale.value),
)
expectType<Tensor<[number, 10], 'float32'>>(net(digits))
expectType<Variable<[10, 864], 'float32'>>(net.fc1.weight)
expectError(net(zeros([8, 784])))
expectType<Tensor<[number, 5], 'float32'>>(L.sequential(net, L.linear(10, 5))(digits))
expectError(L.sequential(net, L.linear(11, 5)))
const modalNet = L.module({ drop: L.dropout(0.1), layers: [L.relu()] }, (m, x: Tensor<[number, 4], 'float32'>, mode) =>
  m.drop(x, mode),
)
expectError(modalNet(zeros([2, 4])))
expectType<Tensor<[number, 4], 'float32'>>(modalNet(zeros([2, 4]), 'eval'))
expectType<Tensor<Shape, 'float32'>>(L.fn('any', (x) => x)(zeros([2, 4])))
expectType<Tensor<[number, 2], 'float32'>>(
  L.fn('halve', (x: Tensor<[number, 4], 'float32'>) => x.narrow(1, 0, 2))(zeros([2, 4])),
)
expectType<Variable<Shape, 'float32'>>(L.weightNorm(L.linear(3, 4)).weightG)
expectType<Tensor<[8, 4], 'float32'>>(L.weightNorm(L.linear(3, 4))(zeros([8, 3])))

/** Recurrent layers and attention: sizes, names and states. */
const digitRows = zeros([8, 28, 28])
expectType<Tensor<[8, 28, 64], 'float32'>>(L.rnn(28, 64)(digitRows))
expectType<Tensor<[8, 28, 128], 'float32'>>(L.lstm(28, 64, { bidirectional: true })(digitRows))
expectType<Tensor<[8, 28, 64], 'float32'>>(L.gru(28, 64)(digitRows))
expectType<Tensor<[8, 28, 28], 'float32'>>(L.multiheadAttention(28, 4)(digitRows))
const stacked = L.lstm(28, 64, { layers: 2, bidirectional: true })
expectType<Variable<[256, 28], 'float32'>>(stacked.weightIhL0Reverse)
expectType<Variable<[256, 128], 'float32'>>(stacked.weightIhL1)
expectType<Variable<[256, 64], 'float32'>>(stacked.weightHhL1Reverse)
expectError(stacked.weightIhL2)
expectError(L.lstm(28, 64).weightIhL0Reverse)
expectError(L.lstm(64, 28)(digitRows))
expectError(L.sequential(L.lstm(28, 64, { bidirectional: true }), L.linear(64, 10)))
expectType<Tensor>(stacked.run(digitRows)[1].cell)
expectType<undefined>(L.gru(28, 64).run(digitRows)[1].cell)
expectError(L.multiheadAttention(64, 4)(digitRows))
const noisyGru = L.gru(28, 64, { layers: 2, dropout: 0.1 })
expectType<Tensor<[8, 28, 64], 'float32'>>(noisyGru(digitRows, 'train'))
expectError(noisyGru(digitRows))
expectError(L.multiheadAttention(28, 4, { dropout: 0.1 })(digitRows))
expectType<Tensor<[8, 5, 7]>>(L.scaledDotProductAttention(zeros([8, 5, 3]), zeros([8, 6, 3]), zeros([8, 6, 7])))
expectType<Tensor<[number, number], 'float32'>>(L.globalMaxPool3d()(zeros([4, 6, 2, 2, 2])))
/** Spectral normalisation must be told the mode. */
expectError(L.spectralNorm(L.linear(4, 2))(zeros([1, 4])))
expectType<Tensor<[1, 2], 'float32'>>(L.spectralNorm(L.linear(4, 2))(zeros([1, 4]), 'train'))
