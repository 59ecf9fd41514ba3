import { grad } from '@tessella/autograd'
import { countParameters, gru, linear, lstm, module, rnn } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { adam, chain, clipByGlobalNorm, optimizer } from '@tessella/optimizers'
import { foldIn, key, normal, type Tensor, uniform } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const hidden = 24
const cells = {
  RNN: { make: rnn, tone: 't1' },
  LSTM: { make: lstm, tone: 't0' },
  GRU: { make: gru, tone: 't2' },
} as const
type Name = keyof typeof cells
const names = Object.keys(cells) as Name[]

/** Sequences of numbers of which two are marked; the answer is their sum (Hochreiter and Schmidhuber, 1997). */
export function adding(seed: number, rows: number, length: number): { readonly x: Tensor; readonly y: Tensor } {
  const half = length / 2
  const numbers = uniform(foldIn(key(seed), 0), [rows, length]) as Tensor
  const mark = (part: number): Tensor => {
    const places = uniform(foldIn(key(seed), 1 + part), [rows, half]) as Tensor
    return places.eq(places.max(1, { keepdim: true })).cast('float32') as Tensor
  }
  // One mark in each half.
  const marks = [mark(0), mark(1)].map(
    (m, i) => m.pad([[0, 0], i === 0 ? [0, length - half] : [length - half, 0]] as never) as Tensor,
  )
  const both = (marks[0] as Tensor).add(marks[1] as Tensor) as Tensor
  return {
    x: numbers
      .unsqueeze(2)
      .pad([
        [0, 0],
        [0, 0],
        [0, 1],
      ] as never)
      .add(
        both.unsqueeze(2).pad([
          [0, 0],
          [0, 0],
          [1, 0],
        ] as never) as Tensor,
      ) as Tensor,
    y: numbers.mul(both).sum(1, { keepdim: true }) as Tensor,
  }
}

/** A recurrent layer whose last state answers. */
function network(name: Name, seed: number) {
  const layer = cells[name].make(2, hidden, { seed }) as unknown as (x: Tensor) => Tensor
  // show: network
  return module({ layer: layer as never, out: linear(hidden, 1, { seed }) }, (m, x: Tensor) =>
    m.out((m.layer as unknown as (x: Tensor) => Tensor)(x).at(1, -1) as never),
  )
  // end
}
type Network = ReturnType<typeof network>

/** How much the last state depends on the input at each time: the norm of its derivative, by time from the end. */
async function reach(model: Network, length: number, seed: number): Promise<readonly number[]> {
  const layer = (model as unknown as { layer: (x: Tensor) => Tensor }).layer
  const { x } = adding(seed, 16, length)
  const direction = normal(key(seed), [hidden]) as Tensor
  const slopes = grad((v: Tensor) => layer(v).at(1, -1).mul(direction).sum() as Tensor<[], 'float32'>)(x) as Tensor
  const norms = Array.from(await slopes.square().sum([0, 2]).sqrt().data(), Number)
  return norms.toReversed()
}

interface Learned {
  readonly name: Name
  readonly losses: readonly number[]
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly error: number
}

async function learn(name: Name, length: number, steps: number, context: Context): Promise<Learned> {
  const model = network(name, context.seed)
  const before = await reach(model, length, context.seed)
  const step = trainStep<{ x: Tensor; y: Tensor }>({
    model,
    optimizer: optimizer(chain(clipByGlobalNorm(1), adam(0.005)), model),
    loss: ({ x, y }) => mse(model(x) as Tensor, y),
  })
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    losses.push(await step(adding(1000 * context.seed + i, 64, length)).item())
    await pause(context)
  }
  const { x, y } = adding(7, 500, length)
  const error = Number(await mse(model(x) as Tensor, y).item())
  context.note(`${name}: ${formatNumber(error, 2)}`)
  return { name, losses, before, after: await reach(model, length, context.seed), error }
}

async function run(context: Context): Promise<Page> {
  const { quick } = context
  const [length, steps] = quick ? [10, 10] : [30, 900]
  const all: Learned[] = []
  for (const name of names) all.push(await learn(name, length, steps, context))
  const of = (name: Name): Learned => all.find((l) => l.name === name) as Learned
  // Two uniform numbers: the variance of their sum.
  const guess = 1 / 6
  const smooth = (list: readonly number[]): readonly Point[] => {
    const size = Math.max(1, Math.floor(list.length / 60))
    return Array.from(
      { length: Math.floor(list.length / size) },
      (_, i): Point => [size * (i + 0.5), list.slice(size * i, size * (i + 1)).reduce((a, b) => a + b, 0) / size],
    )
  }
  const fade = (l: Learned): number => (l.after.at(-1) as number) / (l.after[0] as number)
  const kept = await stacked(context.seed)
  const sizes = names.map((name) => countParameters(network(name, context.seed)))
  const best = all.reduce((a, b) => (b.error < a.error ? b : a))
  return {
    found: `Adding two marked numbers of ${length}: mean square error ${all.map((l) => `${formatNumber(l.error, 2)} (${l.name})`).join(', ')}; ${formatNumber(guess, 2)} is what the mean alone gives. ${best.name} is best.`,
    picture: lineChart({
      label: 'Mean square error by step for three recurrent layers',
      x: { name: 'step' },
      y: { name: 'mean square error', log: true, domain: [1e-4, 1], ticks: [1e-4, 1e-3, 0.01, 0.1, 1] },
      series: [
        ...all.map((l) => ({ name: l.name, tone: cells[l.name].tone, points: smooth(l.losses) })),
        { name: 'the mean', tone: 't7', dashed: true, points: [0, steps].map((s): Point => [s, guess]) },
      ],
    }),
    caption: `Sequences of ${length} numbers of which one in each half is marked; the answer is their sum. ${hidden} units, Adam with rate 0.005, gradients clipped to 1, batches of 64 new sequences. One run each.`,
    claims: [
      {
        said: 'Recurrent layers carry a state from time to time; gates keep it longer.',
        row: 'RNN',
        measured: `errors ${all.map((l) => `${l.name} ${formatNumber(l.error, 2)}`).join(', ')}`,
        agrees: Math.min(of('LSTM').error, of('GRU').error) < of('RNN').error,
        remark: 'A later row of the course: no slide has numbers for it.',
      },
      {
        said: 'Gradients fade on their way back through time.',
        row: 'RNN',
        measured: `after training the first input counts ${all.map((l) => `${formatNumber(fade(l), 2)} (${l.name})`).join(', ')} times what the last one counts`,
        agrees: Math.max(fade(of('LSTM')), fade(of('GRU'))) > fade(of('RNN')),
      },
      {
        said: 'Layers stand on each other, with dropout between them in training.',
        row: 'RNN',
        measured: `in evaluation the stack with dropout is the stack without, up to ${kept.same.toExponential(1)}; in training it differs by ${formatNumber(kept.differs, 2)}`,
        agrees: kept.same < 1e-6 && kept.differs > 1e-3,
      },
    ],
    numbers: { errors: all.map((l) => l.error), fades: all.map(fade), sizes },
    sections: [
      {
        title: 'Formulas',
        lede: 'h is the state, σ the sigmoid; products of gates are by element.',
        body: formulas(
          [String.raw`h := \tanh(W x + U h + b)`, 'plain (Elman, 1990)'],
          [
            String.raw`c := f \odot c + i \odot \tanh(W_g x + U_g h + b_g), \quad h := o \odot \tanh c`,
            'LSTM: i, f, o are sigmoids of x and h',
          ],
          [
            String.raw`h := (1 - z) \odot n + z \odot h, \quad n = \tanh(W_n x + r \odot U_n h + b_n)`,
            'GRU: r and z are sigmoids of x and h',
          ],
        ),
      },
      ...(['before', 'after'] as const).map((when) => ({
        title: `What the last state knows ${when} training`,
        lede: 'Norm of its derivative by the input, by how many times ago the input was.',
        body: html`<figure class="card">${lineChart(
          {
            label: `Derivative of the last state by inputs, ${when} training`,
            x: { name: 'times ago' },
            y: { name: 'norm', log: true },
            series: all.map((l) => ({
              name: l.name,
              tone: cells[l.name].tone,
              points: l[when].map((v, i): Point => [i, v]),
            })),
          },
          0.8,
        )}</figure>`,
      })),
      {
        title: 'Sizes',
        lede: 'Of the three layers with their answer.',
        body: plainTable(
          'Parameters and errors of recurrent layers',
          ['layer', 'parameters', 'mean square error'],
          all.map((l, i) => [l.name, String(sizes[i]), formatNumber(l.error, 2)]),
        ),
      },
      {
        title: 'Code',
        lede: 'The same network for each layer; a stack with dropout.',
        body: html`${snippet(import.meta.url, 'network')}${snippet(import.meta.url, 'stack')}`,
      },
    ],
  }
}

/** A stack with dropout between its layers against the one without. */
async function stacked(seed: number) {
  // show: stack
  const plain = gru(2, hidden, { layers: 2, seed })
  const noisy = gru(2, hidden, { layers: 2, dropout: 0.3, seed })
  // end
  const { x } = adding(3, 8, 10)
  const far = async (a: Tensor, b: Tensor): Promise<number> => Number(await a.sub(b).abs().max().item())
  const whole = plain(x as never) as Tensor
  return {
    same: await far(noisy(x as never, 'eval') as Tensor, whole),
    differs: await far(noisy(x as never, 'train') as Tensor, whole),
  }
}

/** Recurrent layers: the adding problem, and how far back gradients reach. */
export const sequences: Topic = {
  name: 'sequences',
  title: 'Recurrent layers',
  about: 'RNN, LSTM and GRU add two marked numbers of a sequence; how far back their gradients reach.',
  rows: ['RNN'],
  run,
}
