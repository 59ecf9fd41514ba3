import { grad } from '@tessella/autograd'
import {
  batchNorm1d,
  flatten,
  groupNorm,
  type Initializer,
  initialize,
  input,
  instanceNorm,
  layerNorm,
  linear,
  normal as normalInit,
  relu,
  rmsNorm,
  sequential,
  spectralNorm,
  unitVariance,
  weightNorm,
  zeros,
} from '@tessella/layers'
import { sgd } from '@tessella/optimizers'
import { eye, key, normal, type Tensor, tensor, type Variable, zeros as zerosOf } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent, tiny } from '../report/numbers.ts'
import { type Epoch, type Scores, train } from './course.ts'

const width = 100

// show: networks
const networks = {
  none: () => stacked((i) => sequential(linear(i, width), relu())),
  weight: () => stacked((i) => sequential(weightNorm(linear(i, width)), relu())),
  'weight, by data': () => stacked((i) => sequential(weightNorm(linear(i, width)), relu())),
  spectral: () => stacked((i) => sequential(spectralNorm(linear(i, width)), relu())),
  batch: () => stacked((i) => sequential(linear(i, width), batchNorm1d(width), relu())),
  layer: () => stacked((i) => sequential(linear(i, width), layerNorm(width), relu())),
  RMS: () => stacked((i) => sequential(linear(i, width), rmsNorm(width), relu())),
  group: () => stacked((i) => sequential(linear(i, width), groupNorm(4, width), relu())),
}
// end
type Name = keyof typeof networks
type Model = object & ((x: Tensor, mode: 'train' | 'eval') => Tensor)

/** 784, five times 100, 10; `block` makes one of the five. */
const stacked = (block: (inputs: number) => object): Model =>
  (sequential as unknown as (...layers: readonly unknown[]) => Model)(
    input(1, 28, 28),
    flatten(),
    ...[784, width, width, width, width].map(block),
    linear(width, 10),
  )

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const trainSet = data.train.take(quick ? 400 : 5000)
  const testSet = data.test.take(quick ? 200 : 2000)
  const epochs = quick ? 1 : 6
  const weight: Initializer = normalInit({ std: 0.02 })
  const first = trainSet.columns.images.data.subarray(0, 200 * 784)
  const batch = tensor(first, [200, 1, 28, 28]).cast('float32').div(255) as Tensor
  const all: { readonly name: Name; readonly tone: string; readonly epochs: readonly Epoch[] }[] = []
  for (const [i, name] of (Object.keys(networks) as Name[]).entries()) {
    const model = networks[name]()
    initialize(model as never, { weight, bias: zeros, seed })
    // As its authors start it: lengths such that sums have variance 1 on a batch.
    if (name === 'weight, by data') unitVariance(model as never, batch)
    const scores: Scores = (images, mode) => model(images as Tensor, mode)
    const course = { model, scores, transform: sgd(0.05), train: trainSet, test: testSet, epochs, size: 50 }
    all.push({ name, tone: name === 'none' ? 't7' : toneOf(i - 1), epochs: await train(course, context) })
    context.note(`${name}: ${percent(all.at(-1)?.epochs.at(-1)?.testErrors ?? Number.NaN)} errors`)
  }
  const last = (name: Name): number => all.find((a) => a.name === name)?.epochs.at(-1)?.testErrors ?? Number.NaN
  const w = await ofWeights(seed)
  const b = await ofBatches(seed)
  const names = all.filter((a) => a.name !== 'none')
  return {
    found: `Five layers of ReLU from weights that are too small: ${percent(last('none'))} test errors after ${epochs} epochs without normalisation; ${names.map((a) => `${a.name} ${percent(last(a.name))}`).join(', ')}.`,
    picture: lineChart({
      label: 'Test errors by epoch for each normalisation',
      x: { name: 'epoch', ticks: all[0]?.epochs.map((_, i) => i + 1) ?? [] },
      y: { name: 'test errors, %', log: true, domain: [3, 100], ticks: [3, 5, 10, 20, 50, 100] },
      series: all.map((a) => ({
        name: a.name,
        tone: a.tone,
        dots: true,
        points: a.epochs.map((e, i): Point => [i + 1, 100 * e.testErrors]),
      })),
    }),
    caption: `784, five times ${width}, 10; weights with deviation 0.02, SGD with rate 0.05, batches of 50 of ${trainSet.length} images of MNIST. The same weights at the start, the same order; one run each.`,
    claims: [
      {
        said: 'Weight normalisation: w = g v / |v|.',
        row: 'F18',
        measured: `norms of rows differ from g by at most ${tiny(w.norm)}; the gradient by v is at right angles to v (cosine ${tiny(w.cosine)})`,
        agrees: w.norm < 1e-5 && w.cosine < 1e-5,
        remark: 'So a step changes the direction by v, the length by g alone.',
      },
      {
        said: 'It is one of the ways against slow training and fading activations.',
        row: 'F18',
        measured: `${percent(last('weight, by data'))} errors with lengths started by data, ${percent(last('weight'))} with g = |v|, ${percent(last('none'))} without`,
        agrees: last('weight, by data') < last('none') - 0.02,
        remark:
          'By itself it leaves a poor start as it is: g begins as the length of v. Its authors choose g and b on a first batch (Salimans and Kingma, 2016).',
      },
      {
        said: 'Batch normalisation looks at the batch; layer normalisation at one example.',
        row: 'F17',
        measured: `what one example gives alone and among others differs by ${tiny(b.layer)} (layer), ${tiny(b.batch)} (batch, training)`,
        agrees: b.layer < 1e-5 && b.batch > 0.01,
      },
      {
        said: 'A group of one channel is instance normalisation, one group of all is layer normalisation.',
        row: 'F17',
        measured: `they differ by at most ${tiny(b.instance)} and ${tiny(b.whole)}`,
        agrees: b.instance < 1e-4 && b.whole < 1e-4,
      },
      {
        said: 'Spectral normalisation divides by the largest singular value.',
        row: 'F18',
        measured: `the largest stretch of 2,000 random directions is ${formatNumber(w.stretch, 3)}, that of the iteration ${formatNumber(w.singular, 4)}`,
        agrees: w.stretch <= 1.02 && Math.abs(w.singular - 1) < 0.02,
        remark: 'Not in the lectures. The value comes from power iteration, one step a training call.',
      },
    ],
    numbers: {
      errors: all.map((a) => last(a.name)),
      norm: w.norm,
      cosine: w.cosine,
      singular: w.singular,
      layer: b.layer,
      instance: b.instance,
      whole: b.whole,
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'Over weights, or over activations.',
        body: formulas(
          [String.raw`w = g \, \frac{v}{|v|}`, 'weight normalisation: g and v are learned'],
          [String.raw`\hat W = W / \sigma_{\max}(W)`, 'spectral normalisation'],
          [
            String.raw`y = \gamma\, \frac{x - \bar x}{\sqrt{\sigma^2(x) + \varepsilon}} + \beta`,
            'batch: over the examples; layer: over the units of one; group and instance: over channels of one',
          ],
          [String.raw`y = \gamma \, x / \sqrt{\overline{x^2} + \varepsilon}`, 'RMS: without the mean'],
        ),
      },
      {
        title: 'Training loss',
        lede: 'Mean of each epoch.',
        body: html`<figure class="card">${lineChart({
          label: 'Training loss by epoch for each normalisation',
          x: { name: 'epoch', ticks: all[0]?.epochs.map((_, i) => i + 1) ?? [] },
          y: { name: 'loss', log: true },
          series: all.map((a) => ({
            name: a.name,
            tone: a.tone,
            dots: true,
            points: a.epochs.map((e, i): Point => [i + 1, e.loss]),
          })),
        })}</figure>${plainTable(
          'Results of all normalisations',
          ['normalisation', 'test errors', 'training loss'],
          all.map((a) => [a.name, percent(last(a.name)), formatNumber(a.epochs.at(-1)?.loss ?? Number.NaN, 3)]),
        )}`,
      },
      { title: 'Code', lede: 'The networks.', body: snippet(import.meta.url, 'networks') },
    ],
  }
}

/** Weight and spectral normalisation by what they promise. */
async function ofWeights(seed: number) {
  const layer = weightNorm(linear(20, 8, { seed }))
  const x = normal(key(seed), [16, 20])
  const { weightG: g, weightV: v } = layer as unknown as Record<'weightG' | 'weightV', Variable>
  g.assign(tensor([1, 2, 3, 4, 5, 6, 7, 8], [8, 1]))
  // What the layer makes of the axes is its weight.
  const rows = layer(eye(20)).sub(layer(zerosOf([1, 20]))) as Tensor
  const lengths = rows.square().sum(0).sqrt()
  const grads = grad(() => layer(x).square().sum(), layer) as unknown as Record<string, Tensor>
  const slope = grads.weightV as Tensor
  const across = slope.mul(v.value).sum(1).abs()
  const sizes = slope.square().sum(1).sqrt().mul(v.value.square().sum(1).sqrt())
  const spectral = spectralNorm(linear(20, 8, { seed, bias: false }))
  for (let i = 0; i < 50; i++) await spectral(x, 'train').sum().item()
  const directions = normal(key(seed + 1), [2000, 20])
  const stretch = spectral(directions, 'eval').square().sum(1).div(directions.square().sum(1)).sqrt().max()
  // The direction that is stretched most: by the transposed product again and again.
  let most: Tensor = normal(key(seed + 2), [1, 20]) as Tensor
  const stretched = (d: Tensor): Tensor => spectral(d as never, 'eval') as Tensor
  for (let i = 0; i < 100; i++) {
    const pulled = grad((d: Tensor) => stretched(d).square().sum() as Tensor<[], 'float32'>)(most) as Tensor
    most = pulled.div(pulled.square().sum().sqrt()) as Tensor
    await most.data()
  }
  return {
    norm: await lengths
      .sub(g.value.reshape([8]))
      .abs()
      .max()
      .item(),
    cosine: await across.div(sizes).max().item(),
    stretch: await stretch.item(),
    singular: Number(await stretched(most).square().sum().sqrt().item()),
  }
}

/** Normalisations of activations against each other: largest differences. */
async function ofBatches(seed: number) {
  const x = normal(key(seed), [8, 6])
  const alone = x.narrow(0, 0, 1)
  const far = async (a: Tensor, b: Tensor): Promise<number> => Number(await a.sub(b).abs().max().item())
  const [layer, batch] = [layerNorm(6), batchNorm1d(6)]
  const maps = normal(key(seed + 1), [2, 4, 5, 5])
  const asLayer = layerNorm([4, 5, 5])(maps) as Tensor
  return {
    layer: await far(layer(x).narrow(0, 0, 1) as Tensor, layer(alone) as Tensor),
    batch: await far(batch(x, 'train').narrow(0, 0, 2) as Tensor, batch(x.narrow(0, 0, 2), 'train') as Tensor),
    instance: await far(groupNorm(4, 4)(maps) as Tensor, instanceNorm(4)(maps) as Tensor),
    whole: await far(groupNorm(1, 4)(maps) as Tensor, asLayer),
  }
}

/** F18 and the other normalisations. */
export const norms: Topic = {
  name: 'norms',
  title: 'Weight normalisation and its relatives',
  about: 'Weight, spectral, batch, layer, RMS and group normalisation from a poor start.',
  rows: ['F18', 'F17'],
  run,
}
