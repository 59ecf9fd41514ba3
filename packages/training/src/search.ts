import { randomStream } from '@tessella/datasets'
import { checkOptions } from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'
import type { Configuration, SearchSpace } from './searchSpace.ts'

/** A configuration that was tried; plain data, to be saved as JSON and handed back as `history`. */
export interface Trial<C> {
  /** Which configuration, from 0; the same number is the same configuration in every run. */
  readonly trial: number
  readonly configuration: C
  /** What it was given, in the caller's unit. */
  readonly budget: number
  /** On the validation set. NaN (null in JSON) counts as the worst. */
  readonly score: number | null
}

/** What every search is given. */
export interface SearchOptions<S extends SearchSpace> {
  readonly space: S
  /**
   * Trains with a configuration and measures it on the validation set; never on the test set, which is touched once, at the
   * very end. The budget is how much to train.
   */
  readonly evaluate: (
    configuration: Configuration<S>,
    about: { readonly trial: number; readonly budget: number },
  ) => number | Promise<number>
  /** Trials of an earlier run of the same search: they are not evaluated again. */
  readonly history?: readonly Trial<Configuration<S>>[]
  /** Whether less or more is better. Default 'min'. */
  readonly mode?: 'min' | 'max'
}

const searchNames: readonly (keyof SearchOptions<SearchSpace>)[] = ['space', 'evaluate', 'history', 'mode']

type Trials<S extends SearchSpace> = AsyncGenerator<Trial<Configuration<S>>, void, undefined>

/** Evaluates or finds in the history, and answers whether it was new. */
async function run<S extends SearchSpace>(
  { evaluate, history = [] }: SearchOptions<S>,
  trial: number,
  configuration: Configuration<S>,
  budget: number,
): Promise<{ readonly found: Trial<Configuration<S>>; readonly fresh: boolean }> {
  const old = history.find((t) => t.trial === trial && t.budget === budget)
  if (old === undefined) {
    const score = await evaluate(configuration, { trial, budget })
    return { found: { trial, configuration, budget, score }, fresh: true }
  }
  if (JSON.stringify(old.configuration) !== JSON.stringify(configuration))
    throw new TrainingError(
      'bad-option',
      `[search] trial ${trial} of the history has another configuration. Pass the history of the same space and seed.`,
    )
  return { found: old, fresh: false }
}

/** Smaller is better. */
const rank = (score: number | null, mode: 'min' | 'max'): number => {
  if (score === null || Number.isNaN(score)) return Number.POSITIVE_INFINITY
  return mode === 'min' ? score : -score
}

/** The trial with the best score of those with the largest budget; of equals the first. */
export function bestTrial<C>(trials: readonly Trial<C>[], mode: 'min' | 'max' = 'min'): Trial<C> {
  const most = Math.max(...trials.map((t) => t.budget))
  const best = trials.filter((t) => t.budget === most).toSorted((a, b) => rank(a.score, mode) - rank(b.score, mode))[0]
  if (best === undefined) throw new TrainingError('bad-option', '[bestTrial] there are no trials')
  return best
}

/** Every combination of the values; the last hyper-parameter changes fastest. */
function combinations<S extends SearchSpace>(space: S): Configuration<S>[] {
  let found: Record<string, unknown>[] = [{}]
  for (const [name, dimension] of Object.entries(space)) {
    const { values } = dimension
    if (values === undefined)
      throw new TrainingError('bad-option', `[gridSearch] '${name}' has no list of values. Use choice([...]).`)
    found = found.flatMap((c) => values.map((v) => ({ ...c, [name]: v })))
  }
  return found as Configuration<S>[]
}

/**
 * Tries every combination of listed values. Trials come as they are done, so a loop may save them and stop at any time.
 * @example
 * const trials = []
 * const space = { rate: choice([0.01, 0.1]), size: choice([32, 64]) }
 * for await (const trial of gridSearch({ space, evaluate })) trials.push(trial)
 * bestTrial(trials).configuration // { rate: 0.1, size: 32 }
 */
export async function* gridSearch<S extends SearchSpace>(
  options: SearchOptions<S> & { readonly budget?: number },
): Trials<S> {
  checkOptions('gridSearch', options, [...searchNames, 'budget'])
  for (const [trial, configuration] of combinations(options.space).entries()) {
    const { found, fresh } = await run(options, trial, configuration, options.budget ?? 1)
    if (fresh) yield found
  }
}

/** Configuration number `trial` of a seed, whatever others are drawn. */
function drawn<S extends SearchSpace>(space: S, seed: number, trial: number): Configuration<S> {
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension], i) => [name, dimension.draw(randomStream(seed, trial, i))]),
  ) as Configuration<S>
}

/** Of searches that draw. */
export interface RandomSearchOptions<S extends SearchSpace> extends SearchOptions<S> {
  /** How many configurations to draw. */
  readonly trials: number
  /** Default 0. The same seed gives the same configurations; more trials add to them. */
  readonly seed?: number
}

/**
 * Tries configurations at random, which finds good ones sooner than a grid when few hyper-parameters matter (Bergstra and
 * Bengio, 2012).
 * @example randomSearch({ space: { rate: logUniformIn(1e-4, 1), units: integerIn(16, 256) }, trials: 30, evaluate })
 */
export async function* randomSearch<S extends SearchSpace>(
  options: RandomSearchOptions<S> & { readonly budget?: number },
): Trials<S> {
  checkOptions('randomSearch', options, [...searchNames, 'trials', 'seed', 'budget'])
  checkPositiveInteger('randomSearch', 'trials', options.trials)
  for (let trial = 0; trial < options.trials; trial++) {
    const configuration = drawn(options.space, options.seed ?? 0, trial)
    const { found, fresh } = await run(options, trial, configuration, options.budget ?? 1)
    if (fresh) yield found
  }
}

/** Of {@link successiveHalving}. */
export interface HalvingOptions<S extends SearchSpace> extends RandomSearchOptions<S> {
  /** What every configuration gets at first, such as epochs. Default 1. */
  readonly budget?: number
  /** One in `factor` goes on, with `factor` times the budget. Default 3. */
  readonly factor?: number
}

/**
 * Gives many configurations little and the best of them more, again and again (Jamieson and Talwalkar, 2016). `evaluate` sees
 * the budget grow; it may train anew or go on from what it kept under the trial's number.
 * @example successiveHalving({ space, trials: 27, budget: 1, factor: 3, evaluate: (c, { budget }) => train(c, budget) })
 */
export async function* successiveHalving<S extends SearchSpace>(options: HalvingOptions<S>): Trials<S> {
  checkOptions('successiveHalving', options, [...searchNames, 'trials', 'seed', 'budget', 'factor'])
  const { space, trials, seed = 0, factor = 3, mode = 'min' } = options
  checkPositiveInteger('successiveHalving', 'trials', trials)
  if (!Number.isSafeInteger(factor) || factor < 2)
    throw new TrainingError('bad-option', `[successiveHalving] factor must be a whole number above 1, got ${factor}`)
  let alive = Array.from({ length: trials }, (_, trial) => trial)
  for (let budget = options.budget ?? 1; ; budget *= factor) {
    const round: Trial<Configuration<S>>[] = []
    for (const trial of alive) {
      const { found, fresh } = await run(options, trial, drawn(space, seed, trial), budget)
      round.push(found)
      if (fresh) yield found
    }
    if (alive.length === 1) return
    alive = round
      .toSorted((a, b) => rank(a.score, mode) - rank(b.score, mode))
      .slice(0, Math.max(1, Math.floor(alive.length / factor)))
      .map((t) => t.trial)
  }
}
