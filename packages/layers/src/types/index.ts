export type { ChainArguments, RunChain, SpecOf } from './chain.ts'
export type { AnyLayer, AnyModal, CallOf, DTypeAfter, LayerCall, ModalLayerCall, Mode } from './layer.ts'
export type {
  ChainSpec,
  ChannelsSpec,
  ConvSpec,
  ConvTransposeSpec,
  FeaturesSpec,
  FlattenSpec,
  FunctionSpec,
  InputSpec,
  LayerSpec,
  LookupSpec,
  PoolSpec,
  ResidualSpec,
  ResizeSpec,
  SameSpec,
  UnflattenSpec,
} from './specs.ts'
export type { Step } from './step.ts'
