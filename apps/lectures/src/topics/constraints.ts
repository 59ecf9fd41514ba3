import { flatten, heNormal, initialize, input, linear, relu, sequential, zeros } from '@tessella/layers'
import { adam } from '@tessella/optimizers'
import { type Constraint, constrain, maxNorm, nonNegative, unitNorm } from '@tessella/regularizers'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { signTile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { seedsFrom, smallSets } from './chosen.ts'
import { train } from './course.ts'

const limit = 1

function net(seed: number) {
  const hidden = linear(784, 36)
  const model = sequential(input(1, 28, 28), flatten(), hidden, relu(), linear(36, 10))
  initialize(model, { weight: heNormal(), bias: zeros, seed })
  return { model, hidden }
}

// show: ways
const ways: readonly (readonly [name: string, constraint?: Constraint])[] = [
  ['none'],
  ['max norm', maxNorm(limit)], // rows longer than 1 are shortened
  ['unit norm', unitNorm()],
  ['not negative', nonNegative()],
]
// end

interface Outcome {
  readonly name: string
  readonly errors: readonly number[]
  /** Least, median and largest length of the hidden units' weights by epoch, of the first seed. */
  readonly lengths: readonly (readonly [low: number, middle: number, high: number])[]
  readonly weights: Float32Array
}

async function outcome(name: string, constraint: Constraint | undefined, context: Context): Promise<Outcome> {
  const sets = await smallSets(context, 5000)
  const errors: number[] = []
  const lengths: (readonly [number, number, number])[] = []
  let weights = new Float32Array()
  for (const seed of seedsFrom(context, 3)) {
    const { model, hidden } = net(seed)
    const values = async () => new Float32Array((await hidden.weight.value.data()) as Float32Array)
    const isFirst = weights.length === 0
    // show: training
    const after = constraint && (() => constrain(hidden, constraint)) // inside every step, after the update
    const [last] = await train(
      {
        model,
        scores: (images) => model(images),
        transform: adam(0.002),
        ...(after && { after }),
        train: sets.train,
        test: sets.test,
        epochs: context.quick ? 3 : 20,
        size: 50,
        onlyLast: true,
        // end
        atEpoch: async () => {
          if (!isFirst) return
          const w = await values()
          const rows = Array.from({ length: 36 }, (_, h) => Math.hypot(...w.subarray(784 * h, 784 * h + 784)))
          lengths.push([Math.min(...rows), median(rows), Math.max(...rows)])
        },
      },
      { ...context, seed },
    )
    if (isFirst) weights = await values()
    errors.push(last?.testErrors ?? Number.NaN)
  }
  context.note(`${name}: ${errors.map(percent).join(', ')} test errors`)
  return { name, errors, lengths, weights }
}

/** The share of a unit's weight, by size, that lies in its largest hundred pixels. */
function concentration(weights: Float32Array): number {
  const shares = Array.from({ length: 36 }, (_, h) => {
    const sizes = Array.from(weights.subarray(784 * h, 784 * h + 784), Math.abs).sort((a, b) => b - a)
    const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
    return sum(sizes.slice(0, 100)) / (sum(sizes) || 1)
  })
  return median(shares)
}

async function run(context: Context): Promise<Page> {
  const all: Outcome[] = []
  for (const [name, constraint] of ways) all.push(await outcome(name, constraint, context))
  const of = (name: string): Outcome => all.find((o) => o.name === name) as Outcome
  const longest = (o: Outcome): number => Math.max(...o.lengths.map((l) => l[2]))
  const shortest = (o: Outcome): number => Math.min(...o.lengths.map((l) => l[0]))
  const negative = of('not negative').weights.filter((w) => w < 0).length
  const units = context.quick ? 4 : 12
  return {
    found: `Held to ${limit}, no unit’s weights are longer than ${formatNumber(longest(of('max norm')), 7)} after any epoch; free they reach ${formatNumber(longest(of('none')), 3)}. Test errors: ${all.map((o) => `${o.name} ${percent(median(o.errors))}`).join(', ')}.`,
    picture: lineChart({
      label: 'Length of the longest hidden unit’s weights by epoch',
      x: { name: 'epoch' },
      y: { name: 'longest unit' },
      series: all.map((o, i) => ({
        name: o.name,
        tone: toneOf(i),
        points: o.lengths.map((l, e): Point => [e + 1, l[2]]),
      })),
    }),
    caption: `The length of the weights into the hidden unit that has the longest, after each epoch. 784-36-10 with ReLU on ${context.quick ? 200 : 5000} images of MNIST, Adam; the constraint is applied after every update.`,
    claims: [
      {
        said: 'Let us limit the norm of the weights.',
        row: 'R1',
        measured: `max norm: at most ${formatNumber(longest(of('max norm')), 7)}; unit norm: ${formatNumber(shortest(of('unit norm')), 7)} to ${formatNumber(longest(of('unit norm')), 7)}`,
        agrees:
          longest(of('max norm')) < limit + 1e-5 &&
          Math.abs(shortest(of('unit norm')) - 1) < 1e-5 &&
          Math.abs(longest(of('unit norm')) - 1) < 1e-5,
        remark: 'The lectures limit it by a penalty; a constraint does so exactly.',
      },
      {
        said: 'Weights that may not be negative see parts.',
        row: 'R1',
        measured: `${negative} of ${of('not negative').weights.length} weights are below 0; the hundred largest pixels of a unit carry ${percent(concentration(of('not negative').weights))} of its weight, without the constraint ${percent(concentration(of('none').weights))}`,
        agrees: negative === 0 && concentration(of('not negative').weights) > concentration(of('none').weights),
        remark: 'Not of the lectures.',
      },
    ],
    numbers: {
      longest: all.map(longest),
      shortest: all.map(shortest),
      errors: all.map((o) => median(o.errors)),
      negative,
    },
    sections: [
      {
        title: 'Weights of hidden units',
        lede: 'The first units of each network seen as images: warm above 0, cold below.',
        body: html`${all.map(
          (o) =>
            html`<h3>${o.name}</h3>${tiles(
              Array.from({ length: units }, (_, h) => signTile('', o.weights.subarray(784 * h, 784 * h + 784))),
              true,
            )}`,
        )}`,
      },
      {
        title: 'In numbers',
        lede: `Test errors: medians of ${all[0]?.errors.length ?? 0} seeds, with their range.`,
        body: plainTable(
          'Errors and lengths of each constraint',
          ['constraint', 'median', 'least', 'most', 'shortest unit', 'longest unit'],
          all.map((o) => [
            o.name,
            percent(median(o.errors)),
            percent(Math.min(...o.errors)),
            percent(Math.max(...o.errors)),
            formatNumber(shortest(o), 4),
            formatNumber(longest(o), 4),
          ]),
        ),
      },
      {
        title: 'Formulas',
        lede: 'What is done to each row w of the weights after an update.',
        body: formulas(
          [String.raw`w := w \cdot \frac{c}{\max(\|w\|, c)}`, 'max norm c'],
          [String.raw`w := w / \|w\|`, 'unit norm'],
          [String.raw`w := \max(w, 0)`, 'not negative'],
        ),
      },
      {
        title: 'Code',
        lede: 'The constraints, and where they are applied.',
        body: html`${snippet(import.meta.url, 'ways')}${snippet(import.meta.url, 'training')}`,
      },
    ],
  }
}

/** Constraints on weights: lengths, errors, and what the units see. */
export const constraints: Topic = {
  name: 'constraints',
  title: 'Constraints on weights',
  about: 'Max norm, unit norm and weights that may not be negative, applied after every update.',
  rows: ['R1'],
  run,
}
