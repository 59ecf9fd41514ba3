import type { MnistDataset } from '@tessella/datasets'
import { median } from '../pages/ranges.ts'
import type { Context } from '../pages/topic.ts'

/** A small training set, images to choose settings on, and images to test on once, at the end. */
export interface SmallSets {
  readonly train: MnistDataset
  readonly validation: MnistDataset
  readonly test: MnistDataset
}

/** The first images to train on, the next ones to choose on. */
export async function smallSets(context: Context, rows: number): Promise<SmallSets> {
  const data = await context.mnist()
  const train = context.quick ? 200 : rows
  const held = context.quick ? 100 : 2000
  return {
    train: data.train.take(train),
    validation: data.train.slice(train, train + held),
    test: data.test.take(context.quick ? 200 : 10_000),
  }
}

/** Seeds of several runs: `count` from the context's on; one in a quick run. */
export const seedsFrom = (context: Context, count: number): readonly number[] =>
  Array.from({ length: context.quick ? 1 : count }, (_, i) => context.seed + i)

/** Errors of one setting on the validation set and the test set, as `measured` says. */
export type Trial<S> = (setting: S, seed: number, on: 'validation' | 'test') => Promise<number>

/** What was chosen among settings, and how it did. */
export interface Choice<S> {
  readonly setting: S
  /** Median errors on the validation set of every setting, in their order. */
  readonly validation: readonly number[]
  /** Errors on the test set of the chosen one, by seed. */
  readonly test: readonly number[]
}

// show: choose
/** Takes the setting with the least median error on the validation set, and only that one to the test set. */
export async function choose<S>(
  settings: readonly [S, ...S[]],
  trial: Trial<S>,
  seeds: { readonly choosing: readonly number[]; readonly testing: readonly number[] },
): Promise<Choice<S>> {
  const validation: number[] = []
  // One setting is no choice.
  if (settings.length > 1)
    for (const setting of settings) {
      const errors: number[] = []
      for (const seed of seeds.choosing) errors.push(await trial(setting, seed, 'validation'))
      validation.push(median(errors))
    }
  const setting = settings[Math.max(0, validation.indexOf(Math.min(...validation)))] as S
  const test: number[] = []
  for (const seed of seeds.testing) test.push(await trial(setting, seed, 'test'))
  return { setting, validation, test }
}
// end

/** Whether all runs of one way are below all of another. */
export const apart = (below: readonly number[], above: readonly number[]): boolean =>
  Math.max(...below) < Math.min(...above)
