import { grad } from '@tessella/autograd'
import {
  heNormal,
  type Initializer,
  lecunNormal,
  normal as normalInit,
  orthogonal,
  uniform,
  uniformHidden,
  xavierUniform,
} from '@tessella/layers'
import { foldIn, key, normal, relu, selu, stack, type Tensor, tanh, zeros } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Series } from '../pages/lineChart.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Claim, Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

type Rows = Tensor<[number, number], 'float32'>
type Activation = (x: Rows) => Rows

interface Start {
  readonly name: string
  readonly init: Initializer
  readonly activation: Activation
}

const rows = 256
const starts = (width: number): readonly Start[] => [
  { name: 'uniform ±1/√h', init: uniformHidden(), activation: tanh },
  { name: 'Xavier', init: xavierUniform(), activation: tanh },
  { name: 'Xavier as printed', init: uniform(6 / Math.sqrt(2 * width)), activation: tanh },
  { name: 'orthogonal', init: orthogonal(), activation: tanh },
  { name: 'normal 0.01', init: normalInit({ std: 0.01 }), activation: tanh },
  { name: 'He, ReLU', init: heNormal(), activation: relu },
  { name: 'LeCun, ReLU', init: lecunNormal(), activation: relu },
]

interface Statistics {
  readonly mean: readonly number[]
  /** Standard deviation of the activations after each layer. */
  readonly std: readonly number[]
  /** Standard deviation of the gradient with respect to them. */
  readonly gradient: readonly number[]
}

/** Activations and gradients of a deep network with fresh weights, layer by layer. */
async function statistics(
  { init, activation }: Start,
  depth: number,
  width: number,
  seed: number,
): Promise<Statistics> {
  // show: statistics
  const draw = (layer: number) => init(foldIn(key(seed), layer), [width, width])
  const weights = Array.from({ length: depth }, (_, layer) => draw(layer))
  const input: Rows = normal(foldIn(key(seed), 1000), [rows, width])
  const back: Rows = normal(foldIn(key(seed), 1001), [rows, width])
  // What is added after each layer is 0: its gradient is the one of the activations there.
  const layers = (added: readonly Rows[]) => {
    const out: Rows[] = []
    for (const [i, w] of weights.entries())
      out.push(activation((out.at(-1) ?? input).matmul(w.T) as Rows).add(added[i] as Rows) as Rows)
    return out
  }
  const nothing = Array.from({ length: depth }, () => zeros([rows, width]) as Rows)
  const gradients = grad((added: readonly Rows[]) => (layers(added).at(-1) as Rows).mul(back).sum())(nothing)
  // end
  const activations = layers(nothing)
  const std = (list: readonly Tensor[]): Tensor => stack(list.map((x) => x.std()))
  const found = stack([
    stack(activations.map((x): Tensor => x.mean())),
    std(activations),
    std(gradients as readonly Tensor[]),
  ])
  const [mean = [], deviation = [], gradient = []] = (await found.array()) as number[][]
  return { mean, std: deviation, gradient }
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const [depth, width, deep] = quick ? [6, 48, 20] : [20, 256, 50]
  const measured: { readonly start: Start; readonly found: Statistics }[] = []
  for (const start of starts(width)) {
    measured.push({ start, found: await statistics(start, depth, width, seed) })
    context.note(start.name)
    await pause(context)
  }
  const self = await statistics({ name: 'SELU', init: lecunNormal(), activation: selu }, deep, width, seed)
  const contrast = await statistics({ name: 'tanh', init: lecunNormal(), activation: tanh }, deep, width, seed)
  const of = (name: string): Statistics => measured.find((m) => m.start.name === name)?.found as Statistics
  const end = (values: readonly number[]): number => values.at(-1) as number
  const perLayer = (s: Statistics): number => (end(s.std) / (s.std[0] as number)) ** (1 / (depth - 1))
  const [selfMean, selfVariance] = [end(self.mean), end(self.std) ** 2]
  const worstMean = Math.max(...self.mean.map(Math.abs))
  const worstVariance = Math.max(...self.std.map((s) => Math.abs(s * s - 1)))
  const [plain, xavier, printed] = [of('uniform ±1/√h'), of('Xavier'), of('Xavier as printed')]
  const spread = (s: Statistics): number => Math.max(...s.gradient) / Math.min(...s.gradient)

  const claims: readonly Claim[] = [
    {
      said: `SELU with LeCun’s start keeps mean 0 and variance 1 through ${deep} layers.`,
      row: 'initialisation',
      measured: `after layer ${deep} mean ${formatNumber(selfMean, 2)}, variance ${formatNumber(selfVariance, 3)}; on the way at most ${formatNumber(worstMean, 2)} and ${formatNumber(worstVariance, 2)} off`,
      agrees: worstMean < 0.25 && worstVariance < 0.5,
    },
    {
      said: 'uniform ±1/√h levels the variances of the outputs.',
      row: 'initialisation',
      measured: `the deviation is multiplied by ${formatNumber(perLayer(plain), 2)} in every layer`,
      agrees: perLayer(plain) > 0.95,
      remark:
        'Its variance is 1/(3h), so a linear layer divides the variance by 3. A bound of √3/√h, the variance 1/h, would keep it.',
    },
    {
      said: 'Xavier, uniform ±6/√(h+m), levels the variances of the gradients.',
      row: 'initialisation',
      measured: `with the root over the 6 as well, gradients differ by a factor of ${formatNumber(spread(xavier), 2)} over ${depth} layers; as printed by ${formatNumber(spread(printed), 2)}`,
      agrees: false,
      remark: 'A misprint: the bound is √(6/(h+m)). As printed the weights are √6 times larger and tanh saturates.',
    },
    {
      said: 'He’s start suits ReLU: half of the units are off, so weights have twice the variance.',
      row: 'initialisation',
      measured: `deviation after ${depth} layers: He ${formatNumber(end(of('He, ReLU').std), 2)}, LeCun ${formatNumber(end(of('LeCun, ReLU').std), 2)}`,
      agrees: end(of('He, ReLU').std) > 0.3 && end(of('He, ReLU').std) > 4 * end(of('LeCun, ReLU').std),
    },
  ]
  const curves = (pick: (s: Statistics) => readonly number[], first = 1): readonly Series[] =>
    measured.map((m, i) => ({
      name: m.start.name,
      tone: toneOf(i),
      points: pick(m.found).map((v, at) => [at + first, v]),
    }))
  const through = (pick: (s: Statistics) => readonly number[]): readonly Series[] => [
    { name: 'SELU', tone: 't0', points: pick(self).map((v, i) => [i + 1, v]) },
    { name: 'tanh', tone: 't1', points: pick(contrast).map((v, i) => [i + 1, v]) },
  ]
  return {
    found: `Through ${deep} layers SELU keeps mean ${formatNumber(selfMean, 2)} and variance ${formatNumber(selfVariance, 3)}. uniform ±1/√h does not: the deviation falls to ${formatNumber(end(plain.std), 2)} in ${depth} layers, with Xavier to ${formatNumber(end(xavier.std), 2)}.`,
    picture: lineChart({
      label: 'Standard deviation of activations by layer for each initialisation',
      x: { name: 'layer' },
      y: { name: 'deviation of activations', log: true, domain: [1e-4, 2], ticks: [1e-4, 1e-3, 1e-2, 0.1, 1] },
      series: curves((s) => s.std),
    }),
    caption: `${depth} layers of ${width} units without biases, ${rows} normal inputs, fresh weights. Values below the axis are drawn on its edge.`,
    claims,
    numbers: {
      seluMean: selfMean,
      seluVariance: selfVariance,
      uniformPerLayer: perLayer(plain),
      xavierSpread: spread(xavier),
      printedSpread: spread(printed),
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'h units in the layer before, m in this one.',
        body: formulas(
          [String.raw`w \sim U\left(-\frac{1}{\sqrt h}, \frac{1}{\sqrt h}\right)`, 'the lectures’ first rule'],
          [
            String.raw`w \sim U\left(-\sqrt{\frac{6}{h + m}}, \sqrt{\frac{6}{h + m}}\right)`,
            'Xavier; the slide has 6 outside of the root',
          ],
          [
            String.raw`w \sim N\left(0, \sqrt{1/h}\right) \qquad w \sim N\left(0, \sqrt{2/h}\right)`,
            'LeCun, for SELU; He, for ReLU (the second number is the deviation)',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'Weights are drawn by the initialisers of the library.',
        body: snippet(import.meta.url, 'statistics'),
      },
      {
        title: 'Gradients',
        lede: 'Deviation of the gradient with respect to the activations of each layer, from the last layer back to the first.',
        body: html`<figure class="card">${lineChart({
          label: 'Standard deviation of gradients by layer',
          x: { name: 'layers back from the output' },
          y: { name: 'deviation of gradients', log: true, domain: [1e-5, 1e3], ticks: [1e-5, 1e-3, 0.1, 10, 1000] },
          series: curves((s) => s.gradient.toReversed(), 0),
        })}</figure>`,
      },
      {
        title: 'SELU’s fixed point',
        lede: `Mean and variance through ${deep} layers with LeCun’s start. SELU comes back to 0 and 1; tanh fades.`,
        body: html`<figure class="card">${lineChart({ label: 'Variance by layer', x: { name: 'layer' }, y: { name: 'variance', domain: [0, 1.4] }, series: through((s) => s.std.map((v) => v * v)) }, 0.7)}</figure><figure class="card">${lineChart({ label: 'Mean by layer', x: { name: 'layer' }, y: { name: 'mean', domain: [-0.5, 0.5] }, series: through((s) => s.mean) }, 0.7)}</figure>`,
      },
    ],
  }
}

/** Section 6: statistics of activations and gradients with depth, for each initialisation. */
export const initialisation: Topic = {
  name: 'initialisation',
  title: 'Initialisation: what depth does to a signal',
  about: 'Activations and gradients layer by layer for each initialisation, and SELU’s fixed point.',
  rows: ['initialisation'],
  run,
}
