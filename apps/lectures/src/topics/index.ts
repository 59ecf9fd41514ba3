import type { Topic } from '../pages/topic.ts'
import { activations } from './activations.ts'
import { convolution } from './convolution.ts'

/** All topics, in the order of the lectures. */
export const topics: readonly Topic[] = [activations, convolution]
