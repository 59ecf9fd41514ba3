import { grad, valueAndGrad } from '@tessella/autograd'
import { binaryCrossEntropyWithLogits, crossEntropy, huber, l1Loss, mse, multiMargin, smoothL1 } from '@tessella/losses'
import { adam, cosineDecay, optimizer, sgd } from '@tessella/optimizers'
import { compile, full, ones, stack, type Tensor, tensor, Variable, zeros } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point, panel } from '../pages/lineChart.ts'
import { planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Claim, Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { tiny } from '../report/numbers.ts'
import { pause } from '../runTopic.ts'
import { outliers, robust } from './robustLines.ts'

type Terms = (x: Tensor) => Tensor
interface Shape {
  readonly name: string
  readonly tone: string
  /** The loss of each number by itself. */
  readonly terms: Terms
}

const none = { reduction: 'none' } as const
// show: shapes
const ofResidual: readonly Shape[] = [
  { name: 'MSE', tone: 't0', terms: (d) => mse(d, d.mul(0), none) },
  { name: 'L1', tone: 't1', terms: (d) => l1Loss(d, d.mul(0), none) },
  { name: 'Huber', tone: 't2', terms: (d) => huber(d, d.mul(0), none) },
  { name: 'smooth L1, β = 1/2', tone: 't3', terms: (d) => smoothL1(d, d.mul(0), { ...none, beta: 0.5 }) },
]
const yes = (z: Tensor): Tensor => ones([z.shape[0] as number])
const ofScore: readonly Shape[] = [
  { name: 'MSE', tone: 't0', terms: (z) => mse(z.sigmoid(), yes(z), none) },
  { name: 'CE', tone: 't1', terms: (z) => binaryCrossEntropyWithLogits(z, yes(z), none) },
  // Of two classes with scores 0 and z; the mean over classes halves it.
  { name: 'hinge', tone: 't2', terms: (z) => multiMargin(stack([z.mul(0), z], 1), yes(z).cast('int32'), none).mul(2) },
]
// end

async function curvesOf(shapes: readonly Shape[], at: readonly number[]) {
  const x = tensor(at)
  const found = []
  for (const shape of shapes) {
    const values = Array.from(await shape.terms(x).data())
    const slopes = Array.from(await grad((v: typeof x) => shape.terms(v).sum() as Tensor<[], 'float32'>)(x).data())
    const line = (list: readonly number[]): readonly Point[] => list.map((v, i) => [at[i] as number, v])
    found.push({ name: shape.name, tone: shape.tone, values: line(values), slopes: line(slopes) })
  }
  return found
}
type Curves = Awaited<ReturnType<typeof curvesOf>>

/** The loss beside its derivative. */
const pair = (curves: Curves, x: string, what: string, most: number, least: number) =>
  planes([
    panel('the loss', {
      label: `Losses by ${what}`,
      x: { name: x },
      y: { name: 'loss', domain: [0, most] },
      series: curves.map((c) => ({ name: '', tone: c.tone, points: c.values })),
    }),
    panel('its derivative', {
      label: `Derivatives of losses by ${what}`,
      x: { name: x },
      y: { name: 'derivative', domain: [least, least < -1.9 ? -least : 0.1] },
      series: curves.map((c) => ({ name: '', tone: c.tone, points: c.slopes })),
    }),
  ])

/** One sigmoid neuron that is sure of the wrong answer at first; its answer by step. */
async function unlearn(loss: (z: Tensor, y: Tensor) => Tensor<[], 'float32'>, steps: number): Promise<Point[]> {
  const w = new Variable(tensor([-3, -3]))
  const opt = optimizer(sgd(0.5), { w })
  const step = compile(() => {
    const answer = w.value.sum().sigmoid()
    // The input is 1, with a bias: z = w + b.
    opt.update(grad(() => loss(w.value.sum().unsqueeze(0) as Tensor, ones([1])), { w }))
    return answer
  })
  const found: Point[] = []
  for (let i = 0; i < steps; i++) found.push([i, await step().item()])
  return found
}

/** Scores of three classes trained on one example: the lead of the right one by step, with and without smoothing. */
async function lead(labelSmoothing: number, steps: number): Promise<Point[]> {
  const s = new Variable(zeros([1, 3]))
  const opt = optimizer(adam(cosineDecay(0.2, { totalSteps: steps })), { s })
  const step = compile(() => {
    const value = s.value
    const [, grads] = valueAndGrad(() => crossEntropy(s.value, tensor([1], 'int32'), { labelSmoothing }), { s })
    opt.update(grads)
    return value
  })
  const found: Point[] = []
  for (let i = 0; i < steps; i++) {
    const [a = 0, b = 0] = Array.from(await step().data())
    found.push([i, b - a])
  }
  return found
}

/** Deltas of the output layer by autograd and by the lectures' formulas: the largest differences. */
async function deltas() {
  const z = tensor([-2, -0.5, 0.3, 1.7])
  const y = tensor([1, 0, 0.4, 0])
  const a = z.sigmoid()
  const own = async (found: Tensor, formula: Tensor): Promise<number> => found.sub(formula).abs().max().item()
  return {
    // Half the square: the lectures leave out the factor 2 of the derivative.
    mse: await own(
      grad((v: typeof z) => mse(v.sigmoid(), y, { reduction: 'sum' }).mul(0.5))(z),
      a.sub(y).mul(a.mul(a.neg().add(1))),
    ),
    ce: await own(grad((v: typeof z) => binaryCrossEntropyWithLogits(v, y, { reduction: 'sum' }))(z), a.sub(y)),
  }
}

/** Losses and derivatives at scores of +-10,000. */
async function extremes() {
  const z = tensor([
    [1e4, -1e4],
    [-1e4, 1e4],
  ])
  const y = tensor([0, 0], 'int32')
  const values = Array.from(await crossEntropy(z, y, none).data())
  const slopes = Array.from(await grad((v: typeof z) => crossEntropy(v, y, { reduction: 'sum' }))(z).data())
  const binary = Array.from(await binaryCrossEntropyWithLogits(z, full([2, 2], 1), none).data())
  return { values, slopes, binary }
}

async function run(context: Context): Promise<Page> {
  const { quick } = context
  const residuals = Array.from({ length: 121 }, (_, i) => -3 + i / 20)
  const scores = Array.from({ length: 121 }, (_, i) => -6 + i / 10)
  const regression = await curvesOf(ofResidual, residuals)
  const answers = await curvesOf(ofScore, scores)
  const steps = quick ? 60 : 300
  const slow = await unlearn((z, y) => mse(z.sigmoid(), y), steps)
  const fast = await unlearn((z, y) => binaryCrossEntropyWithLogits(z, y), steps)
  await pause(context)
  const half = (points: readonly Point[]): number => points.findIndex((p) => p[1] > 0.5)
  const smoothed = [
    { name: 'no smoothing', tone: 't0', points: await lead(0, steps) },
    { name: 'smoothing 0.1', tone: 't1', points: await lead(0.1, steps) },
  ]
  // (1 - e + e/K) / (e/K) for e = 0.1, K = 3.
  const target = Math.log((0.9 + 0.1 / 3) / (0.1 / 3))
  const leads = smoothed.map((s) => s.points.at(-1)?.[1] as number) as [number, number]
  const formula = await deltas()
  const far = await extremes()
  const lines = await robust(context)
  const off = (name: string): number =>
    Math.abs((lines.fits.find((f) => f.name === name)?.slope as number) - lines.slope)
  const took = (n: number): string => (n < 0 ? `more than ${steps}` : String(n))
  const claims: readonly Claim[] = [
    {
      said: 'The delta of the output is (a − y) f′(z) for MSE and a − y for cross entropy.',
      row: 'losses',
      measured: `autograd differs by at most ${tiny(formula.mse)} and ${tiny(formula.ce)}`,
      agrees: formula.mse < 1e-6 && formula.ce < 1e-6,
      remark: 'For MSE this is the derivative of half the square; the slide’s cost has no half.',
    },
    {
      said: 'So a neuron that is sure and wrong learns slowly with MSE, and at once with cross entropy.',
      row: 'losses',
      measured: `steps until it is no longer wrong: ${took(half(slow))} and ${took(half(fast))}`,
      agrees: half(fast) >= 0 && (half(slow) < 0 || half(slow) > 3 * half(fast)),
    },
    {
      said: 'Softmax: C = −1/n Σ ln z_y(x).',
      row: 'losses',
      measured: 'the library takes ln P(y|x): a score may be below 0 and has no logarithm',
      agrees: false,
      remark: 'A misprint: z is the score before softmax; with P in its place it is the usual cross entropy.',
    },
    {
      said: 'Losses must hold for scores of any size.',
      row: 'losses',
      measured: `scores ±10,000: cross entropy ${far.values.join(' and ')}, derivatives ${far.slopes.join(', ')}, with logits ${far.binary.join(', ')}`,
      agrees: [...far.values, ...far.slopes, ...far.binary].join() === [0, 2e4, 0, 0, -1, 1, 0, 1e4, 1e4, 0].join(),
    },
    {
      said: 'Losses that grow linearly mind outliers less than squares.',
      row: 'losses',
      measured: `slope off by ${formatNumber(off('MSE'), 2)} (MSE), ${formatNumber(off('Huber'), 2)} (Huber), ${formatNumber(off('L1'), 2)} (L1)`,
      agrees: off('Huber') < off('MSE') && off('L1') < off('MSE'),
      remark: `${outliers} of ${lines.count} points are thrown far below the line.`,
    },
    {
      said: 'Label smoothing keeps scores from growing without end.',
      row: 'losses',
      measured: `lead of the right score after ${steps} steps: ${formatNumber(leads[0], 3)} without, ${formatNumber(leads[1], 3)} with 0.1`,
      agrees: leads[1] < leads[0] && Math.abs(leads[1] - target) < 0.1,
      remark: `It ends where the loss is least, at ln(0.933 / 0.033) = ${formatNumber(target, 3)}.`,
    },
  ]
  return {
    found: `A sigmoid neuron that is sure and wrong needs ${took(half(slow))} steps to change its mind with MSE, ${took(half(fast))} with cross entropy. With ${outliers} outliers of ${lines.count} points the line of MSE is off by ${formatNumber(off('MSE'), 2)} in slope, that of Huber’s loss by ${formatNumber(off('Huber'), 2)}.`,
    picture: lineChart({
      label: 'Losses of one answer by its score',
      x: { name: 'score z; the answer is σ(z) and should be 1' },
      y: { name: 'loss', domain: [0, 6] },
      series: answers.map((c) => ({ name: c.name, tone: c.tone, points: c.values })),
    }),
    caption: 'Three losses of a yes that is expected, by its score: MSE is flat where the answer is sure and wrong.',
    claims,
    numbers: {
      mseSteps: half(slow),
      ceSteps: half(fast),
      offMse: off('MSE'),
      offHuber: off('Huber'),
      offL1: off('L1'),
      leads,
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'a is the answer, y what it should be, z the score.',
        body: formulas(
          [String.raw`C = \frac{1}{n} \sum_x |a - y|^2, \qquad \delta = (a - y) \odot f'(z)`, 'mean square error'],
          [
            String.raw`C = -\frac{1}{n} \sum_{x,i} y_i \ln a_i + (1 - y_i) \ln (1 - a_i), \qquad \delta = a - y`,
            'cross entropy of sigmoids; the slide’s bracket is missing',
          ],
          [String.raw`C = -\frac{1}{n} \sum_x \ln P(y|x), \qquad P(k|x) = \frac{e^{z_k}}{\sum_i e^{z_i}}`, 'softmax'],
        ),
      },
      {
        title: 'Numbers: loss and derivative',
        lede: html`By residual, what is answered minus what should be: ${ofResidual.map((s, i) => html`${i > 0 && ', '}<b class="${s.tone}" style="color: var(--tone)">${s.name}</b>`)}.`,
        body: html`<div class="card">${pair(regression, 'residual', 'residual', 5, -4)}</div>`,
      },
      {
        title: 'Yes and no: loss and derivative',
        lede: html`By score, where a yes is expected: ${ofScore.map((s, i) => html`${i > 0 && ', '}<b class="${s.tone}" style="color: var(--tone)">${s.name}</b>`)}.`,
        body: html`<div class="card">${pair(answers, 'score', 'score', 6, -1.1)}</div>`,
      },
      {
        title: 'Sure and wrong',
        lede: 'The answer of one sigmoid neuron by step; it should be 1 and starts at 0.002. SGD with rate 0.5.',
        body: html`<figure class="card">${lineChart({
          label: 'Answer of a neuron by step',
          x: { name: 'step' },
          y: { name: 'answer', domain: [0, 1] },
          series: [
            { name: 'MSE', tone: 't0', points: slow },
            { name: 'CE', tone: 't1', points: fast },
          ],
        })}</figure>`,
      },
      { title: 'Lines through points with outliers', lede: lines.lede, body: lines.picture },
      {
        title: 'Label smoothing',
        lede: 'The lead of the right score over the others, trained on one example of three classes.',
        body: html`<figure class="card">${lineChart(
          { label: 'Lead of the right score by step', x: { name: 'step' }, y: { name: 'lead' }, series: smoothed },
          0.8,
        )}</figure>`,
      },
      {
        title: 'Code',
        lede: 'The curves are the library’s losses; the lines too.',
        body: html`${snippet(import.meta.url, 'shapes')}${snippet(new URL('./robustLines.ts', import.meta.url).href, 'lines')}`,
      },
    ],
  }
}

/** Section 3: losses, their derivatives, and what they do in training. */
export const losses: Topic = {
  name: 'losses',
  title: 'Losses and their derivatives',
  about:
    'Losses for numbers and for answers, a neuron that is sure and wrong, lines through outliers, label smoothing.',
  rows: ['losses'],
  run,
}
