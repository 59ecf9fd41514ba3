export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  multiMargin,
  nll,
} from './classification.ts'
export { cosineEmbedding, klDiv, tripletMargin } from './distance.ts'
export { accuracy, errorCount } from './metrics.ts'
export type { Loss, LossOptions, Reduction } from './reduction.ts'
export { gaussianNll, huber, l1Loss, mse, poissonNll, smoothL1 } from './regression.ts'
