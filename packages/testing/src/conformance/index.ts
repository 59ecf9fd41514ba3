export type { Case, Relaxation, Tolerances } from './case.ts'
export { type CaseGroup, type ConformanceOptions, checkCase, conformance, conformanceGroups } from './conformance.ts'
export { type GradientConformanceOptions, gradientConformance } from './gradients/gradients.ts'
export { Inputs, type ViewKind, viewKinds } from './inputs.ts'
