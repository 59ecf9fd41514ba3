import { batches, type MnistDataset } from '@tessella/datasets'
import {
  flatten,
  heNormal,
  type Initializer,
  initialize,
  input,
  linear,
  loadStateDict,
  normal as normalInit,
  orthogonal,
  relu,
  sequential,
  sigmoid,
  stateDict,
  uniformHidden,
  unitVariance,
  xavierUniform,
  zeros,
} from '@tessella/layers'
import { adam, sgd } from '@tessella/optimizers'
import { key, oneHot, stack, type Tensor } from '@tessella/tensor'
import { formatNumber, pretrainLayers } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { type Epoch, train } from './course.ts'

const width = 64

/** 784, some layers of 64, 10. */
const network = (depth: number, activation: typeof relu | typeof sigmoid) =>
  sequential(
    input(1, 28, 28),
    flatten(),
    sequential(linear(784, width), activation()),
    ...Array.from({ length: depth - 1 }, () => sequential(linear(width, width), activation())),
    linear(width, 10),
  )
type Network = ReturnType<typeof network>
interface Hidden {
  readonly 0: ReturnType<typeof linear<number, number>>
  readonly 1: (z: Tensor) => Tensor
}
/** The layers between the input and the answers. */
const hiddenOf = (model: Network): readonly Hidden[] => (Object.values(model) as unknown as Hidden[]).slice(2, -1)

interface Start {
  readonly name: string
  readonly tone: string
  readonly begin: (model: Network, x: Tensor, labels: Tensor, context: Context) => void | Promise<void>
}

const drawn =
  (weight: Initializer): Start['begin'] =>
  (model, _x, _labels, { seed }) =>
    void initialize(model, { weight, bias: zeros, seed })

// show: starts
const byData: Start['begin'] = (model, x, _labels, { seed }) => {
  initialize(model, { weight: orthogonal(), bias: zeros, seed })
  unitVariance(model, x)
}
const byLayers: Start['begin'] = async (model, x, labels, { seed, quick }) => {
  initialize(model, { weight: xavierUniform(), bias: zeros, seed })
  await pretrainLayers({
    layers: hiddenOf(model).map((block) => ({ ...block[0], activation: (z: Tensor) => z.sigmoid() as Tensor })),
    x: x.reshape([-1, 784]) as Tensor,
    targets: oneHot(labels, 10),
    vary: 'inputs',
    share: 0.1,
    steps: quick ? 5 : 60,
    key: key(seed),
  })
}
// end

const starts: readonly Start[] = [
  { name: 'normal 0.05', tone: 't7', begin: drawn(normalInit({ std: 0.05 })) },
  { name: 'Xavier', tone: 't3', begin: drawn(xavierUniform()) },
  { name: 'He', tone: 't2', begin: drawn(heNormal()) },
  { name: 'LSUV', tone: 't1', begin: byData },
]
/** Of sigmoids, for which layers were started one by one. */
const sigmoidStarts: readonly Start[] = [
  { name: 'uniform ±1/√h', tone: 't7', begin: drawn(uniformHidden()) },
  { name: 'Xavier', tone: 't3', begin: drawn(xavierUniform()) },
  { name: 'layer-wise', tone: 't0', begin: byLayers },
]

/** Deviation of the sums of every layer on a batch. */
async function deviations(model: Network, x: Tensor): Promise<readonly number[]> {
  let y = x.reshape([x.shape[0] as number, 784]) as Tensor
  const found: Tensor[] = []
  for (const block of hiddenOf(model)) {
    const z = block[0](y as never) as Tensor
    found.push(z.std() as Tensor)
    y = block[1](z) as Tensor
  }
  return Array.from(await stack(found).data(), Number)
}

async function firstBatch(set: MnistDataset, size: number) {
  for await (const batch of batches(set, { size, dropLast: true })) return batch
  throw new Error('internal: no batch')
}

interface Tried {
  readonly start: Start
  readonly deviations: readonly number[]
  readonly seconds: number
  readonly epochs: readonly Epoch[]
}

async function run(context: Context): Promise<Page> {
  const { quick } = context
  const data = await context.mnist()
  const trainSet = data.train.take(quick ? 400 : 5000)
  const testSet = data.test.take(quick ? 200 : 2000)
  const sample = await firstBatch(trainSet, quick ? 200 : 1000)
  const x = sample.images.cast('float32').div(255) as Tensor
  const [depth, epochs] = [8, quick ? 1 : 6]
  const course = { train: trainSet, test: testSet, epochs, size: 50 }
  const runAll = async (list: readonly Start[], make: () => Network, rate: number): Promise<Tried[]> => {
    const found: Tried[] = []
    for (const start of list) {
      const model = make()
      const began = performance.now()
      await start.begin(model, x, sample.labels, context)
      const before = await deviations(model, x)
      const seconds = (performance.now() - began) / 1000
      const curve = await train({ ...course, transform: sgd(rate), model, scores: (images) => model(images) }, context)
      found.push({ start, deviations: before, seconds, epochs: curve })
      context.note(`${start.name}: ${percent(curve.at(-1)?.testErrors ?? Number.NaN)} errors`)
    }
    return found
  }
  const tried = await runAll(starts, () => network(depth, relu), 0.03)
  const sigmoids = await runAll(sigmoidStarts, () => network(3, sigmoid), 0.3)
  // A model trained on other images of the same kind, then these few.
  const before = network(depth, relu)
  initialize(before, { weight: heNormal(), bias: zeros, seed: context.seed + 1 })
  const others = data.train.slice(trainSet.length, trainSet.length + (quick ? 200 : 20_000))
  await train(
    {
      ...course,
      train: others,
      epochs: quick ? 1 : 3,
      transform: adam(0.001),
      model: before,
      scores: (i) => before(i),
    },
    context,
  )
  const after = network(depth, relu)
  // show: pretrained
  loadStateDict(after, stateDict(before))
  // end
  const began = await deviations(after, x)
  const curve = await train(
    { ...course, transform: sgd(0.03), model: after, scores: (images) => after(images) },
    context,
  )
  tried.push({
    start: { name: 'pretrained', tone: 't4', begin: () => {} },
    deviations: began,
    seconds: 0,
    epochs: curve,
  })
  const of = (name: string, list = tried): Tried => list.find((t) => t.start.name === name) as Tried
  const first = (t: Tried): number => t.epochs[0]?.testErrors ?? Number.NaN
  const last = (t: Tried): number => t.epochs.at(-1)?.testErrors ?? Number.NaN
  const [poor, he, lsuv, loaded] = [of('normal 0.05'), of('He'), of('LSUV'), of('pretrained')]
  const [layered, plain] = [of('layer-wise', sigmoids), of('Xavier', sigmoids)]
  const off = Math.max(...lsuv.deviations.map((d) => Math.abs(d - 1)))
  const units = await distinct(x, sample.labels, context)
  return {
    found: `With weights too small ${depth} layers of ReLU have ${percent(last(poor))} test errors after ${epochs} epochs; scaled by data (LSUV) ${percent(last(lsuv))}, with He’s start ${percent(last(he))}, from a pretrained model ${percent(last(loaded))}. Three layers of sigmoids have ${percent(first(plain))} after the first epoch with Xavier’s start, ${percent(first(layered))} when started layer by layer.`,
    picture: lineChart({
      label: 'Test errors by epoch for each start',
      x: { name: 'epoch', ticks: he.epochs.map((_, i) => i + 1) },
      y: { name: 'test errors, %', log: true, ticks: [3, 5, 10, 20, 50, 100], domain: [3, 100] },
      series: tried.map((t) => ({
        name: t.start.name,
        tone: t.start.tone,
        dots: true,
        points: t.epochs.map((e, i): Point => [i + 1, 100 * e.testErrors]),
      })),
    }),
    caption: `784, ${depth} layers of ${width} with ReLU, 10; SGD with rate 0.03, batches of 50 of ${trainSet.length} images of MNIST. One run each.`,
    claims: [
      {
        said: 'A start by data: every layer’s sums get variance 1.',
        row: 'initialisation',
        measured: `deviations after LSUV differ from 1 by at most ${off.toExponential(1)}; with normal 0.05 the last is ${formatNumber(poor.deviations.at(-1) as number, 2)}`,
        agrees: off < 1e-3,
      },
      {
        said: 'Layers trained one by one, each unit as a linear model, make a good start.',
        row: 'initialisation',
        measured: `three layers of sigmoids: after the first epoch ${percent(first(layered))} errors, with Xavier’s start ${percent(first(plain))}; in the end ${percent(last(layered))} and ${percent(last(plain))}`,
        agrees: first(layered) < first(plain),
        remark: `It took ${formatNumber(layered.seconds, 2)} s on ${x.shape[0]} images before training began.`,
      },
      {
        said: 'A random part of the examples, of the inputs, or other random starts make units differ.',
        row: 'initialisation',
        measured: `mean correlation of two units of one class in the first layer: ${units.map((u) => `${u.vary} ${formatNumber(u.correlation, 2)}`).join(', ')}`,
        agrees: units.every((u) => u.correlation < 0.99),
        remark:
          'A linear model with this loss has one best place: another start leads to it again, so that only parts of the examples or inputs make units differ. Parts of a tenth each.',
      },
      {
        said: 'Start from the weights of a pretrained model.',
        row: 'initialisation',
        measured: `after the first epoch ${percent(first(loaded))} errors instead of ${percent(first(he))}`,
        agrees: first(loaded) < first(he),
        remark: `Pretrained on ${others.length} other images.`,
      },
    ],
    numbers: {
      poor: last(poor),
      he: last(he),
      lsuv: last(lsuv),
      layered: last(layered),
      pretrained: last(loaded),
      lsuvOff: off,
      correlations: units.map((u) => u.correlation),
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'Both starts go from the first layer to the last.',
        body: formulas(
          [
            String.raw`W_l := W_l \, / \, \sqrt{\mathsf{D}\, z_l}`,
            'LSUV, after an orthogonal start (Mishkin and Matas, 2016)',
          ],
          [
            String.raw`w_{hj} := \operatorname*{argmin}_{w} \sum_{i \in X'_h} \ln\left(1 + e^{-y_{ih} (w^\top x_i)}\right)`,
            'unit h alone tells one class from the others, on a part of the examples or inputs',
          ],
        ),
      },
      {
        title: 'Deviation of the sums by layer',
        lede: 'On a batch, before training.',
        body: html`<figure class="card">${lineChart({
          label: 'Deviation of sums by layer before training',
          x: { name: 'layer', ticks: lsuv.deviations.map((_, i) => i + 1) },
          y: { name: 'deviation', log: true },
          series: tried.map((t) => ({
            name: t.start.name,
            tone: t.start.tone,
            dots: true,
            points: t.deviations.map((d, i): Point => [i + 1, d]),
          })),
        })}</figure>`,
      },
      {
        title: 'Layer by layer',
        lede: 'Three layers of 64 sigmoids, SGD with rate 0.3: test errors after each epoch.',
        body: html`<figure class="card">${lineChart(
          {
            label: 'Test errors by epoch of a network of sigmoids',
            x: { name: 'epoch', ticks: he.epochs.map((_, i) => i + 1) },
            y: { name: 'test errors, %', domain: [0, 100] },
            series: sigmoids.map((t) => ({
              name: t.start.name,
              tone: t.start.tone,
              dots: true,
              points: t.epochs.map((e, i): Point => [i + 1, 100 * e.testErrors]),
            })),
          },
          0.8,
        )}</figure>`,
      },
      {
        title: 'Training loss',
        lede: 'Mean of each epoch, of the layers of ReLU.',
        body: html`<figure class="card">${lineChart({
          label: 'Training loss by epoch for each start',
          x: { name: 'epoch', ticks: he.epochs.map((_, i) => i + 1) },
          y: { name: 'loss', log: true },
          series: tried.map((t) => ({
            name: t.start.name,
            tone: t.start.tone,
            dots: true,
            points: t.epochs.map((e, i): Point => [i + 1, e.loss]),
          })),
        })}</figure>${plainTable(
          'Starts and results',
          ['start', 'seconds', 'errors after 1 epoch', `after ${epochs}`],
          [...tried, ...sigmoids].map((t) => [
            t.deviations.length === 3 ? `${t.start.name}, sigmoids` : t.start.name,
            formatNumber(t.seconds, 2),
            percent(first(t)),
            percent(last(t)),
          ]),
        )}`,
      },
      {
        title: 'Code',
        lede: 'By data, by layers, from a pretrained model.',
        body: html`${snippet(import.meta.url, 'starts')}${snippet(import.meta.url, 'pretrained')}`,
      },
    ],
  }
}

/** How alike units of one class are after each way to make them differ: the mean correlation of their weights. */
async function distinct(x: Tensor, labels: Tensor, { seed, quick }: Context) {
  const found: { readonly vary: string; readonly correlation: number }[] = []
  for (const [vary, name] of [
    ['subsample', 'examples'],
    ['inputs', 'inputs'],
    ['start', 'starts'],
  ] as const) {
    const layer = linear(784, 30, { seed })
    await pretrainLayers({
      layers: [layer],
      x: x.reshape([-1, 784]) as Tensor,
      targets: oneHot(labels, 10),
      vary,
      share: 0.1,
      steps: quick ? 5 : 100,
      key: key(seed),
    })
    const sums = layer(x.reshape([-1, 784]) as never) as Tensor
    const centred = sums.sub(sums.mean(0)) as Tensor
    const unit = centred.div(centred.square().sum(0).sqrt().clip(1e-12)) as Tensor
    // Units h and h + 10 learn the same class.
    const pairs = unit
      .narrow(1, 0, 20)
      .mul(unit.narrow(1, 10, 20))
      .sum(0)
      .mean()
    found.push({ vary: name, correlation: Number(await pairs.item()) })
  }
  return found
}

/** Section 6: starts by data, layer by layer and from a pretrained model. */
export const startsByData: Topic = {
  name: 'starts',
  title: 'Starts by data, by layers, and from a trained model',
  about: 'LSUV, layer-wise pretraining and pretrained weights against random starts of a deep network.',
  rows: ['initialisation'],
  run,
}
