export { evaluate } from './conformance/case.ts'
export { expectKernels } from './expectKernels.ts'
export {
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  golden,
  goldenFiles,
  goldenMismatch,
  goldenTolerance,
} from './golden.ts'
export { type GradcheckOptions, type GradInput, gradcheck, type NodeVjp } from './gradcheck.ts'
export { compareOnGraph, compareOnRandomGraphs } from './random/compare.ts'
export { type RandomGraph, randomGraph } from './random/randomGraph.ts'
export { reference } from './reference/reference.ts'
export { mismatch, type Tolerance, ulpOf } from './tolerance.ts'
