import { column, dataset, randomStream, split, standardize } from '@tessella/datasets'
import { initialize, linear, zeros } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { nesterov, optimizer } from '@tessella/optimizers'
import { type Tensor, tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { type Point, panel, panels } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'
import { carFit } from './cars.ts'

const noise = 0.5
type Flat = readonly [area: number, floor: number, distance: number]

/** Made-up flats: the price of a square metre falls with the way to the underground, middle floors cost more. */
function flats(count: number, seed: number) {
  const random = randomStream(seed, 77)
  const rows: Flat[] = []
  const prices: number[] = []
  for (let i = 0; i < count; i++) {
    const [area, floor, distance] = [25 + 95 * random.uniform(), 1 + random.below(25), 0.1 + 2.9 * random.uniform()]
    const metre = 0.2 - 0.05 * distance + 0.008 * distance ** 2
    rows.push([area, floor, distance])
    prices.push(area * metre + 0.18 * floor - 0.006 * floor ** 2 + noise * random.normal())
  }
  return { rows, prices }
}

const degrees = {
  linear: ([a, f, d]: Flat) => [a, f, d],
  squares: ([a, f, d]: Flat) => [a, f, d, a * a, f * f, d * d],
  products: ([a, f, d]: Flat) => [a, f, d, a * a, f * f, d * d, a * f, a * d, f * d],
} as const
type Degree = keyof typeof degrees
const names = [
  'area',
  'floor',
  'distance',
  'area²',
  'floor²',
  'distance²',
  'area · floor',
  'area · distance',
  'floor · distance',
]

interface Fit {
  readonly degree: Degree
  readonly trainRms: number
  readonly testRms: number
  readonly weights: readonly number[]
  readonly answers: readonly Point[]
}

type Rows = Tensor<[number, number], 'float32'>

async function fitted(degree: Degree, context: Context): Promise<Fit> {
  const { rows, prices } = flats(600, context.seed)
  const steps = context.quick ? 200 : 2000
  const width = degrees[degree]([0, 0, 0]).length
  // show: fit
  const features = Float32Array.from(rows.flatMap(degrees[degree]))
  const table = dataset({
    x: column(features, [rows.length, width]),
    y: column(Float32Array.from(prices), [rows.length, 1]),
  })
  const { train, test } = split(table, { test: 1 / 3, seed: 1 })
  const scaler = standardize(train.columns.x) // of the training rows, used on all
  const model = linear(width, 1)
  const step = trainStep({
    model,
    optimizer: optimizer(nesterov(0.02, 0.95), model),
    loss: ({ x, y }: { x: Rows; y: Rows }) => mse(model(x as Tensor<[number, typeof width], 'float32'>), y),
  })
  // end
  initialize(model, { weight: zeros, bias: zeros })
  const batchOf = (part: typeof train) => {
    const x = scaler.apply(part.columns.x)
    return {
      x: tensor(x.data, [part.length, width]),
      y: tensor(part.columns.y.data, [part.length, 1]),
    }
  }
  const [learning, testing] = [batchOf(train), batchOf(test)]
  for (let i = 0; i < steps; i++) {
    step(learning)
    if (i % 200 === 199) {
      await step(learning).item()
      await pause(context)
    }
  }
  const rms = async ({ x, y }: { x: Rows; y: Rows }): Promise<number> => Math.sqrt(await mse(model(x), y).item())
  const answers = Array.from((await model(testing.x).data()) as Float32Array)
  return {
    degree,
    trainRms: await rms(learning),
    testRms: await rms(testing),
    weights: Array.from((await model.weight.value.data()) as Float32Array),
    answers: answers.map((v, i) => [test.columns.y.data[i] as number, v]),
  }
}

async function run(context: Context): Promise<Page> {
  const fits: Fit[] = []
  for (const degree of ['linear', 'squares', 'products'] as const) {
    fits.push(await fitted(degree, context))
    context.note(`${degree}: test error ${formatNumber(fits.at(-1)?.testRms ?? 0, 3)}`)
  }
  const cars = [await carFit(1, context), await carFit(2, context)] as const
  context.note(`cars: off by ${cars.map((c) => formatNumber(c.rms, 3)).join(' and ')} miles per gallon`)
  const [line, squares, products] = fits as [Fit, Fit, Fit]
  const titles: Readonly<Record<Degree, string>> = {
    linear: 'linear',
    squares: 'with squares',
    products: 'with squares and products',
  }
  return {
    found: `On made-up flats the linear model is off by ${formatNumber(line.testRms, 3)} million, with squares by ${formatNumber(squares.testRms, 3)}, with products too by ${formatNumber(products.testRms, 3)}; the noise in the prices is ${noise}. On ${cars[0].answers.length} real cars the linear model is off by ${formatNumber(cars[0].rms, 3)} miles per gallon, with squares and products by ${formatNumber(cars[1].rms, 3)}.`,
    picture: panels(
      fits.map((f) =>
        panel(`${titles[f.degree]}: off by ${formatNumber(f.testRms, 3)}`, {
          label: `Predicted over true prices, ${titles[f.degree]}`,
          x: { name: 'price', domain: [0, 25] },
          y: { name: 'answer', domain: [0, 25] },
          series: [
            {
              name: '',
              tone: 't7',
              dashed: true,
              points: [
                [0, 0],
                [25, 25],
              ],
            },
            { name: '', tone: 't0', scatter: true, points: f.answers },
          ],
        }),
      ),
    ),
    caption:
      'Answers over true prices (millions) of 200 flats that were not trained on; on the dashed line the answer is right. This table is generated, a formula with noise; real cars come below.',
    claims: [
      {
        said: 'The features are hardly independent: a linear model misses it.',
        row: 'F6',
        measured: `the linear model is off by ${formatNumber(line.testRms / noise, 3)} times the noise`,
        agrees: line.testRms > 1.2 * noise,
      },
      {
        said: 'Squares and products of features make the linear model fit.',
        row: 'F6',
        measured: `off by ${formatNumber(products.testRms / noise, 3)} times the noise`,
        agrees: products.testRms < line.testRms && products.testRms < 1.15 * noise,
      },
      {
        said: 'On a real table too.',
        row: 'F6',
        measured: `miles per gallon of ${cars[0].answers.length} cars: off by ${formatNumber(cars[0].rms, 3)} linear, ${formatNumber(cars[1].rms, 3)} with squares and products, on cars left out of training`,
        agrees: cars[1].rms < cars[0].rms,
      },
    ],
    numbers: {
      carRms: cars.map((c) => c.rms),
      testRms: fits.map((f) => f.testRms),
      trainRms: fits.map((f) => f.trainRms),
      noise,
    },
    sections: [
      {
        title: 'Real cars',
        lede: 'Miles per gallon of 392 cars of 1970 to 1982 (StatLib; Auto MPG of the UCI Machine Learning Repository, CC BY 4.0) from cylinders, displacement, horsepower, weight, acceleration and year. Every car was judged by a model that had not seen it: ten folds.',
        body: html`${panels(
          cars.map((c) =>
            panel(`${c.degree === 1 ? 'linear' : 'with squares and products'}: off by ${formatNumber(c.rms, 3)}`, {
              label: `Told over measured miles per gallon, degree ${c.degree}`,
              x: { name: 'miles per gallon', domain: [5, 48] },
              y: { name: 'answer', domain: [5, 48] },
              series: [
                {
                  name: '',
                  tone: 't7',
                  dashed: true,
                  points: [
                    [5, 5],
                    [48, 48],
                  ],
                },
                { name: '', tone: 't1', scatter: true, points: c.answers },
              ],
            }),
          ),
        )}${plainTable(
          'Errors on cars',
          ['model', 'features', 'off in training', 'off on cars left out'],
          cars.map((c) => [
            c.degree === 1 ? 'linear' : 'with squares and products',
            String(c.features),
            formatNumber(c.trainRms, 3),
            formatNumber(c.rms, 3),
          ]),
        )}${snippet(new URL('./cars.ts', import.meta.url).href, 'cars')}`,
      },
      {
        title: 'Formula',
        lede: 'The model stays linear in its weights, whatever is made of the features.',
        body: formulas(
          [
            String.raw`a(x) = w_0 + w_1 \cdot \text{area} + w_2 \cdot \text{floor} + w_3 \cdot \text{distance}`,
            'the linear model',
          ],
          [
            String.raw`{} + w_4 \cdot \text{area}^2 + \dots + w_7 \cdot \text{area} \cdot \text{floor} + \dots`,
            'with squares and products',
          ],
          [
            String.raw`\text{price} = \text{area} \cdot (0.2 - 0.05\, d + 0.008\, d^2) + 0.18\, f - 0.006 f^2 + 0.5\, \varepsilon`,
            'how the table was made: d distance in km, f floor',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'Features, the split, stored statistics, the model.',
        body: snippet(import.meta.url, 'fit'),
      },
      {
        title: 'Weights',
        lede: 'Per standard deviation of each feature. As the lecture warns, a product is hard to read: what is area · distance?',
        body: plainTable(
          'Weights of each feature',
          ['feature', ...fits.map((f) => titles[f.degree])],
          names.map((name, i) => [
            name,
            ...fits.map((f) => (f.weights[i] === undefined ? '' : formatNumber(f.weights[i] as number, 3))),
          ]),
        ),
      },
    ],
  }
}

/** F6: a linear model with polynomial features. */
export const polynomial: Topic = {
  name: 'polynomial',
  title: 'The price of a flat: polynomial features',
  about: 'A linear model, then with squares and products of its features, on generated flats and on real cars.',
  rows: ['F6'],
  run,
}
