import {
  type Initializer,
  initialize,
  linear,
  normal,
  sequential,
  tanh,
  uniform,
  xavierNormal,
  zeros,
} from '@tessella/layers'
import { mse } from '@tessella/losses'
import { adam, cosineDecay, optimizer } from '@tessella/optimizers'
import { type Tensor, tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const places = 200
/** Two waves and a corner: continuous, and nothing a network finds easy. */
const target = (x: number): number => Math.sin(2 * x) + 0.4 * Math.sin(9 * x) + Math.abs(x) - 0.8

type Rows = Tensor<[number, 1], 'float32'>

interface Fit {
  readonly width: number
  readonly values: readonly number[]
  readonly rms: number
  readonly worst: number
}

/** Trains a network with one hidden layer of `width` units on the curve. */
async function fitted(width: number, xs: Float32Array, steps: number, context: Context): Promise<Fit> {
  const ys = Float32Array.from(xs, target)
  // show: network
  const net = sequential(linear(1, width), tanh(), linear(width, 1))
  // Slopes and places of the waves must differ from the start: a unit sees a few units of x.
  const drawn: Readonly<Record<string, Initializer>> = { '0.weight': normal({ std: 3 }), '0.bias': uniform(6) }
  initialize(net, { choose: (name) => drawn[name], weight: xavierNormal(), bias: zeros, seed: context.seed })
  const step = trainStep({
    model: net,
    optimizer: optimizer(adam(cosineDecay(0.02, { totalSteps: steps })), net),
    loss: ({ x, y }: { x: Rows; y: Rows }) => mse(net(x), y),
  })
  // end
  const batch = { x: tensor(xs, [places, 1]), y: tensor(ys, [places, 1]) }
  for (let i = 0; i < steps; i++) {
    step(batch)
    if (i % 100 === 99) {
      await step(batch).item()
      await pause(context)
    }
  }
  const values = Array.from((await net(batch.x).data()) as Float32Array)
  const errors = values.map((v, i) => Math.abs(v - (ys[i] as number)))
  return {
    width,
    values,
    rms: Math.sqrt(errors.reduce((s, e) => s + e * e, 0) / errors.length),
    worst: errors.reduce((a, b) => Math.max(a, b)),
  }
}

const spokenError = (f: Fit): string => `${formatNumber(f.rms, 2)} with ${f.width}`

async function run(context: Context): Promise<Page> {
  const widths = context.quick ? [1, 4, 16] : [1, 2, 4, 8, 16, 32, 64]
  const steps = context.quick ? 400 : 4000
  const xs = Float32Array.from({ length: places }, (_, i) => -2 + (4 * i) / (places - 1))
  const fits: Fit[] = []
  for (const width of widths) {
    fits.push(await fitted(width, xs, steps, context))
    context.note(`${width} hidden units: root mean square error ${formatNumber(fits.at(-1)?.rms ?? 0, 3)}`)
  }
  const points = (values: ArrayLike<number>): readonly Point[] =>
    Array.from(xs, (x, i) => [x, values[i] as number] as const)
  const falls = fits.every((f, i) => i === 0 || f.rms < (fits[i - 1] as Fit).rms)
  const [first, last] = [fits[0] as Fit, fits.at(-1) as Fit]
  const shownWidths = fits.filter((f) => [1, 4, 16, 64].includes(f.width))
  return {
    found: `The error falls from ${spokenError(first)} hidden unit to ${spokenError(last)}.`,
    picture: lineChart({
      label: 'The curve, and what networks with one hidden layer make of it',
      x: { name: 'x' },
      y: { name: 'g(x)' },
      series: [
        { name: 'g(x)', tone: 't7', dashed: true, points: points(Array.from(xs, target)) },
        ...shownWidths.map((f, i) => ({
          name: `${f.width} ${f.width === 1 ? 'unit' : 'units'}`,
          tone: toneOf(i),
          points: points(f.values),
        })),
      ],
    }),
    caption: `g(x) = sin 2x + 0.4 sin 9x + |x| − 0.8, dashed, and networks with one hidden layer of tanh after ${steps} steps of Adam.`,
    claims: [
      {
        said: 'A network with two layers fits a continuous function to any accuracy given (Cybenko).',
        row: 'F5',
        measured: `error with ${fits.map((f) => f.width).join(', ')} units: ${fits.map((f) => formatNumber(f.rms, 2)).join(', ')}`,
        agrees: falls,
        remark: 'The theorem says that good weights exist; what training finds is measured here.',
      },
    ],
    numbers: { widths, rms: fits.map((f) => f.rms), worst: fits.map((f) => f.worst) },
    sections: [
      {
        title: 'Formula',
        lede: 'A sum of shifted and stretched steps, each of one hidden unit.',
        body: formulas(
          [String.raw`a(x) = c + \sum_{j=1}^{m} v_j \tanh(w_j x + b_j)`, 'm hidden units, 3 m + 1 numbers to learn'],
          [
            String.raw`\forall \varepsilon > 0 \; \exists m, v, w, b : \; |a(x) - g(x)| < \varepsilon \text{ for all } x`,
            'on a bounded interval, for continuous g',
          ],
        ),
      },
      {
        title: 'Error and width',
        lede: 'Both axes are logarithmic. The worst place is always behind the mean.',
        body: html`<figure class="card">${lineChart({
          label: 'Error by the number of hidden units',
          x: { name: 'hidden units', log: true, ticks: widths },
          y: { name: 'error', log: true },
          series: [
            { name: 'largest', tone: 't1', dots: true, points: fits.map((f) => [f.width, f.worst]) },
            { name: 'root mean square', tone: 't0', dots: true, points: fits.map((f) => [f.width, f.rms]) },
          ],
        })}</figure>`,
      },
      { title: 'Code', lede: 'The network and a step of its training.', body: snippet(import.meta.url, 'network') },
    ],
  }
}

/** F5: the error of a network with one hidden layer falls with its width. */
export const universal: Topic = {
  name: 'universal',
  title: 'Two layers fit any curve',
  about: 'Cybenko’s theorem: the error of a network with one hidden layer falls with its width.',
  rows: ['F5'],
  run,
}
