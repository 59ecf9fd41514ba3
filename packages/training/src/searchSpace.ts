import type { RandomStream } from '@tessella/datasets'
import { TrainingError } from './errors.ts'

/** One hyper-parameter: which values it may take. */
export interface Dimension<T> {
  /** All of them, where they can be listed. */
  readonly values?: readonly T[]
  /** One of them at random. */
  draw(random: RandomStream): T
}

/** Hyper-parameters by name. */
export type SearchSpace = Readonly<Record<string, Dimension<unknown>>>

/** A value for every hyper-parameter. */
export type Configuration<S extends SearchSpace> = {
  readonly [K in keyof S]: S[K] extends Dimension<infer T> ? T : never
}

const wrong = (op: string, message: string): TrainingError => new TrainingError('bad-option', `[${op}] ${message}`)

function checkRange(op: string, low: number, high: number, least: number): void {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high && low >= least))
    throw wrong(op, `needs ${least === 0 ? '0 < low < high' : 'low < high'}, got ${low} and ${high}`)
}

/** One of these values, each as likely. */
export function choice<const T>(values: readonly T[]): Dimension<T> {
  if (values.length === 0) throw wrong('choice', 'needs a value')
  return { values, draw: (random) => values[random.below(values.length)] as T }
}

/** A number in [low, high). */
export function uniformIn(low: number, high: number): Dimension<number> {
  checkRange('uniformIn', low, high, Number.NEGATIVE_INFINITY)
  return { draw: (random) => low + (high - low) * random.uniform() }
}

/** A number in [low, high) whose logarithm is evenly spread: for rates and strengths. */
export function logUniformIn(low: number, high: number): Dimension<number> {
  if (low <= 0) throw wrong('logUniformIn', `needs 0 < low < high, got ${low} and ${high}`)
  checkRange('logUniformIn', low, high, 0)
  return { draw: (random) => low * (high / low) ** random.uniform() }
}

/** A whole number from low to high, both included. */
export function integerIn(low: number, high: number): Dimension<number> {
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && low <= high && high - low < 2 ** 32))
    throw wrong('integerIn', `needs whole numbers with low <= high, got ${low} and ${high}`)
  return { draw: (random) => low + random.below(high - low + 1) }
}
