import { concat, type Tensor } from '@tessella/tensor'

/** What a recurrent layer carries from one time to the next, each [n, hidden]. */
export interface CellState {
  readonly hidden: Tensor
  /** Of an LSTM only. */
  readonly cell?: Tensor
}

/** The weights of one layer in one direction, as they are now. */
export interface CellWeights {
  readonly hidden: Tensor
  readonly hiddenBias: Tensor | undefined
}

/** One step: from what the input contributes, [n, gates * hidden], and the state before. */
export interface Cell {
  /** How many rows of `hidden` the weights have. */
  readonly gates: number
  readonly hasCell: boolean
  step(input: Tensor, state: CellState, weights: CellWeights): CellState
}

const recur = ({ hidden }: CellState, weights: CellWeights): Tensor => {
  const product = hidden.matmul(weights.hidden.transpose())
  return (weights.hiddenBias === undefined ? product : product.add(weights.hiddenBias)) as Tensor
}

/** Part `k` of `count` equal parts of the last axis. */
const gate = (x: Tensor, k: number, count: number): Tensor => {
  const width = (x.shape[1] as number) / count
  return x.narrow(1, k * width, width) as Tensor
}

/** h = f(W x + b + U h + c). */
export const elmanCell = (nonlinearity: 'tanh' | 'relu'): Cell => ({
  gates: 1,
  hasCell: false,
  step: (input, state, weights) => {
    const sum = input.add(recur(state, weights))
    return { hidden: (nonlinearity === 'tanh' ? sum.tanh() : sum.relu()) as Tensor }
  },
})

/** i, f, o = sigmoid, g = tanh of their quarters (i, f, g, o); c = f c + i g; h = o tanh(c). */
export const lstmCell: Cell = {
  gates: 4,
  hasCell: true,
  step: (input, state, weights) => {
    const sum = input.add(recur(state, weights)) as Tensor
    const [i, f, o] = [0, 1, 3].map((k) => gate(sum, k, 4).sigmoid()) as [Tensor, Tensor, Tensor]
    const kept = f.mul(state.cell as Tensor)
    const cell = kept.add(i.mul(gate(sum, 2, 4).tanh() as Tensor) as Tensor) as Tensor
    return { hidden: o.mul(cell.tanh() as Tensor) as Tensor, cell }
  },
}

/** r, z = sigmoid of their thirds (r, z, n); n = tanh(W x + b + r (U h + c)); h = (1 - z) n + z h. */
export const gruCell: Cell = {
  gates: 3,
  hasCell: false,
  step: (input, state, weights) => {
    const again = recur(state, weights)
    const sigmoidOf = (k: number): Tensor =>
      gate(input, k, 3)
        .add(gate(again, k, 3))
        .sigmoid() as Tensor
    const [r, z] = [sigmoidOf(0), sigmoidOf(1)]
    const fresh = gate(input, 2, 3)
      .add(r.mul(gate(again, 2, 3)) as Tensor)
      .tanh() as Tensor
    return { hidden: fresh.add(z.mul(state.hidden.sub(fresh) as Tensor) as Tensor) as Tensor }
  },
}

/**
 * A cell over all times of [n, time, gates * hidden], forwards or backwards: the hidden states [n, time, hidden] in the
 * order of the input, and the last state. The loop is unrolled into the graph.
 */
export function unroll(
  cell: Cell,
  input: Tensor,
  start: CellState,
  weights: CellWeights,
  reverse: boolean,
): { readonly output: Tensor; readonly last: CellState } {
  const steps = input.shape[1] as number
  const outputs: Tensor[] = []
  let state = start
  for (let t = 0; t < steps; t++) {
    state = cell.step(input.at(1, reverse ? steps - 1 - t : t) as Tensor, state, weights)
    outputs.push(state.hidden.unsqueeze(1) as Tensor)
  }
  if (reverse) outputs.reverse()
  return { output: concat(outputs, 1) as Tensor, last: state }
}
