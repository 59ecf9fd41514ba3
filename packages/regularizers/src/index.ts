export { type Constraint, constrain, decoupledDecay, maxNorm, nonNegative, unitNorm } from './constraint.ts'
export {
  type Bend,
  bends,
  type CurvatureOptions,
  type DenseLayer,
  denseCurvature,
  halfSquaredError,
  type LayerCurvature,
  type OutputDerivatives,
  softmaxCrossEntropy,
} from './curvature.ts'
export { type HutchinsonOptions, hutchinsonDiagonal } from './hutchinson.ts'
export { cutmix, type Mixed, type MixOptions, mixup, symmetricBeta } from './mix.ts'
export { type BrainDamageOptions, type BrainDamageRound, optimalBrainDamage } from './obd.ts'
export type { Selection } from './parameters.ts'
export { elasticNet, l1, l2 } from './penalty.ts'
export {
  type ByName,
  featureSalience,
  magnitudes,
  type Pruning,
  perFeature,
  pruning,
  saliences,
} from './pruning.ts'
