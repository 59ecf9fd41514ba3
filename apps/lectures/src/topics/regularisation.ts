import { dropout, flatten, heNormal, initialize, input, linear, relu, sequential, zeros } from '@tessella/layers'
import { adam } from '@tessella/optimizers'
import { elasticNet, l1, l2 } from '@tessella/regularizers'
import { namedVariables, type Tensor } from '@tessella/tensor'
import { earlyStopping, formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { apart, choose, type SmallSets, seedsFrom, smallSets } from './chosen.ts'
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
  /** Strengths, of which one is chosen on the validation set. */
  readonly strengths: readonly [number, ...number[]]
  readonly dropout?: true
  readonly penalty?: (model: object, strength: number) => Tensor
  readonly early?: true
}
const ways: readonly Way[] = [
  { name: 'none', strengths: [0] },
  { name: 'L2', strengths: [0.0003, 0.001, 0.003, 0.01], penalty: (model, lambda) => l2(model, lambda) },
  { name: 'L1', strengths: [0.00001, 0.00003, 0.0001, 0.0003], penalty: (model, lambda) => l1(model, lambda) },
  {
    name: 'elastic net',
    strengths: [0.000003, 0.00001, 0.00003, 0.0001],
    penalty: (model, alpha) => elasticNet(model, alpha, 10 * alpha),
  },
  { name: 'dropout', strengths: [0.1, 0.2, 0.35, 0.5], dropout: true },
  { name: 'early stopping', strengths: [4], early: true },
]
// end

interface Outcome {
  readonly way: Way
  readonly strength: number
  /** Median errors on the validation set by strength; empty where there is nothing to choose. */
  readonly validation: readonly number[]
  /** The last epoch of every seed. */
  readonly last: readonly Epoch[]
  readonly epochs: number
  /** Test errors of the weights that are kept, by seed. */
  readonly errors: readonly number[]
  /** Share of weights that are nearly 0, by seed. */
  readonly small: readonly number[]
}

/** The share of the weights below 0.001. */
async function smallShare(model: object): Promise<number> {
  let small = 0
  let count = 0
  for (const [name, v] of Object.entries(namedVariables(model, { trainable: true }))) {
    if (!name.endsWith('weight')) continue
    for (const w of (await v.value.data()) as Float32Array) {
      if (Math.abs(w) < 1e-3) small++
      count++
    }
  }
  return small / count
}

async function outcome(way: Way, sets: SmallSets, context: Context): Promise<Outcome> {
  const last: Epoch[] = []
  const small: number[] = []
  let most = 0
  const { penalty } = way
  const trial = async (strength: number, seed: number, on: 'validation' | 'test'): Promise<number> => {
    const model = mlp(way.dropout ? strength : 0, seed)
    const stopping = earlyStopping({ patience: way.early ? strength : 1 })
    const epochs = await train(
      {
        model,
        scores: (images, mode) => model(images, mode),
        transform: adam(0.001),
        ...(penalty === undefined ? {} : { penalty: () => penalty(model, strength) }),
        train: sets.train,
        test: sets[on],
        ...(way.early
          ? {
              // Watched are images that are neither trained on nor tested on.
              watch: sets.validation.take(500),
              shouldStop: (e: Epoch) => {
                stopping.update(e.watched)
                return stopping.shouldStop
              },
            }
          : { onlyLast: true }),
        epochs: context.quick ? 2 : 40,
        size: 50,
        trainErrors: on === 'test',
      },
      { ...context, seed },
    )
    const end = epochs.at(-1) as Epoch
    if (on === 'test') {
      last.push(end)
      small.push(await smallShare(model))
      most = Math.max(most, way.early ? epochs.length : context.quick ? 2 : 40)
    }
    return end.testErrors
  }
  const seeds = { choosing: seedsFrom(context, 2), testing: seedsFrom({ ...context, seed: context.seed + 100 }, 5) }
  const { setting, validation, test } = await choose<number>(way.strengths, trial, seeds)
  return { way, strength: setting, validation, last, epochs: most, errors: test, small }
}

async function run(context: Context): Promise<Page> {
  const sets = await smallSets(context, 1000)
  const all: Outcome[] = []
  for (const way of ways) {
    const o = await outcome(way, sets, context)
    all.push(o)
    context.note(`${way.name}, ${o.strength}: ${o.errors.map(percent).join(', ')} test errors`)
  }
  const of = (name: string): Outcome => all.find((o) => o.way.name === name) as Outcome
  const middle = (o: Outcome): number => median(o.errors)
  const best = all.reduce((a, b) => (middle(b) < middle(a) ? b : a))
  const none = of('none')
  const inTraining = (o: Outcome): number => median(o.last.map((e) => e.trainErrors))
  const instead = (o: Outcome): string =>
    `${percent(middle(o))} instead of ${percent(middle(none))}, medians of ${o.errors.length} seeds`
  const overlap = (o: Outcome) =>
    apart(o.errors, none.errors) || apart(none.errors, o.errors)
      ? {}
      : { remark: 'The ranges of the two overlap, so these runs do not show it for sure.' }
  return {
    found: `With ${sets.train.length} training images, ${percent(middle(none))} test errors without regularisation; the least is ${percent(middle(best))}, with ${best.way.name}. Medians of ${none.errors.length} seeds; strengths were chosen on other images.`,
    picture: ranges(
      'Test errors of every seed for each regularisation',
      'test errors, %',
      all.map((o, i) => ({ name: o.way.name, tone: toneOf(i), values: o.errors.map((e) => 100 * e) })),
    ),
    caption: `The lectures’ MLP on ${sets.train.length} images of MNIST, Adam, batches of 50, up to ${none.epochs} epochs; errors on ${sets.test.length} test images of ${none.errors.length} seeds each, the bar and the number are the median. Strengths were chosen on ${sets.validation.length} further images with other seeds. The axis does not begin at 0.`,
    claims: [
      {
        said: 'A network with more weights than examples overfits: it does well on what it has seen, worse on the rest.',
        row: 'R1',
        measured: `without regularisation ${percent(inTraining(none))} errors in training, ${percent(middle(none))} in the test`,
        agrees: middle(none) - inTraining(none) > 0.02,
      },
      {
        said: 'Dropout reduces overfitting.',
        row: 'R5',
        measured: instead(of('dropout')),
        agrees: apart(of('dropout').errors, none.errors),
        ...overlap(of('dropout')),
      },
      {
        said: 'L2 keeps the weights from growing and generalises better.',
        row: 'R1',
        measured: instead(of('L2')),
        agrees: apart(of('L2').errors, none.errors),
        ...overlap(of('L2')),
      },
      {
        said: 'L1 drives weights to zero.',
        row: 'R2',
        measured: `${percent(median(of('L1').small))} of the weights below 0.001, without it ${percent(median(none.small))}`,
        agrees: median(of('L1').small) > 2 * median(none.small),
      },
    ],
    numbers: {
      testErrors: all.map(middle),
      strengths: all.map((o) => o.strength),
      smallWeights: all.map((o) => median(o.small)),
    },
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
      {
        title: 'What was chosen',
        lede: `Median errors of two seeds on the validation set by strength; the least was taken.`,
        body: plainTable(
          'Validation errors by strength',
          ['way', 'chosen', 'validation errors by strength'],
          all
            .filter((o) => o.validation.length > 0)
            .map((o) => [
              o.way.name,
              String(o.strength),
              o.way.strengths.map((s, i) => `${s}: ${percent(o.validation[i] as number)}`).join(', '),
            ]),
        ),
      },
      {
        title: 'In numbers',
        lede: 'Medians of the seeds, with the range of the test errors. Early stopping watches 500 of the validation images and stops when their loss has not improved for four epochs.',
        body: html`${plainTable(
          'Errors of each way',
          ['way', 'epochs', 'training errors', 'test errors', 'least', 'most', 'test loss', 'weights below 0.001'],
          all.map((o) => [
            o.way.name,
            String(o.epochs),
            percent(inTraining(o)),
            percent(middle(o)),
            percent(Math.min(...o.errors)),
            percent(Math.max(...o.errors)),
            formatNumber(median(o.last.map((e) => e.testLoss)), 3),
            percent(median(o.small)),
          ]),
        )}`,
      },
      {
        title: 'Code',
        lede: 'The six ways; how a strength is chosen.',
        body: html`${snippet(import.meta.url, 'ways')}${snippet(new URL('./chosen.ts', import.meta.url).href, 'choose')}`,
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
