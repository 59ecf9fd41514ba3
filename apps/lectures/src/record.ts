import type { ModelName } from './models.ts'

/** What one epoch gave. */
export interface EpochRecord {
  /** Mean loss of its steps. */
  readonly loss: number
  /** Wrong answers on the test set after it. */
  readonly errors: number
  readonly seconds: number
}

/** A test image that the network got wrong. */
export interface Mistake {
  readonly index: number
  readonly label: number
  readonly predicted: number
  /** Probability that the network gave its answer. */
  readonly confidence: number
}

/** Everything the report shows of one network. */
export interface RunRecord {
  readonly model: ModelName
  readonly title: string
  readonly rate: number
  readonly parameters: number
  /** Test errors before training. */
  readonly initialErrors: number
  readonly epochs: readonly EpochRecord[]
  readonly stepLosses: readonly number[]
  /** confusion[label][predicted] counts test images. */
  readonly confusion: readonly (readonly number[])[]
  readonly mistakes: readonly Mistake[]
  /** First-layer weights as [count, height, width] pictures. */
  readonly filters: {
    readonly count: number
    readonly height: number
    readonly width: number
    readonly data: readonly number[]
  }
  readonly summary: string
  /** Kernels that one training step starts. */
  readonly kernels: number
  /** Most bytes the backend held. */
  readonly peakBytes: number
  readonly complete: boolean
}

/** One run of `start`. */
export interface Experiment {
  readonly date: string
  readonly command: string
  readonly backend: string
  readonly machine: string
  readonly seed: number
  readonly batch: number
  /** Whether `--resume` goes on with a run that was interrupted. */
  readonly resumable: boolean
  /** Epochs asked for; a run that was interrupted has fewer. */
  readonly epochs: number
  readonly trainImages: number
  readonly testImages: number
  readonly runs: readonly RunRecord[]
}

/** The lectures' test errors. */
export const lectureErrors: Readonly<Record<ModelName, number>> = { mlp: 264, cnn: 147 }

/** What the lectures' errors are for. */
export const lectureRun = { epochs: 15, trainImages: 60_000, testImages: 10_000 } as const

/** What `--quick` does: enough to see that all works. */
export const quickRun = { epochs: 2, trainImages: 10_000, testImages: 2_000 } as const

/** Whether a run did what the lectures did, so that its errors may stand beside theirs. */
export const comparable = (run: RunRecord, { testImages, trainImages }: Experiment): boolean =>
  testImages === lectureRun.testImages &&
  trainImages === lectureRun.trainImages &&
  run.epochs.length === lectureRun.epochs &&
  run.complete
