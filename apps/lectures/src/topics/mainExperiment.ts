import { countParameters } from '@tessella/layers'
import { sgd } from '@tessella/optimizers'
import { network, networks } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { lectureErrors, lectureRun } from '../record.ts'
import { html } from '../report/html.ts'
import { count, percent, plural } from '../report/numbers.ts'
import { type Epoch, type Scores, train } from './course.ts'

interface Outcome {
  readonly name: 'mlp' | 'cnn'
  readonly epochs: readonly Epoch[]
  readonly parameters: number
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const trainSet = data.train.take(quick ? 500 : 10_000)
  const testSet = data.test.take(quick ? 200 : 2000)
  const epochs = quick ? 1 : 5
  const size = 100
  const all: Outcome[] = []
  for (const name of ['mlp', 'cnn'] as const) {
    const model = network(name, seed)
    const scores: Scores = (images) => model(images)
    const course = {
      model,
      scores,
      transform: sgd(networks[name].rate / 2),
      train: trainSet,
      test: testSet,
      epochs,
      size,
    }
    all.push({ name, epochs: await train(course, context), parameters: countParameters(model) })
    context.note(`${name.toUpperCase()}: ${percent(all.at(-1)?.epochs.at(-1)?.testErrors ?? Number.NaN)} errors`)
  }
  const [mlp, cnn] = all as [Outcome, Outcome]
  const last = (o: Outcome): number => o.epochs.at(-1)?.testErrors ?? Number.NaN
  const theirs = (o: Outcome): number => lectureErrors[o.name] / lectureRun.testImages
  return {
    found: `In short: after ${plural(epochs, 'epoch')} on ${count(trainSet.length)} images the MLP errs on ${percent(last(mlp))}, the CNN on ${percent(last(cnn))} of the test images. The whole experiment is npx pnpm@12 start.`,
    picture: lineChart({
      label: 'Test errors of both networks by epoch',
      x: { name: 'epoch', ticks: mlp.epochs.map((_, i) => i + 1) },
      y: { name: 'test errors, %', log: true },
      series: all.map((o) => ({
        name: `${o.name.toUpperCase()} ${percent(last(o))}`,
        tone: o.name,
        dots: true,
        points: o.epochs.map((e, i) => [i + 1, 100 * e.testErrors]),
      })),
    }),
    caption: `A part of the experiment: ${count(trainSet.length)} training and ${count(testSet.length)} test images, batches of ${size}, half of the lectures’ rates, because batches are ten times smaller.`,
    claims: [
      {
        said: `CNN ${lectureErrors.cnn} and MLP ${lectureErrors.mlp} errors of 10,000 after 15 epochs: the CNN makes about half as many.`,
        row: 'main experiment',
        measured: `CNN ${percent(last(cnn))} and MLP ${percent(last(mlp))} here; ${percent(theirs(cnn))} and ${percent(theirs(mlp))} there`,
        agrees: last(cnn) < last(mlp),
        remark: 'This short run says which is better; the numbers themselves are in the report of start.',
      },
    ],
    numbers: { mlp: last(mlp), cnn: last(cnn) },
    sections: [
      {
        title: 'The whole experiment',
        lede: html`<code>npx pnpm@12 start</code> trains both for 15 epochs on all images and writes <a href="report.html">report.html</a> into the same folder: confusion matrices, every misread digit, filters.`,
        body: plainTable(
          'The two networks',
          ['network', 'layers', 'parameters', 'rate', 'lectures’ errors'],
          all.map((o) => [
            o.name.toUpperCase(),
            networks[o.name].title.replace(/^(MLP|CNN) /, ''),
            count(o.parameters),
            String(networks[o.name].rate),
            `${lectureErrors[o.name]} of 10,000`,
          ]),
        ),
      },
      {
        title: 'Formula',
        lede: 'Softmax cross entropy of the scores z.',
        body: formulas([
          String.raw`P(k) = \frac{e^{z_k}}{\sum_i e^{z_i}}, \qquad C = -\frac1n \sum_x \ln P(y_x)`,
          'one slide has ln z in place of ln P: a misprint',
        ]),
      },
      {
        title: 'Code',
        lede: 'The lectures’ networks.',
        body: snippet(new URL('../models.ts', import.meta.url).href, 'networks'),
      },
    ],
  }
}

/** Section 8 in short; the whole of it is what `start` runs. */
export const mainExperiment: Topic = {
  name: 'experiment',
  title: 'The main experiment in short',
  about: 'The lectures’ MLP and CNN on a part of MNIST; start runs the whole.',
  rows: ['F16', 'F19', 'main experiment'],
  run,
}
