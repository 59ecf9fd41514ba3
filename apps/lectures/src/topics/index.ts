import type { Topic } from '../pages/topic.ts'
import { activations } from './activations.ts'
import { augmentation } from './augmentation.ts'
import { backprop } from './backprop.ts'
import { batchNormalisation } from './batchNormalisation.ts'
import { batchSizes } from './batchSizes.ts'
import { constraints } from './constraints.ts'
import { convolution } from './convolution.ts'
import { dropoutDecay } from './dropoutDecay.ts'
import { dropoutForms } from './dropoutForms.ts'
import { graph } from './graph.ts'
import { imageFolderTopic } from './imageFolderTopic.ts'
import { initialisation } from './initialisation.ts'
import { mainExperiment } from './mainExperiment.ts'
import { mixing } from './mixing.ts'
import { optimizers } from './optimizers.ts'
import { overfitting } from './overfitting.ts'
import { perceptron } from './perceptron.ts'
import { polynomial } from './polynomial.ts'
import { pruningTopic } from './pruning.ts'
import { receptive } from './receptive.ts'
import { regularisation } from './regularisation.ts'
import { standardisation } from './standardisation.ts'
import { tableTopic } from './tableTopic.ts'
import { universal } from './universal.ts'
import { variational } from './variational.ts'

/** All topics, in the order in which they build on each other. */
export const topics: readonly Topic[] = [
  activations,
  convolution,
  receptive,
  perceptron,
  graph,
  universal,
  polynomial,
  tableTopic,
  backprop,
  initialisation,
  batchSizes,
  standardisation,
  optimizers,
  overfitting,
  regularisation,
  constraints,
  augmentation,
  mixing,
  dropoutForms,
  dropoutDecay,
  variational,
  pruningTopic,
  batchNormalisation,
  imageFolderTopic,
  mainExperiment,
]
