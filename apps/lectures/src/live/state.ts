import { secondsLeft } from '@tessella/training'
import { type ModelName, networks } from '../models.ts'
import type { Experiment, RunRecord } from '../record.ts'
import type { Gpu, Job, News, Reading } from './protocol.ts'
import { commandOf, modelsOf } from './settings.ts'

/** `stopping`: Stop was pressed and the running step is not done yet. */
export type Phase = 'idle' | 'loading' | 'running' | 'paused' | 'stopping' | 'done' | 'stopped' | 'failed'

type Step = Extract<News, { kind: 'step' }>

/** All that the page shows. */
export interface State {
  readonly phase: Phase
  readonly found?: { readonly gpu: Gpu; readonly threads: number; readonly isolated: boolean }
  readonly job?: Job
  /** Runs that are not over have their losses and epochs so far, and nothing else. */
  readonly experiment: Experiment
  /** The newest step. */
  readonly step?: Step
  /** Images of the mistakes, for each network that is done. */
  readonly images: Readonly<Partial<Record<ModelName, readonly Uint8Array[]>>>
  readonly readings: readonly Reading[]
  readonly problem?: string
}

const nothing: Experiment = {
  date: '',
  command: '',
  backend: '',
  machine: '',
  seed: 1,
  batch: 1000,
  epochs: 0,
  trainImages: 0,
  testImages: 0,
  resumable: false,
  runs: [],
}

export const first: State = { phase: 'idle', experiment: nothing, images: {}, readings: [] }

/** A run before its first step. */
const begun = (model: ModelName, initialErrors: number): RunRecord => ({
  model,
  title: networks[model].title,
  rate: networks[model].rate,
  parameters: 0,
  initialErrors,
  epochs: [],
  stepLosses: [],
  confusion: [],
  mistakes: [],
  filters: { count: 0, height: 0, width: 0, data: [] },
  summary: '',
  kernels: 0,
  peakBytes: 0,
  complete: false,
})

/** The state after Start; what was shown before goes. `machine` is for the report. */
export const started = ({ found }: State, job: Job, date: Date, machine: string): State => ({
  ...first,
  ...(found && { found }),
  phase: 'loading',
  job,
  experiment: {
    ...nothing,
    date: date.toISOString(),
    command: commandOf(job),
    machine,
    seed: job.seed,
    epochs: job.epochs,
  },
})

const withRun = (state: State, model: ModelName, change: (run: RunRecord) => RunRecord): State => ({
  ...state,
  experiment: { ...state.experiment, runs: state.experiment.runs.map((r) => (r.model === model ? change(r) : r)) },
})

/** The state after some news. */
export function after(state: State, news: News): State {
  switch (news.kind) {
    case 'backends':
      return { ...state, found: news }
    case 'loading':
      return { ...state, phase: 'loading' }
    case 'ready': {
      const { backend, batch, trainImages, testImages } = news
      const experiment = { ...state.experiment, backend, batch, trainImages, testImages }
      return { ...state, phase: state.phase === 'stopping' ? 'stopping' : 'running', experiment }
    }
    case 'begin': {
      const { runs } = state.experiment
      return { ...state, experiment: { ...state.experiment, runs: [...runs, begun(news.model, news.initialErrors)] } }
    }
    case 'step':
      return withRun({ ...state, step: news }, news.model, (run) => ({
        ...run,
        stepLosses: [...run.stepLosses, news.loss],
      }))
    case 'epoch':
      return withRun(state, news.model, (run) => ({ ...run, epochs: [...run.epochs, news.record] }))
    case 'paused':
      return state.phase === 'running' ? { ...state, phase: 'paused' } : state
    case 'resumed':
      return state.phase === 'paused' ? { ...state, phase: 'running' } : state
    case 'run': {
      const { run, images } = news
      return withRun({ ...state, images: { ...state.images, [run.model]: images } }, run.model, () => run)
    }
    case 'end':
      return { ...state, phase: news.stopped ? 'stopped' : 'done' }
    case 'readings':
      return { ...state, readings: news.readings }
    case 'failed':
      return { ...state, phase: news.ended && isBusy(state.phase) ? 'failed' : state.phase, problem: news.message }
  }
}

/** Whether a job is under way. */
export const isBusy = (phase: Phase): boolean =>
  phase === 'loading' || phase === 'running' || phase === 'paused' || phase === 'stopping'

/** The runs that are over: trained, or stopped. */
export const doneRuns = ({ experiment, images }: State): readonly RunRecord[] =>
  experiment.runs.filter((r) => images[r.model] !== undefined)

/** What is known of the speed of a job. */
export interface Speed {
  /** Share of the whole job that is done, every epoch of every network counted alike. */
  readonly share: number
  /** Training images per second in the running epoch. */
  readonly imagesPerSecond: number
  /** For the network that trains. */
  readonly secondsLeft: number
}

/** Epochs that the time left is estimated from. */
const recent = 8

export function speedOf({ phase, job, step, experiment }: State): Speed | undefined {
  if (job === undefined || step === undefined) return undefined
  const models = modelsOf(job.model)
  const durations = (experiment.runs.find((r) => r.model === step.model)?.epochs ?? []).map((e) => e.seconds)
  const share = (step.step + 1) / step.steps
  // The epoch that ended just now is among the durations, and its last step is still the newest.
  const isOver = durations.length > step.epoch
  const next = isOver
    ? { epoch: step.epoch + 1, share: 0, seconds: 0 }
    : { epoch: step.epoch, share, seconds: step.seconds }
  const epochsDone = models.indexOf(step.model) * job.epochs + next.epoch + next.share
  const left = secondsLeft({ durations: durations.slice(-recent), epochs: job.epochs, ...next })
  return {
    share: phase === 'done' ? 1 : epochsDone / (models.length * job.epochs),
    imagesPerSecond: (share * experiment.trainImages) / step.seconds,
    secondsLeft: Math.max(0, left),
  }
}

/** One sentence on what happens. */
export function statusOf({ phase, job, step, experiment }: State): string {
  const where =
    step && job ? `${step.model.toUpperCase()}, epoch ${step.epoch + 1} of ${job.epochs}` : 'The first network'
  const result = experiment.runs
    .filter((r) => r.epochs.length > 0)
    .map(
      (r) => `${r.model.toUpperCase()} reads ${r.epochs.at(-1)?.errors} of ${experiment.testImages} test digits wrong`,
    )
    .join(', ')
  const sentences: Readonly<Record<Phase, string>> = {
    idle: 'Ready.',
    loading: 'Loading MNIST and opening the backend.',
    running: experiment.runs.length === 0 || step === undefined ? 'The first step is being prepared.' : `${where}.`,
    paused: `Paused: ${where}.`,
    stopping: 'Stopping after this step.',
    done: `Done. ${result}.`,
    stopped: result === '' ? 'Stopped before an epoch was over.' : `Stopped. ${result}.`,
    failed: 'It failed.',
  }
  return sentences[phase]
}
