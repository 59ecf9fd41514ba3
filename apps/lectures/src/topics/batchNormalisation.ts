import { batches } from '@tessella/datasets'
import {
  batchNorm1d,
  flatten,
  type Initializer,
  initialize,
  input,
  linear,
  normal,
  recalibrate,
  sequential,
  sigmoid,
  zeros,
} from '@tessella/layers'
import { errorCount } from '@tessella/losses'
import { cosineDecay, sgd } from '@tessella/optimizers'
import { maximum, type Tensor, tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { train } from './course.ts'

// show: networks
const plain = () =>
  sequential(
    input(1, 28, 28),
    flatten(),
    linear(784, 100),
    sigmoid(),
    linear(100, 100),
    sigmoid(),
    linear(100, 100),
    sigmoid(),
    linear(100, 10),
  )
const normalised = () =>
  sequential(
    input(1, 28, 28),
    flatten(),
    linear(784, 100),
    batchNorm1d(100),
    sigmoid(),
    linear(100, 100),
    batchNorm1d(100),
    sigmoid(),
    linear(100, 100),
    batchNorm1d(100),
    sigmoid(),
    linear(100, 10),
  )
// end

/** gamma = sigma, beta = mean gives the input back: the largest difference. */
async function undone(seed: number): Promise<number> {
  // show: undo
  const norm = batchNorm1d(3, { eps: 1e-12 })
  const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i + seed) * (1 + (i % 3)) + (i % 3))
  const x = tensor(values, [8, 3])
  norm.weight.assign(x.std(0, { correction: 0 }))
  norm.bias.assign(x.mean(0))
  const again = norm(x, 'train')
  // end
  return again.sub(x).abs().max().item()
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const trainSet = data.train.take(quick ? 500 : 10_000)
  const testSet = data.test.take(quick ? 300 : 2000)
  const weight: Initializer = normal({ std: 0.05 })
  const epochs = quick ? 1 : 8
  const course = {
    transform: sgd(cosineDecay(0.5, { totalSteps: (epochs * trainSet.length) / 100 })),
    train: trainSet,
    test: testSet,
    epochs,
    size: 100,
  }
  const without = plain()
  initialize(without, { weight, bias: zeros, seed })
  const off = await train({ ...course, model: without, scores: (images) => without(images) }, context)
  context.note(`off: ${percent(off.at(-1)?.testErrors ?? Number.NaN)} errors`)
  const model = normalised()
  initialize(model, { weight, bias: zeros, seed })
  const on = await train({ ...course, model, scores: (images, mode) => model(images, mode) }, context)
  context.note(`on: ${percent(on.at(-1)?.testErrors ?? Number.NaN)} errors`)

  // Both ways to get statistics for inference, on the trained network.
  const images = tensor(testSet.columns.images.data.subarray(0, testSet.length * 784), [testSet.length, 1, 28, 28])
    .cast('float32')
    .div(255)
  const scores = async (): Promise<Tensor> => {
    const s: Tensor = model(images, 'eval')
    return tensor((await s.data()) as Float32Array, [testSet.length, 10])
  }
  const running = await scores()
  await recalibrate(model, async () => {
    for await (const batch of batches(trainSet, { size: 500 }))
      await model(batch.images.cast('float32').div(255), 'train').sum().item()
  })
  const passed = await scores()
  const labels = tensor(testSet.columns.labels.data, [testSet.length])
  const errorsOf = async (answers: Tensor): Promise<number> =>
    (await errorCount(answers, labels).item()) / testSet.length
  const [byRunning, byPass] = [await errorsOf(running), await errorsOf(passed)]
  const same = (await running.argmax(1).eq(passed.argmax(1)).sum().item()) / testSet.length
  const largest = await maximum(running.sub(passed).abs(), 0).max().item()
  const back = await undone(seed)
  const [a, b] = [on.at(-1)?.testErrors ?? Number.NaN, off.at(-1)?.testErrors ?? Number.NaN]
  return {
    found: `Three sigmoid layers with small weights: ${percent(b)} test errors after ${epochs} epochs without batch normalisation, ${percent(a)} with it.`,
    picture: lineChart({
      label: 'Test errors by epoch with and without batch normalisation',
      x: { name: 'epoch' },
      y: { name: 'test errors, %', domain: [0, 100] },
      series: [
        { name: 'off', tone: 't0', dots: true, points: off.map((e, i) => [i + 1, 100 * e.testErrors]) },
        { name: 'on', tone: 't1', dots: true, points: on.map((e, i) => [i + 1, 100 * e.testErrors]) },
      ],
    }),
    caption: `784-100-100-100-10 with sigmoids, weights with deviation 0.05, SGD with a rate that falls from 0.5 to 0, batches of 100 of ${trainSet.length} images. The same weights at the start, the same order.`,
    claims: [
      {
        said: 'With a poor start training need not succeed at all; normalising after each layer helps.',
        row: 'F17',
        measured: `${percent(b)} errors off, ${percent(a)} on`,
        agrees: a < b,
      },
      {
        said: 'gamma = sigma(x), beta = mean(x) undoes the normalisation.',
        row: 'F17',
        measured: `largest difference ${back.toExponential(1)}`,
        agrees: back < 1e-5,
      },
      {
        said: 'For inference: statistics gathered in training, or those of one pass over the training set.',
        row: 'F17',
        measured: `${percent(byRunning)} and ${percent(byPass)} test errors`,
        agrees: Math.abs(byRunning - byPass) < 0.015,
        remark: `${percent(same)} of the answers are the same; scores differ by at most ${formatNumber(largest, 2)}, because running statistics lag behind the weights. The rate falls to 0 here so that they settle: with a fixed rate of 0.5 the two modes differed by more.`,
      },
    ],
    numbers: { off: b, on: a, undone: back, sameAnswers: same, byRunning, byPass },
    sections: [
      {
        title: 'Formulas',
        lede: 'Means over the batch, for each unit.',
        body: formulas([
          String.raw`\hat x = \frac{x - \bar x}{\sqrt{\sigma^2(x) + \varepsilon}}, \qquad y = \gamma \hat x + \beta`,
          'γ and β are learned',
        ]),
      },
      {
        title: 'Code',
        lede: 'The two networks; and γ, β that undo it.',
        body: html`${snippet(import.meta.url, 'networks')}${snippet(import.meta.url, 'undo')}`,
      },
      {
        title: 'Training loss',
        lede: 'Mean of each epoch.',
        body: html`<figure class="card">${lineChart({
          label: 'Training loss by epoch',
          x: { name: 'epoch' },
          y: { name: 'loss', log: true },
          series: [
            { name: 'off', tone: 't0', dots: true, points: off.map((e, i) => [i + 1, e.loss]) },
            { name: 'on', tone: 't1', dots: true, points: on.map((e, i) => [i + 1, e.loss]) },
          ],
        })}</figure>`,
      },
    ],
  }
}

/** F17: batch normalisation on and off, undone, and its two modes of inference. */
export const batchNormalisation: Topic = {
  name: 'batchnorm',
  title: 'Batch normalisation on and off',
  about: 'A network that hardly learns from its start, and the same with batch normalisation.',
  rows: ['F17'],
  run,
}
