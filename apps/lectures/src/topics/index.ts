import type { Topic } from '../pages/topic.ts'
import { activations } from './activations.ts'
import { attention } from './attention.ts'
import { augmentation } from './augmentation.ts'
import { autoencoders } from './autoencoders.ts'
import { backprop } from './backprop.ts'
import { batchNormalisation } from './batchNormalisation.ts'
import { batchSizes } from './batchSizes.ts'
import { clipping } from './clipping.ts'
import { constraints } from './constraints.ts'
import { convolution } from './convolution.ts'
import { dropoutDecay } from './dropoutDecay.ts'
import { dropoutForms } from './dropoutForms.ts'
import { fashion } from './fashion.ts'
import { filters } from './filters.ts'
import { generative } from './generative.ts'
import { graph } from './graph.ts'
import { imageFolderTopic } from './imageFolderTopic.ts'
import { initialisation } from './initialisation.ts'
import { losses } from './losses.ts'
import { mainExperiment } from './mainExperiment.ts'
import { mixing } from './mixing.ts'
import { natural } from './naturalGradient.ts'
import { norms } from './norms.ts'
import { optimizers } from './optimizers.ts'
import { overfitting } from './overfitting.ts'
import { perceptron } from './perceptron.ts'
import { polynomial } from './polynomial.ts'
import { pruningTopic } from './pruning.ts'
import { rates } from './rates.ts'
import { receptive } from './receptive.ts'
import { regularisation } from './regularisation.ts'
import { relatives } from './relatives.ts'
import { search } from './search.ts'
import { sequences } from './sequences.ts'
import { softmax } from './softmax.ts'
import { standardisation } from './standardisation.ts'
import { startsByData } from './starts.ts'
import { tableTopic } from './tableTopic.ts'
import { text } from './text.ts'
import { universal } from './universal.ts'
import { variational } from './variational.ts'

/** All topics, in the order in which they build on each other. */
export const topics: readonly Topic[] = [
  activations,
  convolution,
  filters,
  receptive,
  perceptron,
  graph,
  universal,
  polynomial,
  tableTopic,
  softmax,
  losses,
  backprop,
  initialisation,
  startsByData,
  batchSizes,
  standardisation,
  optimizers,
  natural,
  clipping,
  rates,
  relatives,
  overfitting,
  search,
  regularisation,
  constraints,
  augmentation,
  mixing,
  dropoutForms,
  dropoutDecay,
  variational,
  pruningTopic,
  batchNormalisation,
  norms,
  imageFolderTopic,
  sequences,
  attention,
  text,
  autoencoders,
  generative,
  mainExperiment,
  fashion,
]
