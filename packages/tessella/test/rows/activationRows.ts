import * as layers from '@tessella/layers'
import * as t from '@tessella/tensor'
import { fn, layer, type Row, type Rows, shapeOf } from './row.ts'

const unary = (run: (x: t.Tensor) => t.Tensor): Row => fn((i) => run(i('x')))

export const activationFunctions: Rows = {
  sigmoid: unary(t.sigmoid),
  tanh: unary(t.tanh),
  relu: unary(t.relu),
  relu6: unary(t.relu6),
  leakyRelu: fn((i, a) => t.leakyRelu(i('x'), a.negativeSlope)),
  elu: fn((i, a) => t.elu(i('x'), a.alpha)),
  celu: fn((i, a) => t.celu(i('x'), a.alpha)),
  selu: unary(t.selu),
  gelu: fn((i, a) => t.gelu(i('x'), a.approximate)),
  geluTanh: fn((i, a) => t.gelu(i('x'), a.approximate)),
  silu: unary(t.silu),
  mish: unary(t.mish),
  softplus: unary((x) => t.softplus(x)),
  softsign: unary(t.softsign),
  hardtanh: unary((x) => t.hardtanh(x)),
  hardswish: unary(t.hardswish),
  hardsigmoid: unary(t.hardsigmoid),
  logSigmoid: unary(t.logSigmoid),
  tanhshrink: unary(t.tanhshrink),
  softshrink: fn((i, a) => t.softshrink(i('x'), a.lambda)),
  prelu: fn((i) => t.prelu(i('x'), i('weight'))),
  softmax: fn((i, a) => t.softmax(i('x'), a.axis)),
  logSoftmax: fn((i, a) => t.logSoftmax(i('x'), a.axis)),
  glu: fn((i, a) => t.glu(i('x'), a.axis)),
}

export const activationLayers: Rows = {
  sigmoid: layer(layers.sigmoid),
  tanh: layer(layers.tanh),
  relu: layer(layers.relu),
  relu6: layer(layers.relu6),
  leakyRelu: layer((a) => layers.leakyRelu(a.negativeSlope)),
  elu: layer((a) => layers.elu(a.alpha)),
  celu: layer((a) => layers.celu(a.alpha)),
  selu: layer(layers.selu),
  gelu: layer((a) => layers.gelu(a.approximate)),
  geluTanh: layer((a) => layers.gelu(a.approximate)),
  silu: layer(layers.silu),
  mish: layer(layers.mish),
  softplus: layer(() => layers.softplus()),
  softsign: layer(layers.softsign),
  hardtanh: layer(() => layers.hardtanh()),
  hardswish: layer(layers.hardswish),
  hardsigmoid: layer(layers.hardsigmoid),
  logSigmoid: layer(layers.logSigmoid),
  tanhshrink: layer(layers.tanhshrink),
  softshrink: layer((a) => layers.softshrink(a.lambda)),
  prelu: layer((_, c) => layers.prelu(shapeOf(c, 'weight')[0] as number)),
  softmax: layer((a) => layers.softmax(a.axis)),
  logSoftmax: layer((a) => layers.logSoftmax(a.axis)),
  glu: layer((a) => layers.glu(a.axis)),
}
