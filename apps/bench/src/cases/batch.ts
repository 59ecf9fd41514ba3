import { noise, noiseIntegers, seeds } from './data.ts'
import { distinct, gpt, type ModelName } from './work.ts'

/** The training data of a case: the same few examples over and over, so that the loss does not depend on the batch. */
export interface Batch {
  /** Images as float32, tokens as integers. */
  readonly x: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>
  readonly xShape: readonly number[]
  readonly y: Int32Array<ArrayBuffer>
  readonly yShape: readonly number[]
}

/** Shape of one example. */
export const exampleShape = {
  lenet: [1, 28, 28],
  mlp: [1, 28, 28],
  resnet8: [3, 32, 32],
  'gpt-tiny': [gpt.context],
} as const satisfies Record<ModelName, readonly number[]>

export function trainingBatch(model: ModelName, batch: number): Batch {
  const shape: readonly number[] = exampleShape[model]
  const each = shape.reduce((a, b) => a * b, 1)
  const period = distinct(model)
  const xShape = [batch, ...shape]
  if (model === 'gpt-tiny')
    return {
      x: noiseIntegers(batch * each, seeds.images, gpt.vocabulary, period * each),
      xShape,
      y: noiseIntegers(batch * each, seeds.labels, gpt.vocabulary, period * each),
      yShape: xShape,
    }
  return {
    x: noise(batch * each, seeds.images, 1, period * each),
    xShape,
    y: noiseIntegers(batch, seeds.labels, 10, period),
    yShape: [batch],
  }
}
