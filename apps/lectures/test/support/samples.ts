import { column, dataset, type Mnist, type MnistDataset, randomStream } from '@tessella/datasets'
import type { ModelName } from '../../src/models.ts'
import type { Experiment, Mistake, RunRecord } from '../../src/record.ts'

const size = 28 * 28

/** Noise with a bright bar whose height tells the class: as large as MNIST's images, quick to learn. */
export function bars(count: number, seed: number): MnistDataset {
  const random = randomStream(seed)
  const images = Uint8Array.from({ length: count * size }, () => random.below(60))
  const labels = Uint8Array.from({ length: count }, () => random.below(10))
  for (const [i, label] of labels.entries()) images.fill(255, i * size + 56 * label + 56, i * size + 56 * label + 112)
  return dataset({ images: column(images, [count, 1, 28, 28]), labels: column(labels, [count]) })
}

export const tinyData = (): Mnist => ({ train: bars(60, 1), test: bars(30, 2) })

/** A made-up run with `mistakes` wrong answers among `test`. */
export function sampleRun(model: ModelName, mistakes: number, test: MnistDataset, epochs = 15): RunRecord {
  const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
  const wrong: Mistake[] = []
  for (const [index, label] of test.columns.labels.data.entries()) {
    const predicted = index < mistakes ? (label + 1 + (index % 3)) % 10 : label
    const row = confusion[label] as number[]
    row[predicted] = (row[predicted] as number) + 1
    if (predicted !== label) wrong.push({ index, label, predicted, confidence: 1 - index / (2 * mistakes) })
  }
  const [count, side] = model === 'mlp' ? [120, 28] : [6, 5]
  return {
    model,
    title: model === 'mlp' ? 'MLP 784-120-84-10' : 'CNN 6@5x5 - 16@5x5 - 120-84-10',
    rate: model === 'mlp' ? 0.5 : 0.2,
    parameters: 105_214,
    initialErrors: 9013,
    epochs: Array.from({ length: epochs }, (_, i) => ({
      loss: 0.5 / (i + 1),
      errors: mistakes + 20 * (epochs - 1 - i),
      seconds: 1.25,
    })),
    stepLosses: Array.from({ length: 60 * epochs }, (_, i) => 2.3 / (1 + i / 10)),
    confusion,
    mistakes: wrong,
    filters: {
      count,
      height: side,
      width: side,
      data: Array.from({ length: count * side * side }, (_, i) => Math.sin(i) / 3),
    },
    summary: 'layer  shape\nlinear <784> & "10"',
    kernels: 31,
    peakBytes: 43_000_000,
    complete: true,
  }
}

export const sampleExperiment = (runs: readonly RunRecord[], testImages = 10_000): Experiment => ({
  date: '2026-01-02T03:04:05.678Z',
  command: 'npx pnpm@12 start --out "<a> & b"',
  backend: 'cpu',
  machine: 'Some CPU <fast>, 2 cores, Node v26',
  seed: 1,
  resumable: true,
  batch: 1000,
  epochs: 15,
  trainImages: 60_000,
  testImages,
  runs,
})
