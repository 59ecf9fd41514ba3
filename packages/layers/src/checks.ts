import { checkWhole, OpError, type PerDim, type Tensor } from '@tessella/tensor'
import type { Mode } from './types/index.ts'

// Layers take it from here with the other checks.
export { checkOptions } from '@tessella/tensor'

/** Sizes and counts of layers are whole numbers of at least 1. */
export const checkCount = (op: string, name: string, value: number, least = 1): void =>
  checkWhole(op, name, value, least)

/** A probability below 1 leaves something to scale up. */
export function checkProbability(op: string, p: number): void {
  if (!(p >= 0 && p < 1))
    throw new OpError(op, `the probability of dropping must be in [0, 1), got ${String(p)}`, {
      hint: 'dropout(0.2) drops a fifth.',
    })
}

/** Layers that differ in training must be told. */
export function checkMode(op: string, mode: unknown): asserts mode is Mode {
  if (mode !== 'train' && mode !== 'eval')
    throw new OpError(op, `must be told whether it trains, got ${String(mode)}`, {
      hint: "Call it as model(x, 'train') or model(x, 'eval').",
    })
}

interface WindowSettings {
  readonly stride?: PerDim | undefined
  readonly padding?: PerDim | 'same' | 'valid' | undefined
  readonly dilation?: PerDim | undefined
  readonly outputPadding?: PerDim | undefined
}

/** How a window moves: checked where the layer is made, not at its first call. `words` is what padding may say. */
export function checkWindow(op: string, rank: number, settings: WindowSettings, words: readonly string[] = []): void {
  const { stride = 1, padding = 0, dilation = 1, outputPadding = 0 } = settings
  const check = (name: string, value: unknown, least: number, hint?: string): void => {
    if (Array.isArray(value) && value.length !== rank)
      throw new OpError(op, `${name} [${value.join(', ')}] needs ${rank} ${rank === 1 ? 'entry' : 'entries'}`, {
        hint: 'Give one number, or one for each spatial axis.',
      })
    checkWhole(op, name, value, least, hint)
  }
  check('stride', stride, 1)
  check('dilation', dilation, 1)
  check('outputPadding', outputPadding, 0)
  if (typeof padding !== 'string' || !words.includes(`'${padding}'`))
    check('padding', padding, 0, words.length > 0 ? `Or ${words.join(' or ')}.` : undefined)
}

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/** The last axis must have the features that the weight takes. */
export function checkFeatures(op: string, x: Tensor, features: number, weight: readonly number[]): void {
  const given = x.shape.at(-1)
  if (given !== features)
    throw new OpError(op, `expects ${plural(features, 'feature')}, the input has ${given ?? 'none'}`, {
      shapes: [x.shape, weight],
      hint:
        x.ndim > 2 && x.shape.slice(1).reduce((a, b) => a * b, 1) === features
          ? 'Put flatten() before it.'
          : 'The last size of the input must be the number of features.',
    })
  checkNotEmpty(op, x)
}

const axesText = ['[n, channels, length]', '[n, channels, height, width]', '[n, channels, depth, height, width]']

/** Axis 1 must have the channels that the layer was made for, and `rank` spatial axes must follow. */
export function checkChannels(op: string, x: Tensor, channels: number, rank: number, weight: readonly number[]): void {
  if (x.ndim !== rank + 2)
    throw new OpError(op, `expects ${axesText[rank - 1]}, the input has ${x.ndim} dimensions`, {
      shapes: [x.shape, weight],
      hint: x.ndim === rank + 1 ? 'Add a batch dimension: x.unsqueeze(0).' : 'Reshape the input.',
    })
  if (x.shape[1] !== channels)
    throw new OpError(op, `expects ${plural(channels, 'channel')}, the input has ${x.shape[1]}`, {
      shapes: [x.shape, weight],
      hint:
        x.shape.at(-1) === channels
          ? 'Channels come before height and width: move the last axis to place 1.'
          : 'Axis 1 holds the channels.',
    })
  checkNotEmpty(op, x)
}

/** Nothing in gives nothing out, which is nearly always a mistake in the data. */
export function checkNotEmpty(op: string, x: Tensor): void {
  if (x.size === 0)
    throw new OpError(op, x.shape[0] === 0 ? 'the batch is empty' : 'the input is empty', {
      shapes: [x.shape],
      hint: 'Skip empty batches.',
    })
}
