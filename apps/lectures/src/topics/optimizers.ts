import { adadelta, adagrad, adam, momentum, nesterov, rmsprop, sgd, type Transform } from '@tessella/optimizers'
import type { Tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { network } from '../models.ts'
import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, plane } from '../pages/plane.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { apart, choose, seedsFrom, smallSets } from './chosen.ts'
import { type Epoch, train } from './course.ts'
import { nag, raced, racedNag, runners, type Track } from './race.ts'

// show: valley
const valley = (x: Tensor, y: Tensor): Tensor => x.sub(1).square().add(y.sub(x.square()).square().mul(8))
// end
const start = [-1.4, 1.5] as const
const view = { x: [-1.8, 1.6] as const, y: [-0.8, 2.6] as const }

async function race(context: Context): Promise<readonly Track[]> {
  const steps = context.quick ? 60 : 300
  const tracks: Track[] = []
  for (const runner of runners) {
    tracks.push(await raced(runner, valley, start, steps))
    context.signal.throwIfAborted()
  }
  // NAG stands after momentum, as in the lecture.
  return [...tracks.slice(0, 2), await racedNag(valley, start, steps), ...tracks.slice(2)]
}

function drawn(tracks: readonly Track[]) {
  const size = 260
  const at = gridPoints(size, view.x, view.y)
  const height = (i: number): number => {
    const [x, y] = [at[2 * i] as number, at[2 * i + 1] as number]
    return (x - 1) ** 2 + 8 * (y - x * x) ** 2
  }
  const values = Float64Array.from({ length: size * size }, (_, i) => height(i))
  return html`<div class="planes one">${plane({
    label: 'Paths of all optimizers over a curved valley',
    ...view,
    xName: 'x',
    yName: 'y',
    picture: bandPicture({ size, values }, (v) => 2 * Math.log2(1 + 4 * v), 18),
    paths: tracks.map((t) => ({ points: t.path, tone: t.tone, race: true })),
    crosses: [[1, 1]],
    seconds: 12,
  })}</div>${legend(tracks)}`
}

interface OnMnist {
  readonly name: string
  readonly tone: string
  readonly rate: number
  /** Median errors on the validation set by rate. */
  readonly validation: readonly number[]
  /** Test errors at the end, by seed. */
  readonly errors: readonly number[]
  /** Every seed's epochs. */
  readonly runs: readonly (readonly Epoch[])[]
}

const toneOfName = (name: string): string => runners.find((r) => r.name === name)?.tone ?? nag.tone
// show: rates
type Rates = readonly [number, ...number[]]
const onMnist: readonly (readonly [name: string, rates: Rates, make: (rate: number) => Transform])[] = [
  ['SGD', [0.1, 0.2, 0.5, 1], sgd],
  ['Momentum', [0.2, 0.5, 1, 2], (rate) => momentum(rate, 0.9)],
  ['NAG', [0.01, 0.02, 0.05, 0.1], (rate) => nesterov(rate, 0.9)],
  ['RMSProp', [0.0005, 0.001, 0.002, 0.005], (rate) => rmsprop(rate, { alpha: 0.9 })],
  ['AdaDelta', [0.3, 1, 3], adadelta],
  ['Adam', [0.0005, 0.001, 0.002, 0.005], adam],
  ['AdaGrad', [0.005, 0.01, 0.02, 0.05], adagrad],
]
// end

async function short(context: Context): Promise<readonly OnMnist[]> {
  const { quick } = context
  const sets = await smallSets(context, 10_000)
  const found: OnMnist[] = []
  for (const [name, rates, make] of onMnist) {
    const runs: (readonly Epoch[])[] = []
    const { setting, validation, test } = await choose<number>(
      rates,
      async (rate, seed, on) => {
        const model = network('mlp', seed)
        const epochs = await train(
          {
            model,
            scores: (images) => model(images),
            transform: make(rate),
            train: sets.train,
            test: sets[on],
            epochs: quick ? 1 : 5,
            size: 100,
            onlyLast: on === 'validation',
          },
          { ...context, seed },
        )
        if (on === 'test') runs.push(epochs)
        return epochs.at(-1)?.testErrors ?? Number.NaN
      },
      { choosing: seedsFrom(context, 2), testing: seedsFrom({ ...context, seed: context.seed + 100 }, 5) },
    )
    found.push({ name, tone: toneOfName(name), rate: setting, validation, errors: test, runs })
    context.note(`MNIST, ${name}, rate ${setting}: ${percent(median(test))} errors`)
  }
  return found
}

async function run(context: Context): Promise<Page> {
  const tracks = await race(context)
  const end = (t: Track): number => t.heights.at(-1) as number
  const best = tracks.reduce((a, b) => (end(b) < end(a) ? b : a))
  const of = (name: string): Track => tracks.find((t) => t.name === name) as Track
  const slow = of('SGD')
  const mnist = await short(context)
  const last = (m: OnMnist): number => median(m.errors)
  const seeds = mnist[0]?.errors.length ?? 0
  const epochs = mnist[0]?.runs[0]?.length ?? 0
  const at = (m: OnMnist, epoch: number): number => median(m.runs.map((r) => r[epoch]?.testErrors ?? Number.NaN))
  const winner = mnist.reduce((a, b) => (last(b) < last(a) ? b : a))
  const clear = mnist.filter((m) => apart(winner.errors, m.errors)).map((m) => m.name)
  const adaDelta = mnist.find((m) => m.name === 'AdaDelta') as OnMnist
  const steps = slow.path.length - 1
  return {
    found: `After ${steps} steps ${best.name} is lowest (${formatNumber(end(best), 2)}), plain SGD at ${formatNumber(end(slow), 2)}. On MNIST, with rates chosen on a validation set, medians of ${seeds} seeds after ${epochs} epochs lie from ${percent(last(winner))} (${winner.name}) to ${percent(Math.max(...mnist.map(last)))} errors; ${clear.length === 0 ? 'the ranges of all overlap with the best' : `clearly behind the best: ${clear.join(', ')}`}.`,
    picture: drawn(tracks),
    caption: `The same ${steps} steps for each, from the same place, over a curved valley with its lowest point at the cross. The dots move in step. Its rates were chosen by hand, see the table.`,
    claims: [
      {
        said: 'SGD may converge slowly; inertia and moving averages of squares speed it up.',
        row: 'T12',
        measured: `heights after ${steps} steps: ${tracks.map((t) => `${t.name} ${formatNumber(end(t), 2)}`).join(', ')}`,
        agrees: tracks.every((t) => t === slow || end(t) < end(slow)),
        remark:
          'On the surface rates were chosen by hand, one for each, so this is no ranking. An optimizer that normalises its steps circles the lowest point instead of settling while its rate is fixed.',
      },
      {
        said: 'After its double normalisation AdaDelta can take a rate of 1.',
        row: 'T5',
        measured: `rate ${adaDelta.rate} was chosen on MNIST: ${percent(last(adaDelta))} errors after ${epochs} epochs`,
        agrees: adaDelta.rate === 1 && last(adaDelta) < 0.5,
        remark:
          'From D = 0 its first steps are as small as the root of epsilon: on the surface it needs 1e-4 to get going, on MNIST it has the usual 1e-6.',
      },
      {
        said: 'Adam: v := (αv + (1 − α) L′²) / (1 − α^t), the corrected value carried on.',
        row: 'T6',
        measured: 'the library keeps the plain average and divides by 1 − α^t only where it is used',
        agrees: false,
        remark:
          'Read as an assignment the slide corrects the same average again in every step; Kingma and Ba correct a copy.',
      },
    ],
    numbers: {
      heights: tracks.map(end),
      sgdHeight: end(slow),
      bestHeight: end(best),
      mnistErrors: mnist.map(last),
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'As in the lecture; L′ is the gradient, η the rate.',
        body: formulas(
          [
            String.raw`v := \gamma v + (1 - \gamma) L', \quad w := w - \eta v`,
            'momentum, a moving average (elsewhere v = γv + L′)',
          ],
          [
            String.raw`v := \gamma v + (1 - \gamma)\, \frac{\partial Q(w - \eta\gamma v)}{\partial w}, \quad w := w - \eta v`,
            'NAG: the slope where inertia leads',
          ],
          [
            String.raw`v := \gamma v + (1 - \gamma)\, L' \odot L', \quad w := w - \eta\, L' \div (\sqrt v + \varepsilon)`,
            'RMSProp',
          ],
          [
            String.raw`\delta = L' \odot (\sqrt\Delta + \varepsilon) \div (\sqrt v + \varepsilon), \quad \Delta := \alpha\Delta + (1 - \alpha)\,\delta \odot \delta`,
            'AdaDelta: the step has its own average too',
          ],
          [
            String.raw`w := w - \eta\, \hat\mu \div (\sqrt{\hat v} + \varepsilon), \quad \hat\mu = \frac{\mu}{1 - \gamma^t}, \; \hat v = \frac{v}{1 - \alpha^t}`,
            'Adam',
          ],
        ),
      },
      {
        title: 'Height by step',
        lede: 'How high above the lowest point each is, on a logarithmic axis.',
        body: html`<figure class="card">${lineChart({
          label: 'Height over the lowest point by step',
          x: { name: 'step' },
          y: { name: 'height', log: true },
          series: tracks.map((t) => ({ name: t.name, tone: t.tone, points: t.heights.map((h, i) => [i, h]) })),
        })}</figure>`,
      },
      {
        title: 'A short training on MNIST',
        lede: `The lectures’ MLP on a part of MNIST, batches of 100. Rates were chosen among those in the table by the median errors on 2,000 validation images; then ${seeds} other seeds went to the test images. Lines are medians.`,
        body: html`<figure class="card">${lineChart({
          label: 'Median test errors by epoch for each optimizer',
          x: { name: 'epoch', ticks: Array.from({ length: epochs }, (_, i) => i + 1) },
          y: { name: 'test errors, %' },
          series: mnist.map((m) => ({
            name: m.name,
            tone: m.tone,
            dots: true,
            points: Array.from({ length: epochs }, (_, i) => [i + 1, 100 * at(m, i)] as const),
          })),
        })}</figure><figure class="card">${ranges(
          'Test errors of every seed for each optimizer',
          'test errors, %',
          mnist.map((m) => ({ name: m.name, tone: m.tone, values: m.errors.map((e) => 100 * e) })),
        )}</figure>${plainTable(
          'Rates and results',
          [
            'optimizer',
            'rate on the surface',
            'height at the end',
            'rate on MNIST',
            'median',
            'least',
            'most',
            'tried',
          ],
          tracks.map((t) => {
            const m = mnist.find((x) => x.name === t.name)
            return [
              t.name,
              String(t.rate),
              formatNumber(end(t), 2),
              String(m?.rate ?? ''),
              percent(m === undefined ? Number.NaN : last(m)),
              percent(Math.min(...(m?.errors ?? []))),
              percent(Math.max(...(m?.errors ?? []))),
            ]
          }),
        )}${plainTable(
          'Validation errors of the rates tried',
          ['optimizer', ...Array.from({ length: 4 }, (_, i) => `rate ${i + 1}`)],
          mnist.map((m) => [
            m.name,
            ...Array.from({ length: 4 }, (_, i) => {
              const rate = onMnist.find(([name]) => name === m.name)?.[1][i]
              return rate === undefined ? '' : `${rate}: ${percent(m.validation[i] ?? Number.NaN)}`
            }),
          ]),
        )}`,
      },
      {
        title: 'Code',
        lede: 'The surface; the rates tried on MNIST; a runner of the library; NAG, which needs the gradient at another place.',
        body: html`${snippet(import.meta.url, 'valley')}${snippet(import.meta.url, 'rates')}${snippet(new URL('./race.ts', import.meta.url).href, 'race')}${snippet(new URL('./race.ts', import.meta.url).href, 'nag')}`,
      },
    ],
  }
}

/** T2 to T6 and T12: all of C's optimizers on one surface, and on MNIST. */
export const optimizers: Topic = {
  name: 'optimizers',
  title: 'The optimizer race',
  about: 'All optimizers of the lectures over one valley, moving, and in a short training on MNIST.',
  rows: ['T2', 'T3', 'T4', 'T5', 'T6', 'T12'],
  run,
}
