import { valueAndGrad } from '@tessella/autograd'
import { optimizer, type Schedule, sgd, type Transform } from '@tessella/optimizers'
import { checkOptions, compile, namedVariables, type Tensor } from '@tessella/tensor'
import { checkPositiveInteger, TrainingError } from './errors.ts'

/** What {@link findLearningRate} tries. `B` is a batch: tensors in arrays and plain objects. */
export interface RateSearchOptions<B> {
  readonly model: object
  /** The loss of a batch, as in training. */
  readonly loss: (batch: B) => Tensor
  /** Batches of one pass; called again when they run out. */
  readonly batches: () => AsyncIterable<B> | Iterable<B>
  /** First rate. Default 1e-6. */
  readonly from?: number
  /** Last rate. Default 1. */
  readonly to?: number
  /** Steps from the first rate to the last. Default 100. */
  readonly steps?: number
  /** The optimizer that is meant to be used. Default `sgd`. */
  readonly transform?: (rate: Schedule) => Transform
  /** Weight of the past in the smoothed loss. Default 0.9. */
  readonly smoothing?: number
  /** Ends when the smoothed loss is this many times the least one. Default 4. */
  readonly divergence?: number
}

/** Losses by rate, up to where they diverge. */
export interface RateSearch {
  readonly rates: readonly number[]
  readonly losses: readonly number[]
  /** Moving averages of the losses, without the start. */
  readonly smoothed: readonly number[]
  /** The rate at which the smoothed loss falls fastest by the logarithm of the rate. */
  readonly suggestion: number
}

/** Batches without end. */
async function* endless<B>(batches: () => AsyncIterable<B> | Iterable<B>): AsyncGenerator<B, never, undefined> {
  for (;;) {
    let seen = 0
    for await (const batch of batches()) {
      seen++
      yield batch
    }
    if (seen === 0) throw new TrainingError('no-batches', '[findLearningRate] there were no batches')
  }
}

/** Where the curve falls fastest: central differences, at the ends one-sided. */
function steepest(smoothed: readonly number[]): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < smoothed.length; i++) {
    const [a, b] = [Math.max(i - 1, 0), Math.min(i + 1, smoothed.length - 1)]
    const slope = ((smoothed[b] as number) - (smoothed[a] as number)) / (b - a)
    if (slope < least) {
      least = slope
      best = i
    }
  }
  return best
}

/**
 * Trains with a rate that grows from step to step by one factor, to see which rates work (Smith, 2017): take the
 * suggestion, or a rate a few times below the one where the loss is least. All Variables of the model are as before
 * afterwards.
 * @throws TrainingError `bad-option`, `no-batches`
 * @example
 * const { suggestion } = await findLearningRate({ model, loss, batches: () => batches(train, { size: 64, shuffle: true, seed: 1 }) })
 */
export async function findLearningRate<B>(options: RateSearchOptions<B>): Promise<RateSearch> {
  checkOptions('findLearningRate', options, [
    'model',
    'loss',
    'batches',
    'from',
    'to',
    'steps',
    'transform',
    'smoothing',
    'divergence',
  ])
  const { model, loss, batches, from = 1e-6, to = 1, steps = 100, transform = sgd } = options
  const { smoothing = 0.9, divergence = 4 } = options
  checkPositiveInteger('findLearningRate', 'steps', steps)
  if (!(from > 0 && to > from && steps > 2))
    throw new TrainingError(
      'bad-option',
      `[findLearningRate] needs 0 < from < to and 3 steps or more, got ${from}, ${to}`,
    )
  if (!(smoothing >= 0 && smoothing < 1))
    throw new TrainingError('bad-option', `[findLearningRate] smoothing must be in [0, 1), got ${smoothing}`)
  const growth = Math.log(to / from) / (steps - 1)
  const opt = optimizer(
    transform((step) => step.mul(growth).exp().mul(from)),
    model,
  )
  const compiled = compile((batch: B) => {
    const [value, grads] = valueAndGrad(() => loss(batch), model)
    opt.update(grads)
    return value
  }) as unknown as (batch: B) => Tensor
  const before = Object.values(namedVariables(model)).map((v) => [v, v.value] as const)
  const [rates, losses, smoothed]: [number[], number[], number[]] = [[], [], []]
  let mean = 0
  let least = Number.POSITIVE_INFINITY
  try {
    for await (const batch of endless(batches)) {
      const value = Number(await compiled(batch).item())
      mean = smoothing * mean + (1 - smoothing) * value
      const smooth = mean / (1 - smoothing ** (losses.length + 1))
      if (!(smooth <= divergence * least)) break
      least = Math.min(least, smooth)
      rates.push(from * Math.exp(growth * losses.length))
      losses.push(value)
      smoothed.push(smooth)
      if (losses.length === steps) break
    }
  } finally {
    for (const [v, value] of before) v.assign(value)
  }
  if (rates.length < 3)
    throw new TrainingError('non-finite-loss', `[findLearningRate] the loss diverged at once. Start below ${from}.`)
  return { rates, losses, smoothed, suggestion: rates[steepest(smoothed)] as number }
}
