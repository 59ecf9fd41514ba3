import { adadelta, adagrad, adam, momentum, nesterov, rmsprop, sgd, type Transform } from '@tessella/optimizers'
import type { Tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { network } from '../models.ts'
import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, plane } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
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
  readonly epochs: readonly Epoch[]
}

const toneOfName = (name: string): string => runners.find((r) => r.name === name)?.tone ?? nag.tone
const onMnist: readonly (readonly [name: string, rate: number, make: (rate: number) => Transform])[] = [
  ['SGD', 0.1, sgd],
  ['Momentum', 0.5, (rate) => momentum(rate, 0.9)],
  ['NAG', 0.05, (rate) => nesterov(rate, 0.9)],
  ['RMSProp', 0.001, (rate) => rmsprop(rate, { alpha: 0.9 })],
  ['AdaDelta', 1, adadelta],
  ['Adam', 0.002, adam],
  ['AdaGrad', 0.02, adagrad],
]

async function short(context: Context): Promise<readonly OnMnist[]> {
  const data = await context.mnist()
  const { quick } = context
  const found: OnMnist[] = []
  for (const [name, rate, make] of onMnist) {
    const model = network('mlp', context.seed)
    const epochs = await train(
      {
        model,
        scores: (images) => model(images),
        transform: make(rate),
        train: data.train.take(quick ? 500 : 10_000),
        test: data.test.take(quick ? 200 : 2_000),
        epochs: quick ? 1 : 5,
        size: 100,
      },
      context,
    )
    found.push({ name, tone: toneOfName(name), rate, epochs })
    context.note(`MNIST, ${name}: ${percent(epochs.at(-1)?.testErrors ?? Number.NaN)} errors`)
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
  const last = (m: OnMnist): number => m.epochs.at(-1)?.testErrors ?? Number.NaN
  const winner = mnist.reduce((a, b) => (last(b) < last(a) ? b : a))
  const adaDelta = mnist.find((m) => m.name === 'AdaDelta') as OnMnist
  const steps = slow.path.length - 1
  return {
    found: `After ${steps} steps ${best.name} is lowest (${formatNumber(end(best), 2)}), plain SGD at ${formatNumber(end(slow), 2)}. On MNIST ${winner.name} is best after a short training: ${percent(last(winner))} errors.`,
    picture: drawn(tracks),
    caption: `The same ${steps} steps for each, from the same place, over a curved valley with its lowest point at the cross. The dots move in step. Rates were chosen by hand, see the table.`,
    claims: [
      {
        said: 'SGD may converge slowly; inertia and moving averages of squares speed it up.',
        row: 'T12',
        measured: `heights after ${steps} steps: ${tracks.map((t) => `${t.name} ${formatNumber(end(t), 2)}`).join(', ')}`,
        agrees: tracks.every((t) => t === slow || end(t) < end(slow)),
        remark:
          'Rates were chosen by hand, one for each, so this is no ranking. An optimizer that normalises its steps circles the lowest point instead of settling while its rate is fixed.',
      },
      {
        said: 'After its double normalisation AdaDelta can take a rate of 1.',
        row: 'T5',
        measured: `with rate 1 on MNIST: ${percent(last(adaDelta))} errors after ${adaDelta.epochs.length} epochs`,
        agrees: last(adaDelta) < 0.5,
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
        lede: 'The lectures’ MLP on a part of MNIST, batches of 100. Errors on test images after each epoch; one run each with rates chosen by hand.',
        body: html`<figure class="card">${lineChart({
          label: 'Test errors by epoch for each optimizer',
          x: { name: 'epoch', ticks: mnist[0]?.epochs.map((_, i) => i + 1) ?? [] },
          y: { name: 'test errors, %' },
          series: mnist.map((m) => ({
            name: m.name,
            tone: m.tone,
            dots: true,
            points: m.epochs.map((e, i) => [i + 1, 100 * e.testErrors]),
          })),
        })}</figure>${plainTable(
          'Rates and results',
          ['optimizer', 'rate on the surface', 'height at the end', 'rate on MNIST', 'test errors', 'training loss'],
          tracks.map((t) => {
            const m = mnist.find((x) => x.name === t.name)
            return [
              t.name,
              String(t.rate),
              formatNumber(end(t), 2),
              String(m?.rate ?? ''),
              percent(m === undefined ? Number.NaN : last(m)),
              formatNumber(m?.epochs.at(-1)?.loss ?? Number.NaN, 3),
            ]
          }),
        )}`,
      },
      {
        title: 'Code',
        lede: 'The surface; a runner of the library; NAG, which needs the gradient at another place.',
        body: html`${snippet(import.meta.url, 'valley')}${snippet(new URL('./race.ts', import.meta.url).href, 'race')}${snippet(new URL('./race.ts', import.meta.url).href, 'nag')}`,
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
