import type { ModelName } from '../models.ts'
import type { EpochRecord, RunRecord } from '../record.ts'
import type { Settings } from './settings.ts'

/** Settings with the backend decided. */
export type Job = Settings & { readonly backend: 'wgpu' | 'cpu' }

/** What the page asks of the thread that trains. */
export type Order =
  /** Which backends are there? */
  | { readonly kind: 'look' }
  | { readonly kind: 'start'; readonly job: Job }
  /** Each counts from the end of the running step. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop' }
  /** Reads a digit of 28x28 pixels, 0 paper and 255 ink, with the networks that there are. */
  | { readonly kind: 'read'; readonly pixels: Uint8Array }
  /** Reads a test image; `at` from 0 to 1 says which. */
  | { readonly kind: 'pick'; readonly at: number }

/** WebGPU as the page's thread finds it: an adapter, or why there is none. */
export type Gpu =
  | {
      readonly there: true
      readonly name: string /** A driver that computes on the processor. */
      readonly software: boolean
    }
  | { readonly there: false; readonly reason: string }

/** How sure a network is of each digit. */
export interface Reading {
  readonly model: ModelName
  readonly probabilities: readonly number[]
}

/** What the thread that trains tells the page. */
export type News =
  | { readonly kind: 'backends'; readonly gpu: Gpu; readonly threads: number; readonly isolated: boolean }
  | { readonly kind: 'loading' }
  /** Data and backend are there. */
  | {
      readonly kind: 'ready'
      readonly backend: string
      readonly batch: number
      readonly trainImages: number
      readonly testImages: number
    }
  /** A network before its first step. */
  | { readonly kind: 'begin'; readonly model: ModelName; readonly initialErrors: number }
  /** A step, from 0 in every epoch; `seconds` of its epoch, pauses left out. */
  | {
      readonly kind: 'step'
      readonly model: ModelName
      readonly epoch: number
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly seconds: number
    }
  | { readonly kind: 'epoch'; readonly model: ModelName; readonly record: EpochRecord }
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }
  /** A network is trained or was stopped; `images` are those of its mistakes, in their order. */
  | { readonly kind: 'run'; readonly run: RunRecord; readonly images: readonly Uint8Array[] }
  | { readonly kind: 'end'; readonly stopped: boolean }
  | {
      readonly kind: 'readings'
      readonly readings: readonly Reading[]
      /** For a test image: what it looks like and what it is. */
      readonly picked?: { readonly pixels: Uint8Array; readonly label: number; readonly index: number }
    }
  /** In plain words, with what to do; `ended` when no job goes on. */
  | { readonly kind: 'failed'; readonly message: string; readonly ended: boolean }
