import { OpError, type Tensor, Variable, zeros as zerosOf } from '@tessella/tensor'
import { checkCount, checkNotEmpty, checkOptions } from './checks.ts'
import { factsOf, isHolder, type RunningStatistics } from './facts.ts'
import { ones, zeros } from './init.ts'
import { defineLayer } from './layer.ts'
import { parameter } from './recipe.ts'
import type { ChannelsSpec, ModalLayerCall, Mode } from './types/index.ts'

/** Settings of batch normalisation. */
export interface BatchNormOptions<A extends boolean = boolean> {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number | undefined
  /** Weight of the newest batch in the running statistics, or `'average'` for the plain mean over batches. Default 0.1. */
  readonly momentum?: number | 'average' | undefined
  /** A learned scale and shift for each channel. Default true. */
  readonly affine?: A | undefined
}

type Vector<C extends number> = Variable<[C], 'float32'>

/** Batch normalisation with its parameters and running statistics. */
export type BatchNorm<N extends string, C extends number, A extends boolean = true> = ModalLayerCall<
  ChannelsSpec<N, C>
> & {
  readonly weight: A extends true ? Vector<C> : undefined
  readonly bias: A extends true ? Vector<C> : undefined
  readonly runningMean: Vector<C>
  readonly runningVar: Vector<C>
  /** Training batches seen. */
  readonly numBatchesTracked: Variable<[], 'int32'>
}

/** Ranks of inputs: with or without a length, and with a fixed number of spatial axes. */
const ranks: { readonly [N: string]: readonly number[] } = { batchNorm1d: [2, 3], batchNorm2d: [4], batchNorm3d: [5] }

function check(name: string, x: Tensor, channels: number): void {
  const allowed = ranks[name] ?? []
  if (!allowed.includes(x.ndim))
    throw new OpError(name, `expects ${allowed.join(' or ')} dimensions, the input has ${x.ndim}`, {
      shapes: [x.shape],
      hint: 'The axes are batch, channels, then spatial ones.',
    })
  if (x.shape[1] !== channels)
    throw new OpError(name, `expects ${channels} channels, the input has ${x.shape[1]}`, {
      shapes: [x.shape, [channels]],
      hint: 'Axis 1 holds the channels.',
    })
  checkNotEmpty(name, x)
}

/** What the running statistics do, besides normalising. */
interface Statistics extends RunningStatistics {
  readonly mean: Variable
  readonly variance: Variable
}

function track(stats: Statistics, mean: Tensor, variance: Tensor, values: number): void {
  const { count, momentum } = stats
  const seen = count.value.add(1) as Tensor
  const weight = momentum === 'average' ? seen.cast('float32').reciprocal() : momentum
  const mix = (old: Tensor, now: Tensor): Tensor => old.add(now.detach().cast('float32').sub(old).mul(weight)) as Tensor
  stats.mean.assign(mix(stats.mean.value, mean))
  // The running variance is unbiased, that of the batch is not, as in PyTorch.
  stats.variance.assign(mix(stats.variance.value, variance.mul(values / (values - 1)) as Tensor))
  count.assign(seen)
}

function batchNorm<const N extends string>(name: N) {
  return <const C extends number, const A extends boolean = true>(
    channels: C,
    options: BatchNormOptions<A> = {},
  ): BatchNorm<N, C, A> => {
    checkCount(name, 'channels', channels)
    checkOptions(name, options, ['eps', 'momentum', 'affine'])
    const { eps = 1e-5, momentum = 0.1, affine = true } = options
    if (!(eps > 0)) throw new OpError(name, `eps must be above 0, got ${eps}`)
    if (momentum !== 'average' && !(momentum >= 0 && momentum <= 1))
      throw new OpError(name, `momentum must be in [0, 1] or 'average', got ${momentum}`)
    const vector = (part: string, one: boolean, trainable: boolean) =>
      parameter(part, [channels], one ? ones : zeros, { role: 'other', seed: 0, trainable })
    const learned = affine ? { weight: vector('weight', true, true), bias: vector('bias', false, true) } : undefined
    const runningMean = vector('runningMean', false, false)
    const runningVar = vector('runningVar', true, false)
    const count = new Variable(zerosOf([], 'int32'), { trainable: false, name: 'numBatchesTracked' })
    const stats: Statistics = {
      mean: runningMean.variable as unknown as Variable,
      variance: runningVar.variable as unknown as Variable,
      count: count as unknown as Variable,
      momentum,
    }
    const forward = (x: Tensor, mode: Mode): Tensor => {
      check(name, x, channels)
      const column = [channels, ...x.shape.slice(2).map(() => 1)]
      const shape = (v: Tensor): Tensor => v.reshape(column) as Tensor
      const scaled = (centred: Tensor, variance: Tensor): Tensor => {
        const inverse = variance.add(eps).rsqrt() as Tensor
        if (learned === undefined) return centred.mul(shape(inverse)) as Tensor
        const scale = inverse.mul(learned.weight.variable.value) as Tensor
        return centred.mul(shape(scale)).add(shape(learned.bias.variable.value)) as Tensor
      }
      if (mode === 'eval') return scaled(x.sub(shape(stats.mean.value)) as Tensor, stats.variance.value)
      const values = x.size / channels
      if (values < 2)
        throw new OpError(name, 'needs more than one value per channel to train', {
          shapes: [x.shape],
          hint: "Use larger batches, or mode 'eval'.",
        })
      const axes = x.shape.map((_, i) => i).filter((i) => i !== 1)
      const mean = x.mean(axes) as Tensor
      const centred = x.sub(shape(mean)) as Tensor
      const variance = centred.square().mean(axes) as Tensor
      track(stats, mean, variance, values)
      return scaled(centred, variance)
    }
    const zeroCount = {
      name: 'numBatchesTracked',
      role: 'other',
      target: count as unknown as Variable,
      draw: () => zerosOf([], 'int32') as Tensor,
      birth: undefined,
    } as const
    const learnedRecipes = learned === undefined ? [] : [learned.weight.recipe, learned.bias.recipe]
    return defineLayer({
      spec: { kind: 'channels', name, channels },
      modal: true,
      parts: {
        weight: learned?.weight.variable,
        bias: learned?.bias.variable,
        runningMean: runningMean.variable,
        runningVar: runningVar.variable,
        numBatchesTracked: count,
      },
      recipes: [...learnedRecipes, runningMean.recipe, runningVar.recipe, zeroCount],
      forward,
      statistics: stats,
    }) as unknown as BatchNorm<N, C, A>
  }
}

/**
 * Batch normalisation of [n, channels] or [n, channels, length] (Ioffe and Szegedy, 2015), as `torch.nn.BatchNorm1d`:
 * (x - mean) / sqrt(var + eps) weight + bias, for each channel. Training uses the batch's statistics and updates the
 * running ones; evaluation uses the running ones.
 */
export const batchNorm1d = batchNorm('batchNorm1d')
/**
 * Batch normalisation of [n, channels, height, width], see {@link batchNorm1d}.
 * @example sequential(conv2d(1, 6, 5, { bias: false }), batchNorm2d(6), relu())(x, 'train')
 */
export const batchNorm2d = batchNorm('batchNorm2d')
/** Batch normalisation of [n, channels, depth, height, width], see {@link batchNorm1d}. */
export const batchNorm3d = batchNorm('batchNorm3d')

function statisticsIn(x: unknown, found: Set<RunningStatistics>, seen: Set<unknown>): void {
  if ((typeof x !== 'function' && !isHolder(x)) || seen.has(x)) return
  seen.add(x)
  const stats = factsOf(x)?.statistics
  if (stats !== undefined) found.add(stats)
  for (const entry of Object.values(x)) statisticsIn(entry, found, seen)
}

/**
 * Replaces the running statistics of every batch normalisation in a model by the plain mean over one pass of the
 * training set: `run` calls the model in mode `'train'` for each batch, not through `compile`.
 * @example await recalibrate(model, async () => { for await (const { x } of batches) model(x, 'train') })
 */
export async function recalibrate(model: unknown, run: () => void | Promise<void>): Promise<void> {
  const found = new Set<RunningStatistics>()
  statisticsIn(model, found, new Set())
  if (found.size === 0)
    throw new OpError('recalibrate', 'found no batch normalisation', { hint: 'Pass a model made of layers.' })
  const before = [...found].map((stats) => [stats, stats.momentum] as const)
  for (const stats of found) {
    stats.count.assign(zerosOf([], 'int32') as Tensor)
    stats.momentum = 'average'
  }
  try {
    await run()
  } finally {
    for (const [stats, momentum] of before) stats.momentum = momentum
  }
}
