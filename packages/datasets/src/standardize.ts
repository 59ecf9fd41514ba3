import type { Column, ColumnDType } from './column.ts'
import { checkNames, DatasetError } from './errors.ts'

/**
 * What shares one mean and one deviation: every `feature` (each position of a row), every `channel`
 * (dimension 1 of [n, c, ...]) or `all` values.
 */
export type StandardizePer = 'feature' | 'channel' | 'all'

/** Stored statistics as plain JSON. */
export interface StandardizerState {
  readonly per: StandardizePer
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** Stored statistics, and the two maps they define. */
export interface Standardizer {
  readonly per: StandardizePer
  /** One mean for each group. */
  readonly mean: Float64Array
  /** One standard deviation (of the population) for each group; 0 where all values are equal. */
  readonly std: Float64Array
  /** (x - mean) / std in float32; where std is 0 only the mean is taken off. @throws DatasetError `bad-shape` */
  apply<S extends readonly number[]>(values: Column<S, ColumnDType>): Column<S, 'float32'>
  /** x * std + mean in float32, the inverse of `apply`. @throws DatasetError `bad-shape` */
  invert<S extends readonly number[]>(values: Column<S, ColumnDType>): Column<S, 'float32'>
  toJSON(): StandardizerState
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** How many groups a shape has, and how many neighbouring values of a row belong to one. */
function grouping(per: StandardizePer, shape: readonly number[]): { readonly groups: number; readonly run: number } {
  const width = shape.slice(1).reduce((a, b) => a * b, 1)
  if (per === 'all') return { groups: 1, run: width }
  if (per === 'feature') return { groups: width, run: 1 }
  const channels = shape[1]
  if (channels === undefined)
    throw new DatasetError('standardize', 'bad-shape', `${show(shape)} has no channels. Use per: 'feature' or 'all'.`)
  return { groups: channels, run: channels === 0 ? 0 : width / channels }
}

/**
 * Measures mean and deviation of training values, to be used on all data: validation and test rows are mapped with
 * the statistics of the training rows. Two passes in float64.
 *
 * ```ts
 * const scaler = standardize(train.columns.points)
 * const scaled = test.with({ points: scaler.apply(test.columns.points) })
 * ```
 * @throws DatasetError `empty` without rows, `corrupt` when a value is not finite
 */
export function standardize(values: Column, options: { readonly per?: StandardizePer } = {}): Standardizer {
  checkNames('standardize', options, ['per'])
  const per = options.per ?? 'feature'
  const { groups, run } = grouping(per, values.shape)
  if (values.data.length === 0)
    throw new DatasetError('standardize', 'empty', `${show(values.shape)} holds no values to measure.`)
  const count = values.data.length / groups
  const mean = new Float64Array(groups)
  const std = new Float64Array(groups)
  const { data } = values
  for (let i = 0; i < data.length; )
    for (let g = 0; g < groups; g++)
      for (const end = i + run; i < end; i++) mean[g] = (mean[g] as number) + (data[i] as number)
  for (let g = 0; g < groups; g++) mean[g] = (mean[g] as number) / count
  for (let i = 0; i < data.length; )
    for (let g = 0; g < groups; g++)
      for (const end = i + run; i < end; i++)
        std[g] = (std[g] as number) + ((data[i] as number) - (mean[g] as number)) ** 2
  for (let g = 0; g < groups; g++) std[g] = deviation((std[g] as number) / count, mean[g] as number, count)
  const bad = std.findIndex((s) => !Number.isFinite(s))
  if (bad >= 0)
    throw new DatasetError(
      'standardize',
      'corrupt',
      `group ${bad} of ${show(values.shape)} (per ${per}) holds a value that is not finite. Clean the data first.`,
    )
  return make(per, mean, std)
}

/** The root of a variance, or 0 when it is no more than the rounding of equal values leaves. */
function deviation(variance: number, mean: number, count: number): number {
  const rounding = count * Number.EPSILON
  return variance <= rounding * variance + (rounding * mean) ** 2 ? 0 : Math.sqrt(variance)
}

/** The standardizer that `toJSON` stored. @throws DatasetError `corrupt` when it is not one */
export function standardizer(state: StandardizerState): Standardizer {
  const { per, mean, std } = state
  const fits =
    ['feature', 'channel', 'all'].includes(per) &&
    mean.length === std.length &&
    (per !== 'all' || mean.length === 1) &&
    mean.every(Number.isFinite) &&
    std.every((s) => Number.isFinite(s) && s >= 0)
  if (!fits)
    throw new DatasetError(
      'standardizer',
      'corrupt',
      'the state must have per, and as many finite means as deviations of 0 or more. Pass what toJSON() gave.',
    )
  return make(per, Float64Array.from(mean), Float64Array.from(std))
}

function make(per: StandardizePer, mean: Float64Array, std: Float64Array): Standardizer {
  const map = <S extends readonly number[]>(
    op: string,
    values: Column<S, ColumnDType>,
    f: (x: number, mean: number, std: number) => number,
  ): Column<S, 'float32'> => {
    const { groups, run } = grouping(per, values.shape)
    if (groups !== mean.length)
      throw new DatasetError(
        op,
        'bad-shape',
        `${show(values.shape)} has ${groups} groups (per ${per}) but the statistics have ${mean.length}. ` +
          'Use the columns they were measured on.',
      )
    const data = new Float32Array(values.data.length)
    for (let i = 0; i < data.length; )
      for (let g = 0; g < groups; g++)
        for (const end = i + run; i < end; i++)
          data[i] = f(values.data[i] as number, mean[g] as number, std[g] as number)
    return { data, shape: values.shape, dtype: 'float32' }
  }
  return {
    per,
    mean,
    std,
    apply: (values) => map('standardize.apply', values, (x, m, s) => (x - m) / (s || 1)),
    invert: (values) => map('standardize.invert', values, (x, m, s) => x * (s || 1) + m),
    toJSON: () => ({ per, mean: [...mean], std: [...std] }),
  }
}
