import { concat, type Mul, OpError, type Shape, stack, type Tensor, type Variable, zeros } from '@tessella/tensor'
import { checkCount, checkFeatures, checkOptions } from './checks.ts'
import { type Drops, dropped, innerDropout } from './dropout.ts'
import type { Initializer, Recipe } from './facts.ts'
import { uniform } from './init.ts'
import { defineLayer } from './layer.ts'
import { parameter } from './recipe.ts'
import { type Cell, type CellState, elmanCell, gruCell, lstmCell, unroll } from './recurrentCell.ts'
import type { CallOf, FeaturesSpec, Mode } from './types/index.ts'

/** Settings of recurrent layers. */
export interface RecurrentOptions<L extends number = number, B extends boolean = boolean, P extends number = number> {
  /** Layers on top of each other. Default 1. */
  readonly layers?: L | undefined
  /** Run a second set of weights backwards in time and put both outputs side by side. Default false. */
  readonly bidirectional?: B | undefined
  /**
   * The probability of dropping what goes from one layer to the one on top of it, in training; such a layer must be told the
   * mode. Needs two layers or more. Default 0.
   */
  readonly dropout?: P | undefined
  /** Default true. */
  readonly bias?: boolean | undefined
  /** Draws every weight and bias. Default PyTorch's: uniform within 1 / sqrt(hidden). */
  readonly init?: Initializer | undefined
  /** Fixes the numbers drawn, weights and masks; without it the layer's place in the model does. */
  readonly seed?: number | undefined
}

/** Settings of a plain recurrent layer. */
export interface RnnOptions<L extends number = number, B extends boolean = boolean, P extends number = number>
  extends RecurrentOptions<L, B, P> {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu' | undefined
}

/** States of all layers and directions, [layers * directions, n, hidden] each, ordered as PyTorch's `h_n`. */
export interface RecurrentState<HasCell extends boolean = boolean> {
  readonly hidden: Tensor
  /** Of an LSTM only. */
  readonly cell: HasCell extends true ? Tensor : HasCell extends false ? undefined : Tensor | undefined
}

type OutOf<H extends number, B extends boolean> = B extends true ? Mul<H, 2> : H

/** 0 | 1 | ... | L - 1. */
type Below<L extends number, Seen extends readonly unknown[] = []> = number extends L
  ? number
  : Seen['length'] extends L
    ? never
    : Seen['length'] | Below<L, [...Seen, unknown]>

type Place<L extends number, B extends boolean> = `L${Below<L>}${B extends true ? '' | 'Reverse' : ''}`

/** Parameters by PyTorch's names: `weight_ih_l0_reverse` is `weightIhL0Reverse`. */
type RecurrentWeights<G extends number, I extends number, H extends number, L extends number, B extends boolean> = {
  readonly [K in `weightIh${Place<L, B>}`]: Variable<
    [Mul<G, H>, K extends `weightIhL0${'' | 'Reverse'}` ? I : OutOf<H, B>],
    'float32'
  >
} & { readonly [K in `weightHh${Place<L, B>}`]: Variable<[Mul<G, H>, H], 'float32'> } & {
  readonly [K in `bias${'Ih' | 'Hh'}${Place<L, B>}`]: Variable<[Mul<G, H>], 'float32'> | undefined
}

/** A recurrent layer with its parameters. */
export type Recurrent<
  N extends string,
  G extends number,
  I extends number,
  H extends number,
  L extends number,
  B extends boolean,
  HasCell extends boolean,
  Modal extends boolean = false,
> = CallOf<FeaturesSpec<N, I, OutOf<H, B>>, Modal> &
  RecurrentWeights<G, I, H, L, B> & {
    /**
     * Runs from a state, zeros unless given, and gives the last one too: for text that goes on, and encoders. A layer with
     * dropout must be told the mode.
     */
    run<S extends Shape>(
      x: Tensor<S>,
      state?: RecurrentState<HasCell>,
      mode?: Mode,
    ): readonly [output: Tensor<[S[0] & number, S[1] & number, OutOf<H, B>]>, state: RecurrentState<HasCell>]
  }

/** One layer in one direction. */
interface Track {
  readonly weights: () => {
    readonly input: Tensor
    readonly inputBias: Tensor | undefined
    readonly hidden: Tensor
    readonly hiddenBias: Tensor | undefined
  }
  readonly reverse: boolean
}

const product = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

function checkState(op: string, state: RecurrentState | undefined, expected: Shape, hasCell: boolean): void {
  if (state === undefined) return
  for (const [name, given] of [['hidden', state.hidden] as const, ...(hasCell ? [['cell', state.cell] as const] : [])])
    if (given?.shape.join() !== expected.join())
      throw new OpError(op, `the state's ${name} has another shape`, {
        shapes: [given?.shape ?? [], expected],
        hint: 'It is [layers * directions, n, hidden], what `run` gives.',
      })
}

function recurrent(
  name: string,
  cell: Cell,
  inputSize: number,
  hiddenSize: number,
  options: RecurrentOptions,
  known: readonly string[] = [],
): unknown {
  checkCount(name, 'inputSize', inputSize)
  checkCount(name, 'hiddenSize', hiddenSize)
  checkOptions(name, options, ['layers', 'bidirectional', 'dropout', 'bias', 'init', 'seed', ...known])
  const { layers = 1, bidirectional = false, dropout = 0, bias = true, seed } = options
  const { init = uniform(1 / Math.sqrt(hiddenSize)) } = options
  checkCount(name, 'layers', layers)
  const noise = innerDropout(name, dropout, seed)
  if (dropout > 0 && layers === 1)
    throw new OpError(name, 'dropout acts between layers, and there is one', {
      hint: 'Give layers: 2 or more, or put dropout() behind it in sequential.',
    })
  const out = bidirectional ? 2 * hiddenSize : hiddenSize
  const rows = cell.gates * hiddenSize
  const parts: Record<string, Variable> = {}
  const recipes: Recipe[] = []
  const made = (key: string, shape: Shape, role: 'weight' | 'bias'): (() => Tensor) => {
    const { variable, recipe } = parameter(key, shape, init, { role, seed })
    parts[key] = variable as unknown as Variable
    recipes.push(recipe)
    return () => variable.value as unknown as Tensor
  }
  const track = (layer: number, reverse: boolean): Track => {
    const at = `L${layer}${reverse ? 'Reverse' : ''}`
    const input = made(`weightIh${at}`, [rows, layer === 0 ? inputSize : out], 'weight')
    const hidden = made(`weightHh${at}`, [rows, hiddenSize], 'weight')
    const inputBias = bias ? made(`biasIh${at}`, [rows], 'bias') : undefined
    const hiddenBias = bias ? made(`biasHh${at}`, [rows], 'bias') : undefined
    return {
      weights: () => ({ input: input(), inputBias: inputBias?.(), hidden: hidden(), hiddenBias: hiddenBias?.() }),
      reverse,
    }
  }
  const directions = bidirectional ? [false, true] : [false]
  const tracks = Array.from({ length: layers }, (_, layer) => directions.map((reverse) => track(layer, reverse)))

  const run = (x: Tensor, state?: RecurrentState, mode?: Mode): readonly [Tensor, RecurrentState] => {
    if (x.ndim !== 3)
      throw new OpError(name, `expects [n, time, features], the input has ${x.ndim} dimensions`, {
        shapes: [x.shape],
        hint: x.ndim === 2 ? 'Add a batch dimension: x.unsqueeze(0).' : 'Reshape the input.',
      })
    checkFeatures(name, x, inputSize, [rows, inputSize])
    const n = x.shape[0] as number
    checkState(name, state, [layers * directions.length, n, hiddenSize], cell.hasCell)
    const zero = zeros([n, hiddenSize], x.dtype === 'float64' ? 'float64' : 'float32') as Tensor
    const startOf = (k: number): CellState => {
      if (state === undefined) return cell.hasCell ? { hidden: zero, cell: zero } : { hidden: zero }
      const hidden = state.hidden.at(0, k) as Tensor
      return state.cell === undefined ? { hidden } : { hidden, cell: state.cell.at(0, k) as Tensor }
    }
    const last: CellState[] = []
    let y = x
    for (const [layer, both] of tracks.entries()) {
      const key = layer > 0 ? noise.keyFor(mode) : undefined
      if (key !== undefined) y = dropped(y, key, dropout)
      const outputs = both.map(({ weights, reverse }, d) => {
        const w = weights()
        // One product for all times: only the recurrent part has to wait.
        const projected = y.matmul(w.input.transpose())
        const input = (w.inputBias === undefined ? projected : projected.add(w.inputBias)) as Tensor
        const done = unroll(cell, input, startOf(layer * directions.length + d), w, reverse)
        last.push(done.last)
        return done.output
      })
      y = outputs.length === 1 ? (outputs[0] as Tensor) : (concat(outputs, 2) as Tensor)
    }
    const hidden = stack(last.map((s) => s.hidden)) as Tensor
    return [y, { hidden, cell: cell.hasCell ? (stack(last.map((s) => s.cell as Tensor)) as Tensor) : undefined }]
  }
  return defineLayer({
    spec: { kind: 'features', name, in: inputSize, out },
    modal: dropout > 0,
    parts: { ...parts, ...noise.parts },
    recipes: [...recipes, ...noise.recipes],
    macs: (input) =>
      product(input.slice(0, -1)) *
      recipes.filter((r) => r.role === 'weight').reduce((sum, r) => sum + product(r.target.shape), 0),
    methods: { run },
    forward: (x, mode) => run(x, undefined, mode)[0],
  })
}

/**
 * A recurrent layer over [n, time, in], as `torch.nn.RNN` with `batch_first`: h = tanh(W x + b + U h + c) (Elman, 1990),
 * or relu. Gives the hidden states of the top layer at all times, [n, time, hidden], both directions side by side.
 * @example rnn(28, 64)(zeros([8, 28, 28])) // Tensor<[8, 28, 64], 'float32'>
 */
export const rnn = <
  const I extends number,
  const H extends number,
  const L extends number = 1,
  const B extends boolean = false,
  const P extends number = 0,
>(
  inputSize: I,
  hiddenSize: H,
  options: RnnOptions<L, B, P> = {},
): Recurrent<'rnn', 1, I, H, L, B, false, Drops<P>> =>
  recurrent('rnn', elmanCell(options.nonlinearity ?? 'tanh'), inputSize, hiddenSize, options, [
    'nonlinearity',
  ]) as Recurrent<'rnn', 1, I, H, L, B, false, Drops<P>>

/**
 * A layer with long short-term memory over [n, time, in] (Hochreiter and Schmidhuber, 1997, with forget gates), as
 * `torch.nn.LSTM` with `batch_first`: i, f, o = sigmoid, g = tanh of W x + b + U h + c; c' = f c' + i g; h = o tanh(c').
 * @example
 * const layer = lstm(64, 128, { layers: 2, bidirectional: true }) // [n, time, 64] -> [n, time, 256]
 * const [y, { hidden, cell }] = layer.run(x)
 */
export const lstm = <
  const I extends number,
  const H extends number,
  const L extends number = 1,
  const B extends boolean = false,
  const P extends number = 0,
>(
  inputSize: I,
  hiddenSize: H,
  options: RecurrentOptions<L, B, P> = {},
): Recurrent<'lstm', 4, I, H, L, B, true, Drops<P>> =>
  recurrent('lstm', lstmCell, inputSize, hiddenSize, options) as Recurrent<'lstm', 4, I, H, L, B, true, Drops<P>>

/**
 * A layer of gated recurrent units over [n, time, in] (Cho et al., 2014), as `torch.nn.GRU` with `batch_first`:
 * r, z = sigmoid(W x + b + U h + c), n = tanh(W x + b + r (U h + c)), h = (1 - z) n + z h.
 * @example gru(28, 64)(zeros([8, 28, 28])) // Tensor<[8, 28, 64], 'float32'>
 */
export const gru = <
  const I extends number,
  const H extends number,
  const L extends number = 1,
  const B extends boolean = false,
  const P extends number = 0,
>(
  inputSize: I,
  hiddenSize: H,
  options: RecurrentOptions<L, B, P> = {},
): Recurrent<'gru', 3, I, H, L, B, false, Drops<P>> =>
  recurrent('gru', gruCell, inputSize, hiddenSize, options) as Recurrent<'gru', 3, I, H, L, B, false, Drops<P>>
