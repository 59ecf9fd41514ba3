import { column, randomStream, standardize } from '@tessella/datasets'
import { linear } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { type Tensor, tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import type { Point } from '../pages/lineChart.ts'
import { legend, plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const rows = 200
type Rows = Tensor<[number, 2], 'float32'>
type Answers = Tensor<[number, 1], 'float32'>

/** Two features of different size that hang together a little: an area of tens and a distance of ones. */
function table(seed: number, path: number) {
  const random = randomStream(seed, path)
  const x = new Float32Array(2 * rows)
  const y = new Float32Array(rows)
  for (let i = 0; i < rows; i++) {
    const shared = random.normal()
    const [a, b] = [2 + 4 * shared, 1 + 0.5 * (0.3 * shared + random.normal())]
    x.set([a, b], 2 * i)
    y[i] = 0.5 * a - 2 * b + 0.2 * random.normal()
  }
  return { x, y }
}

interface Descent {
  readonly path: readonly Point[]
  readonly losses: readonly number[]
  /** Loss over a square of the two weights, the rise at its best for them. */
  readonly at: (w: Point) => number
  readonly lowest: Point
  readonly condition: number
}

/** Second moments of centred data: all that the loss over the two weights depends on. */
function moments(x: Float32Array, y: Float32Array) {
  const mean = (f: (i: number) => number): number =>
    Array.from({ length: rows }, (_, i) => f(i)).reduce((a, b) => a + b, 0) / rows
  const [ma, mb, my] = [
    mean((i) => x[2 * i] as number),
    mean((i) => x[2 * i + 1] as number),
    mean((i) => y[i] as number),
  ]
  const a = (i: number): number => (x[2 * i] as number) - ma
  const b = (i: number): number => (x[2 * i + 1] as number) - mb
  const c = (i: number): number => (y[i] as number) - my
  const of = (f: (i: number) => number, g: (i: number) => number): number => mean((i) => f(i) * g(i))
  return { aa: of(a, a), ab: of(a, b), bb: of(b, b), ac: of(a, c), bc: of(b, c), cc: of(c, c) }
}

async function descent(
  x: Float32Array,
  y: Float32Array,
  rate: number,
  start: Point,
  steps: number,
  context: Context,
): Promise<Descent> {
  const { aa, ab, bb, ac, bc, cc } = moments(x, y)
  const determinant = aa * bb - ab * ab
  const lowest: Point = [(ac * bb - bc * ab) / determinant, (bc * aa - ac * ab) / determinant]
  const half = Math.hypot((aa - bb) / 2, ab)
  const condition = ((aa + bb) / 2 + half) / ((aa + bb) / 2 - half)
  const at = ([u, v]: Point): number => u * u * aa + 2 * u * v * ab + v * v * bb - 2 * u * ac - 2 * v * bc + cc
  const model = linear(2, 1)
  model.weight.assign(tensor([[...start]]) as Tensor<[1, 2], 'float32'>)
  model.bias.assign(tensor([0]))
  const step = trainStep({
    model,
    optimizer: optimizer(sgd(rate), model),
    loss: (batch: { x: Rows; y: Answers }) => mse(model(batch.x), batch.y),
  })
  const batch = { x: tensor(x, [rows, 2]), y: tensor(y, [rows, 1]) }
  const path: Point[] = [start]
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    losses.push(await step(batch).item())
    const [u = 0, v = 0] = Array.from((await model.weight.value.data()) as Float32Array)
    path.push([u, v])
    await pause(context)
  }
  return { path, losses, at, lowest, condition }
}

function picture(title: string, d: Descent, reach: number) {
  const size = 200
  const x = [d.lowest[0] - reach, d.lowest[0] + reach] as const
  const y = [d.lowest[1] - reach, d.lowest[1] + reach] as const
  const grid = gridPoints(size, x, y)
  const floor = d.at(d.lowest)
  const values = Float64Array.from(
    { length: size * size },
    (_, i) => d.at([grid[2 * i] as number, grid[2 * i + 1] as number]) - floor,
  )
  return plane({
    label: `${title}: loss over two weights and the path of gradient descent`,
    title,
    x,
    y,
    xName: 'weight of the first feature',
    yName: 'weight of the second',
    picture: bandPicture({ size, values }, (v) => 3 * Math.log2(1 + 2 * v), 20),
    paths: [{ points: d.path, tone: 't0', dots: true }],
    crosses: [d.lowest],
  })
}

async function run(context: Context): Promise<Page> {
  const steps = context.quick ? 20 : 60
  const learning = table(context.seed, 41)
  const testing = table(context.seed, 42)
  // show: statistics
  const scaler = standardize(column(learning.x, [rows, 2]))
  const trainX = scaler.apply(column(learning.x, [rows, 2]))
  const testX = scaler.apply(column(testing.x, [rows, 2])) // the training rows' statistics
  // end
  // As far from the best weights on both maps, measured in deviations of each feature.
  const raw0 = moments(learning.x, learning.y)
  const rawRate = 0.9 / (raw0.aa + raw0.bb + 5)
  const raw = await descent(learning.x, learning.y, rawRate, [2.5, 0.8], steps, context)
  const scaled = await descent(trainX.data as Float32Array, learning.y, 0.3, [-1, 1.5], steps, context)
  const floor = raw.at(raw.lowest)
  const left = (d: Descent): number => Math.max(0, d.at(d.path.at(-1) as Point) - floor)
  const testMean = [0, 1].map((f) => {
    const values = Array.from({ length: rows }, (_, i) => (testX.data as Float32Array)[2 * i + f] as number)
    return values.reduce((a, b) => a + b, 0) / rows
  })
  return {
    found: `The bowl is ${formatNumber(Math.sqrt(raw.condition), 3)} times longer than wide before, ${formatNumber(Math.sqrt(scaled.condition), 3)} times after. In ${steps} steps gradient descent leaves ${formatNumber(left(raw), 2)} of the loss above its least before, ${formatNumber(left(scaled), 2)} after.`,
    picture: html`${planes([picture('raw features', raw, 3.2), picture('standardised features', scaled, 3.2)])}${legend([{ name: `${steps} steps of gradient descent; the cross is the lowest point`, tone: 't0' }])}`,
    caption:
      'Height lines of the loss over the two weights, the same levels on both maps and both axes alike. Each run has about the largest rate that it can bear.',
    claims: [
      {
        said: 'Standardising the inputs changes the loss: long valleys become round.',
        row: 'T9',
        measured: `condition number ${formatNumber(raw.condition, 3)} before, ${formatNumber(scaled.condition, 3)} after`,
        agrees: scaled.condition < raw.condition / 4,
      },
      {
        said: 'Gradient descent then reaches the bottom sooner.',
        row: 'T9',
        measured: `above the least loss after ${steps} steps: ${formatNumber(left(raw), 2)} and ${formatNumber(left(scaled), 2)}`,
        agrees: left(scaled) < left(raw),
      },
      {
        said: 'Validation and test data take the statistics of the training set.',
        row: 'T9',
        measured: `means of the test features after it: ${testMean.map((m) => formatNumber(m, 2)).join(' and ')}: near 0, not 0`,
        agrees: testMean.every((m) => m !== 0 && Math.abs(m) < 0.3),
      },
    ],
    numbers: {
      conditionBefore: raw.condition,
      conditionAfter: scaled.condition,
      leftBefore: left(raw),
      leftAfter: left(scaled),
    },
    sections: [
      {
        title: 'Formula',
        lede: 'Mean and deviation of each feature over the training rows.',
        body: formulas([
          String.raw`x_j' = \frac{x_j - \mathrm{mean}_j}{\mathrm{std}_j}`,
          'stored, and used for every later row',
        ]),
      },
      { title: 'Code', lede: 'Measured once, applied to both.', body: snippet(import.meta.url, 'statistics') },
    ],
  }
}

/** T9: the loss surface before and after standardisation. */
export const standardisation: Topic = {
  name: 'standardisation',
  title: 'Standardised inputs make the loss round',
  about: 'The same data, its loss surface and gradient descent before and after standardisation.',
  rows: ['T9'],
  run,
}
