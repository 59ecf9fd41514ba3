import { batches, type MnistDataset } from '@tessella/datasets'
import { linear, relu, sequential } from '@tessella/layers'
import { binaryCrossEntropyWithLogits, mse } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { Generator, key, normal, type Tensor, tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import type { Batch } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { mosaic, wideImage } from '../pages/imageGrid.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { legend, plane } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const pixels = 784
const noise = 0.5

/** What every kind is: a code from a picture, and a picture (as scores) from a code. */
interface Coder {
  readonly model: object
  readonly encode: (x: Tensor) => Tensor
  readonly decode: (code: Tensor) => Tensor
}

function coder(code: number, outputs: number, seed: number): Coder {
  // show: coder
  const encoder = sequential(linear(pixels, 128, { seed }), relu(), linear(128, outputs, { seed: seed + 1 }))
  const decoder = sequential(linear(code, 128, { seed: seed + 2 }), relu(), linear(128, pixels, { seed: seed + 3 }))
  // end
  return {
    model: { encoder, decoder },
    encode: (x) => encoder(x as never) as Tensor,
    decode: (z) => decoder(z as never) as Tensor,
  }
}

/** Without anything between: what it finds spans the same plane as principal components. */
function linearCoder(code: number, seed: number): Coder {
  const [encoder, decoder] = [linear(pixels, code, { seed }), linear(code, pixels, { seed: seed + 1 })]
  return {
    model: { encoder, decoder },
    encode: (x) => encoder(x as never) as Tensor,
    decode: (z) => decoder(z as never) as Tensor,
  }
}

const flat = (images: Batch['images']): Tensor => images.cast('float32').div(255).reshape([-1, pixels]) as Tensor

interface Trained {
  readonly name: string
  readonly tone: string
  readonly losses: readonly Point[]
}

async function train(
  name: string,
  tone: string,
  model: object,
  loss: (x: Tensor) => Tensor,
  set: MnistDataset,
  context: Context,
): Promise<Trained> {
  const step = trainStep<{ readonly x: Tensor }>({
    model,
    optimizer: optimizer(adam(0.001), model),
    loss: ({ x }) => loss(x),
  })
  const losses: Point[] = []
  for (let epoch = 0; epoch < (context.quick ? 1 : 12); epoch++) {
    let [sum, count] = [0, 0]
    for await (const { images } of batches(set, { size: 100, shuffle: true, seed: context.seed, epoch })) {
      sum += await step({ x: flat(images) }).item()
      count++
      await pause(context)
    }
    losses.push([epoch + 1, sum / count])
  }
  context.note(`${name}: ${formatNumber(losses.at(-1)?.[1] ?? Number.NaN, 3)}`)
  return { name, tone, losses }
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const set = data.train.take(quick ? 300 : 10_000)
  const test = data.test.take(quick ? 100 : 1000)
  const x = tensor(test.columns.images.data.subarray(0, test.length * pixels), [test.length, pixels])
    .cast('float32')
    .div(255) as Tensor
  const labels = Array.from(test.columns.labels.data.subarray(0, test.length))
  const generator = new Generator(seed)
  const code = 8
  const [plain, straight, cleaner, variational] = [
    coder(code, code, seed),
    linearCoder(code, seed),
    coder(32, 32, seed),
    coder(2, 4, seed),
  ]
  const spoil = (v: Tensor): Tensor => v.add(normal(generator.next(), v.shape).mul(noise) as Tensor) as Tensor
  // show: losses
  const rebuild = (scores: Tensor, v: Tensor): Tensor =>
    binaryCrossEntropyWithLogits(scores, v, { reduction: 'sum' }).div(v.shape[0] as number)
  const ofPlain = (v: Tensor) => rebuild(plain.decode(plain.encode(v)), v)
  const ofStraight = (v: Tensor) => mse(straight.decode(straight.encode(v)), v, { reduction: 'sum' }).div(100)
  const ofCleaner = (v: Tensor) => rebuild(cleaner.decode(cleaner.encode(spoil(v))), v)
  const ofVariational = (v: Tensor) => {
    const out = variational.encode(v)
    const [mean, logVariance] = [out.narrow(1, 0, 2) as Tensor, out.narrow(1, 2, 2) as Tensor]
    const drawn = mean.add(
      logVariance
        .mul(0.5)
        .exp()
        .mul(normal(generator.next(), mean.shape) as Tensor) as Tensor,
    )
    // The divergence from a normal distribution of mean 0 and variance 1.
    const divergence = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).sum().div(2)
    return rebuild(variational.decode(drawn as Tensor), v).add(divergence.div(v.shape[0] as number))
  }
  // end
  const trained: Trained[] = []
  for (const [name, tone, { model }, loss] of [
    ['plain', 't0', plain, ofPlain],
    ['linear', 't7', straight, ofStraight],
    ['denoising', 't1', cleaner, ofCleaner],
    ['variational', 't3', variational, ofVariational],
  ] as const)
    trained.push(await train(name, tone, model, loss, set, context))
  const error = async (a: Tensor, b: Tensor): Promise<number> => Number(await mse(a, b).item())
  const rebuilt = plain.decode(plain.encode(x)).sigmoid() as Tensor
  const flatly = straight.decode(straight.encode(x))
  const spoiled = spoil(x)
  const cleaned = cleaner.decode(cleaner.encode(spoiled)).sigmoid() as Tensor
  const [byPlain, byLinear] = [await error(rebuilt, x), await error(flatly, x)]
  const [before, after] = [await error(spoiled, x), await error(cleaned, x)]
  const means = variational.encode(x).narrow(1, 0, 2) as Tensor
  const places = Array.from(await means.data(), Number)
  // Digits drawn from a grid of codes.
  const grid = Array.from({ length: 144 }, (_, i) => [-2.4 + 0.436 * (i % 12), 2.4 - 0.436 * Math.floor(i / 12)]).flat()
  const made = variational.decode(tensor(grid, [144, 2]) as Tensor).sigmoid() as Tensor
  const rowsOf = async (t: Tensor, rows: number): Promise<readonly number[][]> => {
    const list = Array.from(await (t.narrow(0, 0, rows) as Tensor).data(), Number)
    return Array.from({ length: rows }, (_, i) => list.slice(pixels * i, pixels * (i + 1)))
  }
  const shown = 12
  const compared = async (...tensors: readonly Tensor[]) =>
    mosaic((await Promise.all(tensors.map((t) => rowsOf(t, shown)))).flat(), 28, shown)
  const spread = await means.var(0).data()
  const drawn = normal(key(seed), [test.length, 2])
  const near = neighbours(places, labels)
  return {
    found: `With a code of ${code} numbers the mean square error of a pixel is ${formatNumber(byPlain, 2)}; of a linear autoencoder ${formatNumber(byLinear, 2)}. The denoising one takes noise from ${formatNumber(before, 2)} to ${formatNumber(after, 2)}. From two numbers the variational one draws digits.`,
    picture: wideImage({
      title: 'digits drawn from a grid of codes of the variational autoencoder',
      picture: mosaic(await rowsOf(made, 144), 28, 12),
    }),
    caption: `Each digit is decoded from two numbers, from −2.4 to 2.4 along both axes. Trained on ${set.length} images of MNIST.`,
    claims: [
      {
        said: 'An autoencoder squeezes pictures through a code and gives them back.',
        row: 'autoencoders',
        measured: `${pixels} pixels through ${code} numbers: mean square error ${formatNumber(byPlain, 2)}, linear ${formatNumber(byLinear, 2)}`,
        agrees: byPlain < byLinear,
        remark:
          'A later row of the course: no slide has numbers for it. The linear one does what principal components do.',
      },
      {
        said: 'A denoising autoencoder learns to take noise away.',
        row: 'autoencoders',
        measured: `mean square error to the clean pictures: ${formatNumber(before, 2)} before, ${formatNumber(after, 2)} after`,
        agrees: after < before / 2,
      },
      {
        said: 'A variational autoencoder gives codes that are spread like normal numbers, so that new pictures can be drawn.',
        row: 'autoencoders',
        measured: `variances of the two means over test images ${Array.from(spread, (v) => formatNumber(v, 2)).join(' and ')}, of normal numbers ${formatNumber(await drawn.var().item(), 2)}`,
        agrees: Array.from(spread).every((v) => v > 0.2 && v < 4),
        remark: `The nearest code belongs to the same digit for ${Math.round(100 * near)} of 100 test images, though no label was seen.`,
      },
    ],
    numbers: { plain: byPlain, linear: byLinear, before, after, near, spread: Array.from(spread) },
    sections: [
      {
        title: 'Formulas',
        lede: 'e encodes, d decodes.',
        body: formulas(
          [String.raw`\sum_x L(d(e(x)), x)`, 'plain; L is the cross entropy of pixels'],
          [String.raw`\sum_x L(d(e(x + \varepsilon)), x)`, `denoising: ε is noise of deviation ${noise}`],
          [
            String.raw`\sum_x L(d(z), x) + \tfrac12 \sum_j \left(\mu_j^2 + \sigma_j^2 - \ln \sigma_j^2 - 1\right), \quad z = \mu + \sigma \odot \xi`,
            'variational (Kingma and Welling, 2014): μ and σ come from e(x), ξ is normal',
          ],
        ),
      },
      {
        title: 'Plain',
        lede: `Test images; through ${code} numbers; through ${code} numbers linearly.`,
        body: html`<div class="card">${wideImage({ title: 'given, rebuilt, rebuilt linearly', picture: await compared(x, rebuilt, flatly) })}</div>`,
      },
      {
        title: 'Denoising',
        lede: 'Test images; with noise; cleaned.',
        body: html`<div class="card">${wideImage({ title: 'given, with noise, cleaned', picture: await compared(x, spoiled, cleaned) })}</div>`,
      },
      {
        title: 'Codes of the variational autoencoder',
        lede: 'Each point is a test image, its colour the digit; labels took no part in training.',
        body: html`<div class="card"><div class="planes one">${plane({
          label: 'Codes of test images',
          x: [-4, 4],
          y: [-4, 4],
          xName: 'first number',
          yName: 'second number',
          points: labels
            .map((l, i) => ({ at: [places[2 * i] as number, places[2 * i + 1] as number] as Point, digit: l }))
            .filter((p) => p.digit < 8)
            .map((p) => ({ at: p.at, tone: toneOf(p.digit), text: String(p.digit) })),
        })}</div>${legend(Array.from({ length: 8 }, (_, d) => ({ name: `${d}`, tone: toneOf(d) })))}</div>`,
      },
      {
        title: 'Training loss',
        lede: 'For one image, each by its own loss: the curves are not to be compared.',
        body: html`<figure class="card">${lineChart(
          {
            label: 'Training loss of four autoencoders by epoch',
            x: { name: 'epoch' },
            y: { name: 'loss of an image', log: true },
            series: trained.map((t) => ({ name: t.name, tone: t.tone, dots: true, points: t.losses })),
          },
          0.8,
        )}</figure>`,
      },
      {
        title: 'Code',
        lede: 'The network; and the four losses.',
        body: html`${snippet(import.meta.url, 'coder')}${snippet(import.meta.url, 'losses')}`,
      },
    ],
  }
}

/** How often the nearest other code has the same label. */
function neighbours(places: readonly number[], labels: readonly number[]): number {
  const same = labels.filter((label, i) => {
    let [best, least] = [-1, Number.POSITIVE_INFINITY]
    for (const [j] of labels.entries()) {
      const far =
        ((places[2 * i] as number) - (places[2 * j] as number)) ** 2 +
        ((places[2 * i + 1] as number) - (places[2 * j + 1] as number)) ** 2
      if (j !== i && far < least) [best, least] = [j, far]
    }
    return labels[best] === label
  })
  return same.length / labels.length
}

/** Autoencoders: plain, linear, denoising, variational. */
export const autoencoders: Topic = {
  name: 'autoencoders',
  title: 'Autoencoders',
  about: 'Plain, denoising and variational autoencoders of digits, and digits drawn from two numbers.',
  rows: ['autoencoders'],
  run,
}
