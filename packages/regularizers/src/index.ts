export { type Constraint, constrain, decoupledDecay, maxNorm, nonNegative, unitNorm } from './constraint.ts'
export type { Selection } from './parameters.ts'
export { elasticNet, l1, l2 } from './penalty.ts'
