import { fashionClasses, type Mnist, type MnistDataset } from '@tessella/datasets'
import { sgd } from '@tessella/optimizers'
import { analyse } from '../analysis.ts'
import { network, networks } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { inkTile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { worstConfusions } from '../report/heatmap.ts'
import { html, type Markup } from '../report/html.ts'
import { count, percent } from '../report/numbers.ts'
import { apart, seedsFrom } from './chosen.ts'
import { train } from './course.ts'

const classOf = (label: number): string => fashionClasses[label] ?? String(label)

interface Learned {
  readonly model: 'mlp' | 'cnn'
  readonly data: 'clothes' | 'digits'
  readonly errors: readonly number[]
  /** Of every seed: how often each class was read as each. */
  readonly confusions: readonly (readonly (readonly number[])[])[]
}

async function learned(
  model: Learned['model'],
  data: Learned['data'],
  { train: all, test }: Mnist,
  context: Context,
): Promise<Learned> {
  const { quick } = context
  const trainSet = all.take(quick ? 300 : 20_000)
  const testSet = test.take(quick ? 200 : 10_000)
  const errors: number[] = []
  const confusions: Learned['confusions'][number][] = []
  for (const seed of seedsFrom(context, 3)) {
    // show: train
    const net = network(model, seed)
    const epochs = await train(
      {
        model: net,
        scores: (images) => net(images),
        transform: sgd(networks[model].rate / 2),
        train: trainSet,
        test: testSet,
        epochs: quick ? 1 : 8,
        size: 100,
        onlyLast: true,
      },
      { ...context, seed },
    )
    // end
    errors.push(epochs.at(-1)?.testErrors ?? Number.NaN)
    const scores = (images: Parameters<Parameters<typeof analyse>[0]>[0]) => net(images.cast('float32').div(255))
    confusions.push((await analyse(scores, testSet, Math.min(1000, testSet.length))).confusion)
  }
  context.note(`${model.toUpperCase()}, ${data}: ${percent(median(errors))} errors`)
  return { model, data, errors, confusions }
}

/** Errors of a class as a share of its images, by seed. */
const errorsOf = ({ confusions }: Learned, label: number): readonly number[] =>
  confusions.map((c) => {
    const row = c[label] ?? []
    const all = row.reduce((a, b) => a + b, 0)
    return all === 0 ? 0 : 1 - (row[label] ?? 0) / all
  })

/** The confusions of all seeds together. */
const together = ({ confusions }: Learned): readonly (readonly number[])[] =>
  fashionClasses.map((_, r) => fashionClasses.map((_, c) => confusions.reduce((sum, m) => sum + (m[r]?.[c] ?? 0), 0)))

function gallery(set: MnistDataset, each: number): Markup {
  const rows = fashionClasses.flatMap((_, label) => {
    const places = Array.from(set.columns.labels.data.keys()).filter((i) => set.at(i).labels === label)
    return places.slice(0, each)
  })
  const shown = rows.map((i) => {
    const { images, labels } = set.at(i)
    return inkTile(classOf(labels), images, classOf(labels))
  })
  return html`<div class="tens">${tiles(shown, true)}</div>`
}

async function run(context: Context): Promise<Page> {
  const fashion = await context.fashion()
  const digits = await context.mnist()
  const all: Learned[] = []
  for (const model of ['mlp', 'cnn'] as const)
    for (const [name, data] of [
      ['clothes', fashion],
      ['digits', digits],
    ] as const)
      all.push(await learned(model, name, data, context))
  const [mlp, mlpDigits, cnn, cnnDigits] = all as [Learned, Learned, Learned, Learned]
  const byClass = fashionClasses.map((name, label) => ({ name, values: errorsOf(cnn, label) }))
  const hardest = byClass.reduce((a, b) => (median(b.values) > median(a.values) ? b : a))
  const [worst] = worstConfusions(together(cnn), 1)
  const title = ({ model, data }: Learned): string => `${model.toUpperCase()}, ${data}`
  const each = (l: Learned): string =>
    `${percent(median(l.errors))} (${percent(Math.min(...l.errors))} to ${percent(Math.max(...l.errors))})`
  return {
    found: `The lectures’ networks on pictures of clothes: ${percent(median(mlp.errors))} errors with the MLP and ${percent(median(cnn.errors))} with the CNN, where they make ${percent(median(mlpDigits.errors))} and ${percent(median(cnnDigits.errors))} on digits. The hardest class is ${hardest.name}, with ${percent(median(hardest.values))}.`,
    picture: gallery(fashion.train.take(context.quick ? 300 : 2000), context.quick ? 1 : 3),
    caption: `Pictures of each class of Fashion-MNIST, in the form of MNIST: ${count(fashion.train.length)} to train on, ${count(fashion.test.length)} to test on, 28 by 28 pixels.`,
    claims: [
      {
        said: 'The CNN errs less than the MLP, on clothes as on digits.',
        row: 'main experiment',
        measured: `clothes: CNN ${each(cnn)}, MLP ${each(mlp)}; digits: CNN ${each(cnnDigits)}, MLP ${each(mlpDigits)}`,
        agrees: apart(cnn.errors, mlp.errors) && apart(cnnDigits.errors, mlpDigits.errors),
        remark: 'On clothes the CNN needs longer: in a run with 10,000 images and 6 epochs the MLP was ahead.',
      },
      {
        said: 'Clothes are harder than digits (Xiao et al., 2017).',
        row: 'beyond the list',
        measured: `MLP ${(median(mlp.errors) / median(mlpDigits.errors)).toPrecision(2)} times the errors, CNN ${(median(cnn.errors) / median(cnnDigits.errors)).toPrecision(2)} times`,
        agrees: apart(mlpDigits.errors, mlp.errors) && apart(cnnDigits.errors, cnn.errors),
      },
      {
        said: 'Shirts are what is misread most.',
        row: 'beyond the list',
        measured: `${hardest.name}: ${percent(median(hardest.values))}${worst === undefined ? '' : `; most often ${classOf(worst.label)} read as ${classOf(worst.predicted)}, ${count(worst.times)} times in all runs`}`,
        agrees: hardest.name === 'shirt',
      },
    ],
    numbers: { errors: all.map((l) => median(l.errors)), byClass: byClass.map((c) => median(c.values)) },
    sections: [
      {
        title: 'Errors',
        lede: `${all[0]?.errors.length ?? 0} seeds each; networks, rates and numbers of steps are the same for clothes and digits.`,
        body: html`<figure class="card">${ranges(
          'Test errors of every seed',
          'test errors, %',
          all.map((l, i) => ({ name: title(l), tone: toneOf(i), values: l.errors.map((e) => 100 * e) })),
        )}</figure>`,
      },
      {
        title: 'By class',
        lede: 'Errors of the CNN in each class, and what was taken for what most often, all seeds together.',
        body: html`<figure class="card">${ranges(
          'Test errors by class',
          'errors of the class, %',
          byClass.map(({ name, values }, i) => ({ name, tone: toneOf(i), values: values.map((e) => 100 * e) })),
        )}</figure>${plainTable(
          'Most frequent confusions of the CNN',
          ['is', 'read as', 'times'],
          worstConfusions(together(cnn), 8).map((c) => [classOf(c.label), classOf(c.predicted), count(c.times)]),
        )}`,
      },
      {
        title: 'Formula',
        lede: 'Softmax cross entropy of the scores z, as for digits.',
        body: formulas([
          String.raw`C = -\frac1n \sum_x \ln P(y_x), \qquad P(k) = \frac{e^{z_k}}{\sum_i e^{z_i}}`,
          'the loss',
        ]),
      },
      { title: 'Code', lede: 'One training.', body: snippet(import.meta.url, 'train') },
    ],
  }
}

/** The lectures' networks on Fashion-MNIST, whose files come from elsewhere. */
export const fashion: Topic = {
  name: 'fashion',
  title: 'Clothes in place of digits',
  about: 'The lectures’ networks on Fashion-MNIST, beside MNIST. Its files are not part of the project.',
  rows: ['main experiment'],
  run,
}
