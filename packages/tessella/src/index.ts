export * from '@tessella/autograd'
export * from '@tessella/backend-cpu'
export * from '@tessella/backend-wgpu'
export * as layers from '@tessella/layers'
export * from '@tessella/layers'
export * from '@tessella/losses'
export * from '@tessella/optimizers'
export * from '@tessella/regularizers'
export * as functional from '@tessella/tensor'
export * from '@tessella/tensor'
export * from '@tessella/training'
export * from './datasets.ts'
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  celu,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  elu,
  flatten,
  gelu,
  glu,
  hardsigmoid,
  hardswish,
  hardtanh,
  identity,
  identityTransform,
  leakyRelu,
  linear,
  logSigmoid,
  logSoftmax,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  mish,
  normal,
  ones,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  sign,
  silu,
  softmax,
  softplus,
  softshrink,
  softsign,
  stopGradient,
  tanh,
  tanhshrink,
  trace,
  truncatedNormal,
  uniform,
  zeros,
} from './names.ts'
