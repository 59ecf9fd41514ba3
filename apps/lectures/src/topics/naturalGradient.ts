import { valueAndGrad } from '@tessella/autograd'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { compile, key, normal, stack, type Tensor, tensor, Variable } from '@tessella/tensor'
import { fisherProduct, formatNumber, naturalGradient } from '@tessella/training'
import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { legend, plane } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'
import { curvesOnDigits } from './naturalDigits.ts'

const rows = 300
const naturalRate = 0.2
const start = [-1.5, 1.4] as const
const view = { x: [-1.8, 2.6] as const, y: [-1.2, 1.9] as const }

/** Points of two classes whose coordinates hang together and differ in size; the classes overlap. */
async function points(seed: number) {
  const raw = Array.from(await normal(key(seed), [rows, 3]).data())
  const x = new Float32Array(2 * rows)
  const y = new Int32Array(rows)
  for (let i = 0; i < rows; i++) {
    const [a, b, c] = [raw[3 * i], raw[3 * i + 1], raw[3 * i + 2]] as [number, number, number]
    x.set([0.9 * a + 0.25 * b, 4 * a - 0.4 * b], 2 * i)
    // The class follows 1.6 x + 0.2 y with noise.
    y[i] = 1.6 * (x[2 * i] as number) + 0.2 * (x[2 * i + 1] as number) + 1.2 * c > 0 ? 1 : 0
  }
  return { x, y }
}
type Points = Awaited<ReturnType<typeof points>>

interface Descent {
  readonly path: readonly Point[]
  readonly losses: readonly number[]
}

/** Logistic regression with two weights, from `start`; `unit` measures the second coordinate in other units. */
async function descend(
  data: Points,
  way: 'plain' | 'natural',
  rate: number,
  steps: number,
  context: Context,
  unit = 1,
): Promise<Descent> {
  const inputs = tensor(
    data.x.map((v, i) => (i % 2 === 1 ? v * unit : v)),
    [rows, 2],
  )
  const labels = tensor(data.y, [rows])
  const w = new Variable(tensor([start[0], start[1] / unit]))
  const opt = optimizer(sgd(rate), { w })
  // show: natural
  const scores = () => {
    const score = inputs.matmul(w.value.unsqueeze(1)).squeeze(1) as Tensor
    return stack([score.mul(0), score], 1) as Tensor
  }
  const step = compile(() => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(scores(), labels), { w })
    const fisher = fisherProduct({ w }, scores, 'categorical')
    opt.update(way === 'plain' ? grads : naturalGradient(fisher, grads, { damping: 1e-6, iterations: 4 }))
    return loss
  })
  // end
  const path: Point[] = []
  const losses: number[] = []
  for (let i = 0; i <= steps; i++) {
    const [a = 0, b = 0] = Array.from(await w.value.data())
    path.push([a, b * unit])
    losses.push(await step().item())
    if (i % 10 === 0) await pause(context)
  }
  return { path, losses }
}

function lossAt({ x, y }: Points, a: number, b: number): number {
  let sum = 0
  for (let i = 0; i < rows; i++) {
    const score = a * (x[2 * i] as number) + b * (x[2 * i + 1] as number)
    sum += Math.log1p(Math.exp(y[i] === 1 ? -score : score))
  }
  return sum / rows
}

async function run(context: Context): Promise<Page> {
  const data = await points(context.seed)
  const steps = context.quick ? 30 : 100
  const rates = [0.3, 1, 3, 10]
  const tried: (Descent & { readonly rate: number })[] = []
  for (const rate of rates) tried.push({ rate, ...(await descend(data, 'plain', rate, steps, context)) })
  const last = (list: readonly number[]): number => list.at(-1) as number
  const plain = tried.reduce((a, b) => (last(b.losses) < last(a.losses) ? b : a))
  const natural = await descend(data, 'natural', naturalRate, steps, context)
  // Where the natural gradient ends is where the loss is least.
  const floor = Math.min(...natural.losses)
  const lowest = natural.path.at(-1) as Point
  const near = (d: Descent): number => d.losses.findIndex((l) => l - floor < 1e-3)
  const [plainSteps, naturalSteps] = [near(plain), near(natural)]
  const shift = async (way: 'plain' | 'natural', rate: number, like: Descent): Promise<number> => {
    const other = await descend(data, way, rate, 20, context, 3)
    return Math.max(...other.losses.map((l, i) => Math.abs(l - (like.losses[i] as number))))
  }
  const [plainShift, naturalShift] = [
    await shift('plain', plain.rate, plain),
    await shift('natural', naturalRate, natural),
  ]
  const size = 220
  const at = gridPoints(size, view.x, view.y)
  const values = Float64Array.from(
    { length: size * size },
    (_, i) => lossAt(data, at[2 * i] as number, at[2 * i + 1] as number) - floor,
  )
  const digits = await curvesOnDigits(context)
  const took = (n: number): string => (n < 0 ? `more than ${steps}` : String(n))
  const runners = [
    { name: `gradient, rate ${plain.rate}`, tone: 't1' },
    { name: `natural gradient, rate ${naturalRate}`, tone: 't0' },
  ]
  return {
    found: `The gradient needs ${took(plainSteps)} steps to come within 0.001 of the least loss, the natural gradient ${took(naturalSteps)}. On MNIST after ${digits.steps} steps SGD has a training loss of ${formatNumber(digits.plain.end, 2)}, with Kronecker-factored natural gradients ${formatNumber(digits.natural.end, 2)}.`,
    picture: html`<div class="planes one">${plane({
      label: 'Paths of the gradient and of the natural gradient over the loss of two weights',
      ...view,
      xName: 'first weight',
      yName: 'second weight',
      picture: bandPicture({ size, values }, (v) => 3 * Math.log2(1 + 20 * v), 20),
      paths: [plain, natural].map((d, i) => ({
        points: d.path,
        tone: runners[i]?.tone as string,
        dots: i === 1,
        race: true,
      })),
      crosses: [lowest],
      seconds: 10,
    })}</div>${legend(runners)}`,
    caption: `${steps} steps each from one place. Logistic regression on ${rows} points whose second coordinate is large and hangs together with the first, so that the valley is narrow and slanted. The plain rate is the best of ${rates.join(', ')}.`,
    claims: [
      {
        said: 'The natural gradient is a way against slow training where the distribution of activations moves.',
        row: 'T7',
        measured: `steps to 0.001 above the least loss: ${took(plainSteps)} with the gradient, ${took(naturalSteps)} with the natural one`,
        agrees: naturalSteps >= 0 && (plainSteps < 0 || naturalSteps < plainSteps),
        remark: 'The lecture names it beside initialisation, batch and weight normalisation, without a formula.',
      },
      {
        said: 'Distance is measured on what the model says: units of the inputs do not matter.',
        row: 'T7',
        measured: `second coordinate in units 3 times smaller: losses of 20 steps differ by at most ${formatNumber(naturalShift, 1)}; with the gradient by ${formatNumber(plainShift, 2)}`,
        agrees: naturalShift < 1e-3 && (plainShift > 0.01 || !Number.isFinite(plainShift)),
      },
      {
        said: 'For layers the Fisher information is taken for a product of two small matrices; it serves convolutions too.',
        row: 'T7',
        measured: `MNIST, ${digits.steps} steps: training loss ${formatNumber(digits.plain.end, 3)} with SGD, ${formatNumber(digits.natural.end, 3)} with factors`,
        agrees: digits.natural.end < digits.plain.end,
        remark: `A step with factors takes ${formatNumber(digits.natural.milliseconds, 2)} ms instead of ${formatNumber(digits.plain.milliseconds, 2)}; both have the best of ${digits.natural.tried} rates.`,
      },
    ],
    numbers: {
      plainSteps,
      naturalSteps,
      naturalShift,
      plainShift: Number.isFinite(plainShift) ? plainShift : 1e9,
      digitsPlain: digits.plain.end,
      digitsNatural: digits.natural.end,
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'F is the Fisher information of the weights.',
        body: formulas(
          [
            String.raw`w := w - \eta\, F^{-1} \frac{\partial Q}{\partial w}, \qquad F = \mathsf{E} \, \frac{\partial \ln p(y|x)}{\partial w} \frac{\partial \ln p(y|x)}{\partial w}^{\top}`,
            'y is drawn from the model’s own answers; solved by conjugate gradients, without the matrix',
          ],
          [
            String.raw`F \approx A \otimes G, \quad A = \mathsf{E}\, a a^{\top}, \; G = \mathsf{E}\, \delta \delta^{\top}`,
            'a layer with inputs a and slopes δ (Martens and Grosse, 2015)',
          ],
          [
            String.raw`W := W - \eta\, G^{-1} \frac{\partial Q}{\partial W} A^{-1}`,
            'so its step needs two small inverses',
          ],
          [
            String.raw`A = \mathsf{E} \sum_t a_t a_t^{\top}, \quad G = \mathsf{E}\, \frac{1}{T} \sum_t \delta_t \delta_t^{\top}`,
            'a convolution: patches and slopes at the T places of its output (Grosse and Martens, 2016)',
          ],
        ),
      },
      {
        title: 'Loss by step',
        lede: 'Above the least possible, on the two weights.',
        body: html`<figure class="card">${lineChart({
          label: 'Loss above the least by step',
          x: { name: 'step' },
          y: { name: 'loss above the least', log: true, domain: [1e-5, 1], ticks: [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1] },
          series: [plain, natural].map((d, i) => ({
            name: i === 0 ? 'gradient' : 'natural',
            tone: runners[i]?.tone as string,
            points: d.losses.map((l, s) => [s, Math.max(l - floor, 1e-7)]),
          })),
        })}</figure>`,
      },
      {
        title: 'A convolutional network on MNIST',
        lede: `Mean training loss of 10 steps, batches of ${digits.batch}. The factors follow answers drawn from the network itself.`,
        body: html`<figure class="card">${lineChart({
          label: 'Training loss of a convolutional network by step',
          x: { name: 'step' },
          y: { name: 'training loss', log: true },
          series: [digits.plain, digits.natural].map((d, i) => ({
            name: i === 0 ? 'SGD' : 'K-FAC',
            tone: runners[i]?.tone as string,
            points: d.points,
          })),
        })}</figure>`,
      },
      {
        title: 'Code',
        lede: 'The exact natural gradient; and the factors.',
        body: html`${snippet(import.meta.url, 'natural')}${snippet(new URL('./naturalDigits.ts', import.meta.url).href, 'factors')}`,
      },
    ],
  }
}

/** T7: the natural gradient, exact on a narrow valley and Kronecker-factored on MNIST. */
export const natural: Topic = {
  name: 'natural',
  title: 'The natural gradient',
  about: 'The gradient and the natural gradient through a narrow valley, and Kronecker factors on MNIST.',
  rows: ['T7'],
  run,
}
