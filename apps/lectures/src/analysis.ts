import { batches, type MnistDataset } from '@tessella/datasets'
import { compile, namedVariables, softmax, type Tensor } from '@tessella/tensor'
import type { Batch } from './models.ts'
import type { Mistake, RunRecord } from './record.ts'

const classes = 10

/** Confusion matrix and mistakes of a network on a test set, the most confident mistakes first. */
export async function analyse(
  logits: (images: Batch['images']) => Tensor,
  test: MnistDataset,
  size: number,
): Promise<Pick<RunRecord, 'confusion' | 'mistakes'>> {
  const answer = compile((images: Batch['images']) => {
    const scores = logits(images)
    return { scores, probabilities: softmax(scores, 1) }
  })
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  const mistakes: Mistake[] = []
  let index = 0
  for await (const { images, labels } of batches(test, { size })) {
    const { scores, probabilities } = answer(images)
    const [rows, sure] = (await Promise.all([scores.data(), probabilities.data()])) as [Float32Array, Float32Array]
    for (const [i, label] of (await labels.data()).entries()) {
      // By scores, as errors are counted: probabilities near 1 may tie.
      const row = rows.subarray(i * classes, (i + 1) * classes)
      const predicted = row.indexOf(Math.max(...row))
      const counts = confusion[label] as number[]
      counts[predicted] = (counts[predicted] ?? 0) + 1
      if (predicted !== label)
        mistakes.push({ index, label, predicted, confidence: sure[i * classes + predicted] as number })
      index++
    }
  }
  return { confusion, mistakes: mistakes.sort((a, b) => b.confidence - a.confidence) }
}

/** The weights of the first layer as pictures: 5x5 kernels of a convolution, 28x28 rows of a linear layer. */
export async function firstFilters(model: unknown): Promise<RunRecord['filters']> {
  const weight = Object.values(namedVariables(model, { trainable: true }))[0]
  if (weight === undefined) return { count: 0, height: 0, width: 0, data: [] }
  const [count = 0, ...rest] = weight.shape
  const side = Math.round(Math.sqrt(rest.reduce((a, b) => a * b, 1)))
  return { count, height: side, width: side, data: Array.from((await weight.value.data()) as Float32Array) }
}
