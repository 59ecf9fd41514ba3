import type { Topic } from '../pages/topic.ts'
import { activations } from './activations.ts'
import { attention } from './attention.ts'
import { autoencoders } from './autoencoders.ts'
import { backprop } from './backprop.ts'
import { batchNormalisation } from './batchNormalisation.ts'
import { batchSizes } from './batchSizes.ts'
import { clipping } from './clipping.ts'
import { convolution } from './convolution.ts'
import { dropoutForms } from './dropoutForms.ts'
import { filters } from './filters.ts'
import { generative } from './generative.ts'
import { graph } from './graph.ts'
import { initialisation } from './initialisation.ts'
import { losses } from './losses.ts'
import { mainExperiment } from './mainExperiment.ts'
import { natural } from './naturalGradient.ts'
import { norms } from './norms.ts'
import { optimizers } from './optimizers.ts'
import { overfitting } from './overfitting.ts'
import { perceptron } from './perceptron.ts'
import { polynomial } from './polynomial.ts'
import { rates } from './rates.ts'
import { receptive } from './receptive.ts'
import { regularisation } from './regularisation.ts'
import { search } from './search.ts'
import { sequences } from './sequences.ts'
import { softmax } from './softmax.ts'
import { standardisation } from './standardisation.ts'
import { startsByData } from './starts.ts'
import { text } from './text.ts'
import { universal } from './universal.ts'

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
  overfitting,
  search,
  regularisation,
  dropoutForms,
  batchNormalisation,
  norms,
  sequences,
  attention,
  text,
  autoencoders,
  generative,
  mainExperiment,
]
