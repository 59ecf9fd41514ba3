export {
  type Activation,
  celu,
  elu,
  gelu,
  glu,
  hardsigmoid,
  hardswish,
  hardtanh,
  identity,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  type Prelu,
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
  step,
  tanh,
  tanhshrink,
} from './activation.ts'
export {
  type AttentionMask,
  type AttentionOptions,
  type MultiheadAttention,
  type MultiheadAttentionOptions,
  type MultiheadMask,
  multiheadAttention,
  scaledDotProductAttention,
} from './attention.ts'
export {
  type BatchNorm,
  type BatchNormOptions,
  batchNorm1d,
  batchNorm2d,
  batchNorm3d,
  recalibrate,
} from './batchNorm.ts'
export { fn, type Module, module, type Residual, residual, type Sequential, sequential } from './compose.ts'
export {
  type ConvLayerOptions,
  type Convolution,
  type ConvTransposeLayerOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type TransposedConvolution,
} from './conv.ts'
export { drawGraph } from './drawGraph.ts'
export {
  alphaDropout,
  channelDropout,
  classicDropout,
  type Dropout,
  type DropoutOptions,
  dropout,
  gaussianDropout,
} from './dropout.ts'
export { type Embedding, type EmbeddingOptions, embedding } from './embedding.ts'
export { LayerError } from './errors.ts'
export type { Initializer } from './facts.ts'
export {
  globalAvgPool1d,
  globalAvgPool2d,
  globalAvgPool3d,
  globalMaxPool1d,
  globalMaxPool2d,
  globalMaxPool3d,
} from './globalPool.ts'
export {
  constant,
  type Fans,
  fansOf,
  gainOf,
  type HeOptions,
  heNormal,
  heUniform,
  identity as identityInit,
  lecunNormal,
  lecunUniform,
  type Nonlinearity,
  normal,
  ones,
  sparse,
  truncatedNormal,
  uniform,
  uniformHidden,
  xavierNormal,
  xavierUniform,
  zeros,
} from './init.ts'
export { type InitializeOptions, initialize } from './initialize.ts'
export { orthogonal } from './initOrthogonal.ts'
export { type CountOptions, countParameters, outputShape } from './inspect.ts'
export { type Bilinear, bilinear, type Linear, linear, type WeightOptions } from './linear.ts'
export { type GraphNode, graphText, type ModelGraph, modelGraph } from './modelGraph.ts'
export {
  type ChannelNorm,
  groupNorm,
  instanceNorm,
  type LayerNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  type NormOptions,
  type RmsNorm,
  rmsNorm,
} from './norm.ts'
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
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from './pool.ts'
export { type ReceptiveField, receptiveField } from './receptiveField.ts'
export {
  gru,
  lstm,
  type Recurrent,
  type RecurrentOptions,
  type RecurrentState,
  type RnnOptions,
  rnn,
} from './recurrent.ts'
export { flatten, input, unflatten } from './shape.ts'
export { type SpectralNorm, type SpectralNormOptions, spectralNorm } from './spectralNorm.ts'
export {
  type LoadOptions,
  type LoadReport,
  loadStateDict,
  type StateDict,
  StateDictError,
  stateDict,
  type WrongShape,
} from './stateDict.ts'
export { type ModelSummary, type SummaryRow, summarize, summary } from './summary.ts'
export type * from './types/index.ts'
export { type UnitVarianceOptions, unitVariance } from './unitVariance.ts'
export {
  type LearnedDropout,
  learnedAlphas,
  type VariationalDropout,
  type VariationalDropoutOptions,
  variationalDropout,
  variationalKl,
} from './variationalDropout.ts'
export { type WeightNorm, weightNorm } from './weightNorm.ts'
