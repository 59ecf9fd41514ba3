import { batches } from '@tessella/datasets'
import { crossEntropy } from '@tessella/losses'
import {
  constantSchedule,
  cosineDecay,
  cosineWarmRestarts,
  ema,
  exponentialDecay,
  multiStepDecay,
  oneCycle,
  polynomialDecay,
  type Schedule,
  sgd,
  stepDecay,
  warmup,
} from '@tessella/optimizers'
import { scalar } from '@tessella/tensor'
import { findLearningRate, formatNumber } from '@tessella/training'
import { type Batch, network } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point, panel, panels } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { type Epoch, train } from './course.ts'

const shapes = (n: number): readonly (readonly [name: string, schedule: Schedule])[] => [
  ['constant', constantSchedule(1)],
  ['step', stepDecay(1, { stepSize: n / 4, gamma: 0.5 })],
  ['multi-step', multiStepDecay(1, { milestones: [n / 2, (3 * n) / 4], gamma: 0.1 })],
  ['exponential', exponentialDecay(1, 0.05 ** (1 / n))],
  ['polynomial', polynomialDecay(1, { totalSteps: n, power: 2 })],
  ['cosine', cosineDecay(1, { totalSteps: n })],
  ['warm restarts', cosineWarmRestarts(1, { period: n / 4 })],
  ['one cycle', oneCycle({ maximum: 1, totalSteps: n })],
  ['warm-up, cosine', warmup(n / 10, 1, cosineDecay(1, { totalSteps: (9 * n) / 10 }))],
]

async function drawn() {
  const n = 200
  const found = []
  for (const [i, [name, schedule]] of shapes(n).entries()) {
    const values: Point[] = []
    for (let s = 0; s < n; s += 2) values.push([s, await schedule(scalar(s)).item()])
    found.push(
      panel(name, {
        label: `Rate by step: ${name}`,
        x: { name: 'step' },
        y: { name: 'rate', domain: [0, 1.05] },
        series: [{ name: '', tone: toneOf(i), points: values }],
      }),
    )
  }
  return panels(found)
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const trainSet = data.train.take(quick ? 300 : 6000)
  const testSet = data.test.take(quick ? 200 : 2000)
  const searched = network('mlp', seed)
  // show: finder
  const search = await findLearningRate<Batch>({
    model: searched,
    loss: ({ images, labels }) => crossEntropy(searched(images.cast('float32').div(255)), labels),
    batches: () => batches(trainSet, { size: 50, shuffle: true, seed }),
    from: 1e-4,
    to: 10,
    steps: quick ? 40 : 200,
  })
  // end
  context.note(`suggested rate: ${formatNumber(search.suggestion, 2)}`)
  const epochs = quick ? 1 : 8
  const steps = Math.ceil(trainSet.length / 50) * epochs
  const rate = 0.5
  const ways: readonly (readonly [name: string, schedule: Schedule])[] = [
    ['constant', constantSchedule(rate)],
    ['cosine', cosineDecay(rate, { totalSteps: steps })],
    ['one cycle', oneCycle({ maximum: rate, totalSteps: steps })],
    ['suggested, constant', constantSchedule(search.suggestion)],
  ]
  const all: { readonly name: string; readonly tone: string; readonly epochs: readonly Epoch[] }[] = []
  for (const [i, [name, schedule]] of ways.entries()) {
    const model = network('mlp', seed)
    const average = ema(model, { decay: 0.99 })
    const course = { model, transform: sgd(schedule), train: trainSet, test: testSet, epochs, size: 50, average }
    all.push({ name, tone: toneOf(i), epochs: await train({ ...course, scores: (x) => model(x) }, context) })
    context.note(`${name}: ${percent(all.at(-1)?.epochs.at(-1)?.testErrors ?? Number.NaN)} errors`)
  }
  const epochOf = (name: string): Epoch => all.find((a) => a.name === name)?.epochs.at(-1) as Epoch
  const [constant, cosine] = [epochOf('constant'), epochOf('cosine')]
  const least = search.rates[search.smoothed.indexOf(Math.min(...search.smoothed))] as number
  // Batches of 50: between epochs the errors of the weights jump, of their averages less.
  const wobble = (pick: (e: Epoch) => number): number => {
    const list = (all[0]?.epochs ?? []).slice(1).map(pick)
    const steps = list.slice(1).map((v, i) => Math.abs(v - (list[i] as number)))
    return steps.length === 0 ? 0 : steps.reduce((a, b) => a + b, 0) / steps.length
  }
  const [raw, smooth] = [wobble((e) => e.testErrors), wobble((e) => e.averagedErrors)]
  const chance = 2 * Math.sqrt((cosine.testErrors * (1 - cosine.testErrors)) / testSet.length)
  return {
    found: `The loss falls fastest at a rate of ${formatNumber(search.suggestion, 2)} and is least at ${formatNumber(least, 2)}. With a rate of ${rate} throughout ${percent(constant.testErrors)} test errors after ${epochs} epochs, with one that falls to 0 ${percent(cosine.testErrors)}; the averaged weights of the first have ${percent(constant.averagedErrors)}.`,
    picture: lineChart({
      label: 'Loss by learning rate',
      x: { name: 'rate', log: true },
      y: { name: 'loss', domain: [0, 4] },
      marks: [
        { at: search.suggestion, text: 'fastest' },
        { at: least, text: '' },
      ],
      series: [
        {
          name: 'a step',
          tone: 't1',
          faint: true,
          points: search.rates.map((r, i) => [r, search.losses[i] as number]),
        },
        { name: 'smoothed', tone: 't0', points: search.rates.map((r, i) => [r, search.smoothed[i] as number]) },
      ],
    }),
    caption: `The rate grows from step to step until the loss diverges: the lectures’ MLP, SGD, batches of 50 of ${trainSet.length} images of MNIST. The dashed lines mark where the smoothed loss falls fastest and where it is least. All weights are as before afterwards.`,
    claims: [
      {
        said: 'The rate decides: too small is slow, too large diverges.',
        row: 'T11',
        measured: `least loss at ${formatNumber(least, 2)}, diverged or ended at ${formatNumber(search.rates.at(-1) as number, 2)}; fastest fall at ${formatNumber(search.suggestion, 2)}`,
        agrees: search.suggestion <= least,
        remark: 'The finder (Smith, 2017) is not in the lectures, which choose the rate by hand.',
      },
      {
        said: 'A rate that falls lets SGD settle.',
        row: 'T1',
        measured: `${percent(cosine.testErrors)} errors with a cosine, ${percent(constant.testErrors)} with a constant rate; training loss ${formatNumber(cosine.loss, 2)} and ${formatNumber(constant.loss, 2)}`,
        agrees: cosine.testErrors < constant.testErrors,
        remark: `Differences of errors below ${percent(chance)} may be chance.`,
      },
      {
        said: 'Averaged weights wander less than the weights themselves.',
        row: 'T1',
        measured: `mean change of the errors from epoch to epoch, constant rate: ${percent(raw)} and ${percent(smooth)} with averages`,
        agrees: smooth < raw,
        remark: `Decay 0.99: about the last 100 steps. Errors in the end ${percent(constant.testErrors)} and ${percent(constant.averagedErrors)}.`,
      },
    ],
    numbers: {
      suggestion: search.suggestion,
      least,
      errors: all.map((a) => a.epochs.at(-1)?.testErrors ?? 1),
      averaged: all.map((a) => a.epochs.at(-1)?.averagedErrors ?? 1),
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'T steps in all; this is step t.',
        body: formulas(
          [String.raw`\eta_t = \frac{\eta}{2}\left(1 + \cos \frac{\pi t}{T}\right)`, 'cosine'],
          [String.raw`\eta_t = \eta_0 \, q^t`, 'the finder: one factor from step to step'],
          [String.raw`m := d\, m + (1 - d)\, w`, 'averaged weights, divided by 1 − d^t'],
        ),
      },
      {
        title: 'Schedules',
        lede: 'The rate by step, as a share of the largest.',
        body: html`<div class="card">${await drawn()}</div>`,
      },
      {
        title: 'Training with schedules',
        lede: `Test errors after each epoch, largest rate ${rate} but for the suggested one; dashed with averaged weights.`,
        body: html`<figure class="card">${lineChart({
          label: 'Test errors by epoch for each schedule',
          x: { name: 'epoch', ticks: all[0]?.epochs.map((_, i) => i + 1) ?? [] },
          y: { name: 'test errors, %', log: true },
          series: all.flatMap((a) => [
            { name: a.name, tone: a.tone, points: a.epochs.map((e, i): Point => [i + 1, 100 * e.testErrors]) },
            {
              name: '',
              tone: a.tone,
              dashed: true,
              points: a.epochs.map((e, i): Point => [i + 1, 100 * e.averagedErrors]),
            },
          ]),
        })}</figure>${plainTable(
          'Schedules and results',
          ['schedule', 'test errors', 'with averages', 'training loss'],
          all.map((a) => {
            const e = a.epochs.at(-1) as Epoch
            return [a.name, percent(e.testErrors), percent(e.averagedErrors), formatNumber(e.loss, 2)]
          }),
        )}`,
      },
      {
        title: 'Code',
        lede: 'The finder.',
        body: snippet(import.meta.url, 'finder'),
      },
    ],
  }
}

/** The learning rate: finder, schedules, averaged weights. */
export const rates: Topic = {
  name: 'rates',
  title: 'The learning rate, found and scheduled',
  about: 'A finder of learning rates, all schedules, training with some of them, averaged weights.',
  rows: ['T1', 'T11'],
  run,
}
