import type { Topic } from '../pages/topic.ts'
import { activations } from './activations.ts'
import { batchSizes } from './batchSizes.ts'
import { convolution } from './convolution.ts'
import { initialisation } from './initialisation.ts'
import { optimizers } from './optimizers.ts'
import { perceptron } from './perceptron.ts'
import { polynomial } from './polynomial.ts'
import { standardisation } from './standardisation.ts'
import { universal } from './universal.ts'

/** All topics, in the order of the lectures. */
export const topics: readonly Topic[] = [
  activations,
  convolution,
  perceptron,
  universal,
  polynomial,
  initialisation,
  optimizers,
  batchSizes,
  standardisation,
]
