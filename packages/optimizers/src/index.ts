export { accumulate } from './accumulate.ts'
export { type AdamOptions, type AdamState, type MomentOptions, type Moments, scaleByAdam } from './adam.ts'
export { type NadamOptions, scaleByAdamax, scaleByNadam, scaleByRadam } from './adamRelatives.ts'
export {
  type AdadeltaOptions,
  type AdagradOptions,
  type RmsOptions,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByRms,
} from './adaptive.ts'
export {
  type AsgdOptions,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  asgd,
  type DecayOptions,
  type LionOptions,
  lion,
  momentum,
  nadam,
  nesterov,
  type RmspropOptions,
  radam,
  rmsprop,
  rprop,
  type SgdOptions,
  sgd,
} from './alias.ts'
export { trackAverage } from './average.ts'
export { clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clip.ts'
export { addDecayedWeights } from './decay.ts'
export { type EmaOptions, ema, type WeightAverage } from './ema.ts'
export { type GroupStates, groups } from './groups.ts'
export { type Lbfgs, type LbfgsOptions, lbfgs } from './lbfgs.ts'
export { type Count, type Rate, type Schedule, scaleByLearningRate } from './learningRate.ts'
export { type ScaleByLionOptions, scaleByLion } from './lion.ts'
export { type LookaheadOptions, lookahead } from './lookahead.ts'
export { maskUpdates } from './mask.ts'
export { emaMomentum, type MomentumOptions, type MomentumState, trace } from './momentum.ts'
export { type Optimizer, optimizer } from './optimizer.ts'
export { type Plateau, type PlateauOptions, reduceOnPlateau } from './plateau.ts'
export { type RpropOptions, scaleByRprop } from './rprop.ts'
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
export { applyUpdates, chain, identity, type Nothing, stateless, type Transform } from './transform.ts'
export { zipTrees } from './trees.ts'
export { type Evaluate, type NagOptions, nag, type SamOptions, sam, type TwoPoint } from './twoPoint.ts'
