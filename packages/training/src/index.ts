export { type Checkpoint, decodeCheckpoint, encodeCheckpoint, restoreCheckpoint } from './checkpoint.ts'
export { loadCheckpoint, readCheckpoint, saveCheckpoint, writeFileAtomic } from './checkpointFile.ts'
export type { Culprit } from './diagnose.ts'
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from './earlyStopping.ts'
export { TrainingError, type TrainingErrorCode } from './errors.ts'
export { evaluator, predict } from './evaluate.ts'
export { findLearningRate, type RateSearch, type RateSearchOptions } from './findLearningRate.ts'
export { type EndReason, type EpochBatches, type FitOptions, fit, type TrainingEvent } from './fit.ts'
export { formatNumber, formatSeconds } from './format.ts'
export { type KroneckerFactored, type KroneckerOptions, kroneckerFactored } from './kroneckerFactored.ts'
export {
  type ByParameter,
  fisherProduct,
  type Likelihood,
  type NaturalGradientOptions,
  naturalGradient,
} from './naturalGradient.ts'
export { type PretrainedLayer, type PretrainOptions, pretrainLayers } from './pretrain.ts'
export { type Progress, type ProgressOptions, type ProgressStream, progress } from './progress.ts'
export { decodeSafetensors, encodeSafetensors } from './safetensors.ts'
export {
  bestTrial,
  gridSearch,
  type HalvingOptions,
  type RandomSearchOptions,
  randomSearch,
  type SearchOptions,
  successiveHalving,
  type Trial,
} from './search.ts'
export {
  type Configuration,
  choice,
  type Dimension,
  integerIn,
  logUniformIn,
  type SearchSpace,
  uniformIn,
} from './searchSpace.ts'
export { secondsLeft, type TrainingProgress } from './secondsLeft.ts'
export { type HostTensor, restore, type Snapshot, snapshot } from './snapshot.ts'
export { type StepOptions, type TrainStep, trainStep } from './step.ts'
