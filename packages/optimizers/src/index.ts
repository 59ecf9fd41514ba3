export { type AdamOptions, type AdamState, scaleByAdam } from './adam.ts'
export {
  type AdadeltaOptions,
  type AdagradOptions,
  type RmsOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByRms,
} from './adaptive.ts'
export {
  adadelta,
  adagrad,
  adam,
  adamw,
  addDecayedWeights,
  type DecayOptions,
  momentum,
  nesterov,
  type RmspropOptions,
  rmsprop,
  type SgdOptions,
  sgd,
} from './alias.ts'
export { clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clip.ts'
export { type Count, type Schedule, scaleByLearningRate } from './learningRate.ts'
export { emaMomentum, type MomentumOptions, type MomentumState, trace } from './momentum.ts'
export { type Optimizer, optimizer } from './optimizer.ts'
export {
  constantSchedule,
  cosineDecay,
  cosineWarmRestarts,
  exponentialDecay,
  joinSchedules,
  linearSchedule,
  multiStepDecay,
  oneCycle,
  polynomialDecay,
  stepDecay,
  warmup,
} from './schedule.ts'
export { applyUpdates, chain, identity, type State, stateless, type Transform } from './transform.ts'
