import { grad } from '@tessella/autograd'
import { elu, gelu, leakyRelu, prelu, relu, selu, sigmoid, sign, silu, softmax, softplus, tanh } from '@tessella/layers'
import { fromData, type Tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point, panel, panels } from '../pages/lineChart.ts'
import { legend } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Claim, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { dyingRelu } from './dyingRelu.ts'

type Curve = (x: Tensor<[number], 'float32'>) => Tensor

/** softmax over (x, 0): of two classes it is the sigmoid. */
const softmaxOfTwo: Curve = (x) => {
  const pair = x.unsqueeze(1).mul(fromData(Float32Array.of(1, 0), [1, 2], 'float32'))
  return (softmax(1)(pair) as Tensor).slice(null, 0) as Tensor
}

const curves: readonly (readonly [name: string, f: Curve])[] = [
  ['sigmoid', sigmoid()],
  ['tanh', tanh()],
  ['ReLU', relu()],
  ['LeakyReLU 0.1', leakyRelu(0.1)],
  ['PReLU 0.25', prelu()],
  ['ELU', elu()],
  ['SELU', selu()],
  ['GELU', gelu()],
  ['SiLU', silu()],
  ['Softplus', softplus()],
  ['sign', sign()],
  ['softmax of (x, 0)', softmaxOfTwo],
]

const low = -6
const high = 6
const places = 241

const numbersOf = async (t: Tensor): Promise<readonly number[]> => Array.from((await t.data()) as Float32Array)

async function sampled() {
  const at = Float32Array.from({ length: places }, (_, i) => low + ((high - low) * i) / (places - 1))
  // show: derivatives
  const x = fromData(at, [places] as [number], 'float32')
  const sampled = curves.map(([name, f]) => ({
    name,
    value: f(x),
    // Every value depends on its own x only, so the gradient of the sum is the derivative at each.
    slope: grad((x: Tensor<[number], 'float32'>) => f(x).sum())(x),
  }))
  // end
  const xs = Array.from(at)
  return {
    xs,
    curves: await Promise.all(
      sampled.map(async ({ name, value, slope }) => ({
        name,
        value: await numbersOf(value),
        slope: await numbersOf(slope as Tensor),
      })),
    ),
  }
}

async function run(context: Parameters<Topic['run']>[0]): Promise<Page> {
  const { xs, curves: drawn } = await sampled()
  const pick = (name: string) => drawn.find((c) => c.name === name) as (typeof drawn)[number]
  const points = (ys: readonly number[]): readonly Point[] => ys.map((y, i) => [xs[i] as number, y])
  const maxOf = (ys: readonly number[]): number => ys.reduce((a, b) => Math.max(a, b))
  const tanhSlope = maxOf(pick('tanh').slope)
  const sigmoidSlope = maxOf(pick('sigmoid').slope)
  const zero = xs.indexOf(0)
  // tanh(x) = 2 sigma(2x) - 1, on the places whose double is a place.
  const twice = xs.map((_, i) => zero + 2 * (i - zero))
  const gap = maxOf(
    xs.map((_, i) => {
      const double = pick('sigmoid').value[twice[i] as number]
      return double === undefined ? 0 : Math.abs((pick('tanh').value[i] as number) - (2 * double - 1))
    }),
  )
  const slopeAt6 = pick('sigmoid').slope.at(-1) as number
  const eluRule = maxOf(
    xs.map((x, i) => (x <= 0 ? Math.abs((pick('ELU').slope[i] as number) - (pick('ELU').value[i] as number) - 1) : 0)),
  )
  context.note('dying ReLU')
  const dying = await dyingRelu(context)

  const lossOf = (o: typeof dying.relu): number => o.losses.at(-1)?.[1] ?? Number.NaN

  const claims: readonly Claim[] = [
    {
      said: 'The largest slope of tanh is 1.',
      row: 'activations',
      measured: `${formatNumber(tanhSlope, 6)}, at x = ${formatNumber(xs[pick('tanh').slope.indexOf(tanhSlope)] as number, 3)}`,
      agrees: Math.abs(tanhSlope - 1) < 1e-6,
    },
    {
      said: 'tanh(x) = 2 sigma(2x) − 1.',
      row: 'activations',
      measured: `largest difference ${gap.toExponential(1)}`,
      agrees: gap < 1e-6,
    },
    {
      said: 'Far from 0 the gradients of sigmoid and tanh vanish.',
      row: 'activations',
      measured: `at x = 6 the slope of the sigmoid is ${formatNumber(slopeAt6, 3)}, ${Math.round(sigmoidSlope / slopeAt6)} times less than at 0`,
      agrees: slopeAt6 < sigmoidSlope / 50,
    },
    {
      said: 'The slope of ELU below 0 is elu(x) + alpha.',
      row: 'activations',
      measured: `largest difference ${eluRule.toExponential(1)}`,
      agrees: eluRule < 1e-6,
    },
    {
      said: 'A ReLU that is off everywhere has gradient 0 and stays off.',
      row: 'activations',
      measured: `from a dead start ${dying.relu.living[1]} of ${dying.units} ReLU units answer after training and the loss stops at ${formatNumber(lossOf(dying.relu), 3)}; with a leak ${dying.leakyRelu.living[1]} answer and it falls to ${formatNumber(lossOf(dying.leakyRelu), 2)}`,
      agrees: dying.relu.living.every((n) => n === 0) && lossOf(dying.leakyRelu) < lossOf(dying.relu) / 2,
    },
  ]

  const both = drawn.map((c) =>
    panel(c.name, {
      label: `${c.name} and its derivative between ${low} and ${high}`,
      x: { name: '', domain: [low, high], ticks: [-6, -3, 0, 3, 6] },
      y: { name: '', domain: [-2.1, 4], ticks: [-2, -1, 0, 1, 2, 3, 4] },
      series: [
        { name: '', tone: 't0', points: points(c.value) },
        { name: '', tone: 't1', points: points(c.slope), dashed: true },
      ],
    }),
  )
  const saturating = ['sigmoid', 'tanh', 'ReLU', 'ELU', 'GELU'] as const
  return {
    found: `The slope of tanh reaches ${formatNumber(tanhSlope, 4)}, that of the sigmoid ${formatNumber(sigmoidSlope, 4)}; at x = 6 the sigmoid's is ${formatNumber(slopeAt6, 2)}. From a dead start ReLU never learns (loss ${formatNumber(lossOf(dying.relu), 3)}); with a leak the loss falls to ${formatNumber(lossOf(dying.leakyRelu), 2)}.`,
    picture: html`${panels(both)}${legend([
      { name: 'value', tone: 't0' },
      { name: 'derivative, from autograd', tone: 't1' },
    ])}`,
    caption:
      'All activations of the lectures and their derivatives, on the same axes. Values beyond an axis are drawn at its edge.',
    claims,
    numbers: {
      tanhSlope,
      sigmoidSlope,
      slopeAt6,
      tanhIdentity: gap,
      deadReluLoss: lossOf(dying.relu),
      leakyLoss: lossOf(dying.leakyRelu),
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'The ones that the lectures write out.',
        body: formulas(
          [
            String.raw`\sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \tanh(x) = 2\sigma(2x) - 1`,
            'both saturate: flat far from 0',
          ],
          [
            String.raw`\mathrm{ReLU}(x) = \max(0, x), \qquad \mathrm{LReLU}(x) = \max(\alpha x, x), \; \alpha < 1`,
            'the leak keeps a gradient below 0',
          ],
          [
            String.raw`\mathrm{elu}(x) = \begin{cases} x & x > 0 \\ \alpha(e^x - 1) & x \le 0 \end{cases} \qquad \mathrm{elu}'(x) = \begin{cases} 1 & x > 0 \\ \mathrm{elu}(x) + \alpha & x \le 0 \end{cases}`,
            'mean activations nearer to 0',
          ],
          [
            String.raw`\mathrm{selu}(x) = \lambda\,\mathrm{elu}(x), \quad \lambda = 1.0507,\; \alpha = 1.6733`,
            'keeps mean 0 and variance 1: see initialisation',
          ],
          [
            String.raw`\mathrm{GELU}(x) = x\,\Phi(x), \quad \mathrm{SiLU}(x) = x\,\sigma(x), \quad \mathrm{Softplus}(x) = \ln(1 + e^x)`,
            'smooth relatives of ReLU',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'The derivatives come from autograd, not from formulas.',
        body: snippet(import.meta.url, 'derivatives'),
      },
      {
        title: 'Saturation',
        lede: 'The derivative on a logarithmic axis. A straight fall is an exponential one: the gradient is multiplied by this number in every layer.',
        body: html`<figure class="card">${lineChart({
          label: 'Derivatives on a logarithmic axis; sigmoid and tanh fall exponentially.',
          x: { name: 'x', domain: [0, high] },
          y: {
            name: "f'(x)",
            log: true,
            domain: [1e-5, 2],
            ticks: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1],
            format: (v) => String(v),
          },
          series: saturating.map((name, i) => ({
            name,
            tone: toneOf(i),
            points: points(pick(name).slope).filter(([x]) => x >= 0.05),
          })),
        })}</figure>`,
      },
      { title: 'Dying ReLU', lede: dying.lede, body: dying.body },
    ],
  }
}

/** Section 2 of the lectures' features: activations in one picture, saturation, dying ReLU. */
export const activations: Topic = {
  name: 'activations',
  title: 'Activations and their derivatives',
  about: 'All activations in one picture; how sigmoid and tanh saturate, and how a ReLU dies.',
  rows: ['activations'],
  run,
}
