import { dropout, flatten, heNormal, initialize, input, linear, relu, sequential, zeros } from '@tessella/layers'
import { adam } from '@tessella/optimizers'
import { elasticNet, l1, l2 } from '@tessella/regularizers'
import { namedVariables, type Tensor } from '@tessella/tensor'
import { earlyStopping, formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { type Epoch, train } from './course.ts'

/** The lectures' MLP, with dropout of probability `p` after its hidden layers where p is above 0. */
function mlp(p: number, seed: number) {
  const model = sequential(
    input(1, 28, 28),
    flatten(),
    linear(784, 120),
    relu(),
    dropout(p, { seed }),
    linear(120, 84),
    relu(),
    dropout(p, { seed: seed + 1 }),
    linear(84, 10),
  )
  initialize(model, { weight: heNormal(), bias: zeros, seed })
  return model
}

// show: ways
interface Way {
  readonly name: string
  readonly dropout?: number
  readonly penalty?: (model: object) => Tensor
  readonly early?: true
}
const ways: readonly Way[] = [
  { name: 'none' },
  { name: 'L2', penalty: (model) => l2(model, 0.004) },
  { name: 'L1', penalty: (model) => l1(model, 0.0001) },
  { name: 'elastic net', penalty: (model) => elasticNet(model, 0.00005, 0.001) },
  { name: 'dropout', dropout: 0.5 },
  { name: 'early stopping', early: true },
]
// end

interface Outcome {
  readonly way: Way
  readonly epochs: readonly Epoch[]
  /** Test errors of the weights that are kept. */
  readonly errors: number
  /** Share of weights that are nearly 0. */
  readonly small: number
}

async function outcome(way: Way, context: Context): Promise<Outcome> {
  const { quick, seed } = context
  const data = await context.mnist()
  const rows = quick ? 200 : 1000
  const model = mlp(way.dropout ?? 0, seed)
  const stopping = earlyStopping({ patience: 4 })
  const { penalty } = way
  const epochs = await train(
    {
      model,
      scores: (images, mode) => model(images, mode),
      transform: adam(0.001),
      ...(penalty === undefined ? {} : { penalty: () => penalty(model) }),
      train: data.train.take(rows),
      // Early stopping watches images that are neither trained on nor tested on.
      test: data.test.take(quick ? 300 : 5000),
      ...(way.early
        ? {
            watch: data.train.subset(Array.from({ length: rows / 2 }, (_, i) => rows + i)),
            shouldStop: (e: Epoch) => {
              stopping.update(e.watched)
              return stopping.shouldStop
            },
          }
        : {}),
      epochs: quick ? 2 : 40,
      size: 50,
      trainErrors: true,
    },
    context,
  )
  let small = 0
  let count = 0
  for (const [name, v] of Object.entries(namedVariables(model, { trainable: true }))) {
    if (!name.endsWith('weight')) continue
    for (const w of (await v.value.data()) as Float32Array) {
      if (Math.abs(w) < 1e-3) small++
      count++
    }
  }
  return { way, epochs, errors: epochs.at(-1)?.testErrors ?? Number.NaN, small: small / count }
}

async function run(context: Context): Promise<Page> {
  const all: Outcome[] = []
  for (const way of ways) {
    all.push(await outcome(way, context))
    context.note(`${way.name}: ${percent(all.at(-1)?.errors ?? Number.NaN)} test errors`)
  }
  const of = (name: string): Outcome => all.find((o) => o.way.name === name) as Outcome
  const best = all.reduce((a, b) => (b.errors < a.errors ? b : a))
  const none = of('none')
  const gap = (o: Outcome): number => o.errors - (o.epochs.at(-1)?.trainErrors ?? Number.NaN)
  const images = context.quick ? 200 : 1000
  // Two standard errors of the difference of two shares on the test images.
  const chance = 2 * Math.sqrt((2 * none.errors * (1 - none.errors)) / (context.quick ? 300 : 5000))
  const within = (o: Outcome) =>
    Math.abs(none.errors - o.errors) > chance
      ? {}
      : { remark: `One run each: a difference below ${percent(chance)} may be chance, so this run does not show it.` }
  return {
    found: `With ${images} training images, ${percent(none.errors)} test errors without regularisation; the least here is ${percent(best.errors)}, with ${best.way.name}; differences below ${percent(chance)} may be chance.`,
    picture: lineChart({
      label: 'Test errors by epoch for each regularisation',
      x: { name: 'epoch' },
      y: { name: 'test errors, %', ...(context.quick ? {} : { domain: [12, 22] as const }) },
      series: all.map((o, i) => ({
        name: o.way.name,
        tone: toneOf(i),
        points: o.epochs.map((e, n) => [n + 1, 100 * e.testErrors]),
      })),
    }),
    caption: `The lectures’ MLP on ${images} images of MNIST, Adam, batches of 50. Errors on test images after each epoch; the axis does not begin at 0. One run each, strengths chosen by hand with these test errors in view, not on a validation set: read it as a picture, not as a ranking.`,
    claims: [
      {
        said: 'A network with more weights than examples overfits: it does well on what it has seen, worse on the rest.',
        row: 'R1',
        measured: `without regularisation ${percent(none.epochs.at(-1)?.trainErrors ?? 0)} errors in training, ${percent(none.errors)} in the test`,
        agrees: gap(none) > 0.02,
      },
      {
        said: 'Dropout reduces overfitting.',
        row: 'R5',
        measured: `${percent(of('dropout').errors)} instead of ${percent(none.errors)}`,
        agrees: none.errors - of('dropout').errors > chance,
        ...within(of('dropout')),
      },
      {
        said: 'L2 keeps the weights from growing and generalises better.',
        row: 'R1',
        measured: `${percent(of('L2').errors)} instead of ${percent(none.errors)}`,
        agrees: none.errors - of('L2').errors > chance,
        ...within(of('L2')),
      },
      {
        said: 'L1 drives weights to zero.',
        row: 'R2',
        measured: `${percent(of('L1').small)} of the weights below 0.001, without it ${percent(none.small)}`,
        agrees: of('L1').small > 2 * none.small,
      },
    ],
    numbers: { testErrors: all.map((o) => o.errors), smallWeights: all.map((o) => o.small) },
    sections: [
      {
        title: 'Formulas',
        lede: 'What is added to the loss; biases are left out.',
        body: formulas(
          [
            String.raw`C = C_0 + \frac{\lambda}{2} \|w\|_2^2 \quad\Rightarrow\quad w := (1 - \eta\lambda)\, w - \eta\, \frac{\partial C_0}{\partial w}`,
            'L2, weight decay (also with λ/2n: give λ/n)',
          ],
          [String.raw`C = C_0 + \lambda \|w\|_1`, 'L1'],
          [
            String.raw`C = C_0 + \alpha \|w\|_1 + \beta \|w\|_2^2`,
            'elastic net: the lectures’ mixture, without a half',
          ],
        ),
      },
      { title: 'Code', lede: 'The six ways; all else is the same.', body: snippet(import.meta.url, 'ways') },
      {
        title: 'In numbers',
        lede: 'Early stopping watches 500 further images and stops when their loss has not improved for four epochs.',
        body: html`${plainTable(
          'Errors of each way',
          ['way', 'epochs', 'training errors', 'test errors', 'test loss', 'weights below 0.001'],
          all.map((o) => {
            const e = o.epochs.at(-1) as Epoch
            return [
              o.way.name,
              String(o.epochs.length),
              percent(e.trainErrors),
              percent(e.testErrors),
              formatNumber(e.testLoss, 3),
              percent(o.small),
            ]
          }),
        )}`,
      },
    ],
  }
}

/** R1 to R5 on a small training set, side by side. */
export const regularisation: Topic = {
  name: 'regularisation',
  title: 'Regularisation on few images',
  about: 'None, L2, L1, elastic net, dropout and early stopping on a thousand images of MNIST.',
  rows: ['R1', 'R2', 'R3', 'R5', 'T10'],
  run,
}
