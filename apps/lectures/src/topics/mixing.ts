import { batches } from '@tessella/datasets'
import { crossEntropy } from '@tessella/losses'
import { adam } from '@tessella/optimizers'
import { cutmix, mixup } from '@tessella/regularizers'
import { fromData, Generator, oneHot, type Tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { type Batch, network } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { panel, panels } from '../pages/lineChart.ts'
import { inkTile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { apart, choose, type SmallSets, seedsFrom, smallSets } from './chosen.ts'
import { type Pixels, train } from './course.ts'

type Net = ReturnType<typeof network>
type Goal = (images: Pixels, labels: Batch['labels']) => Tensor

// show: ways
interface Way {
  readonly name: string
  /** Tried on the validation set. */
  readonly strengths: readonly [number, ...number[]]
  readonly goal: (model: Net, strength: number, keys: Generator) => Goal
}
const ways: readonly Way[] = [
  {
    name: 'none',
    strengths: [0],
    goal: (model) => (images, labels) => crossEntropy(model(images), labels),
  },
  {
    name: 'label smoothing',
    strengths: [0.05, 0.1, 0.2],
    goal: (model, labelSmoothing) => (images, labels) => crossEntropy(model(images), labels, { labelSmoothing }),
  },
  {
    name: 'mixup',
    strengths: [0.2, 0.5, 1],
    goal: (model, alpha, keys) => (images, labels) => {
      const { x, y } = mixup(images, oneHot(labels, 10), { key: keys.next(), alpha })
      return crossEntropy(model(x), y)
    },
  },
  {
    name: 'cutmix',
    strengths: [0.2, 0.5, 1],
    goal: (model, alpha, keys) => (images, labels) => {
      const { x, y } = cutmix(images, oneHot(labels, 10), { key: keys.next(), alpha })
      return crossEntropy(model(x), y)
    },
  },
]
// end

/** How sure the network is and how often it is right, by sureness: ten bins of test images. */
interface Sureness {
  readonly points: readonly (readonly [number, number])[]
  /** Mean distance between the two, weighted by the images of a bin. */
  readonly off: number
}

async function sureness(model: Net, sets: SmallSets): Promise<Sureness> {
  const [sure, right, images] = [new Float64Array(10), new Float64Array(10), new Float64Array(10)]
  for await (const batch of batches(sets.test, { size: Math.min(1000, sets.test.length) })) {
    const p = model(batch.images.cast('float32').div(255)).softmax(1)
    const values = (await p.data()) as Float32Array
    const labels = await batch.labels.data()
    for (let i = 0; i < labels.length; i++) {
      const row = values.subarray(10 * i, 10 * i + 10)
      const top = row.indexOf(Math.max(...row))
      const bin = Math.min(9, Math.floor(10 * (row[top] as number)))
      sure[bin] = (sure[bin] as number) + (row[top] as number)
      right[bin] = (right[bin] as number) + Number(top === labels[i])
      images[bin] = (images[bin] as number) + 1
    }
  }
  const points: (readonly [number, number])[] = []
  let off = 0
  for (const [i, n] of images.entries()) {
    off += Math.abs((sure[i] as number) - (right[i] as number)) / sets.test.length
    // A handful of images tells nothing.
    if (n >= 20) points.push([(sure[i] as number) / n, (right[i] as number) / n])
  }
  return { points, off }
}

/** A few images mixed, with their shares. */
async function examples(
  sets: SmallSets,
  seed: number,
): Promise<{ readonly mixed: Markup[]; readonly sums: readonly number[] }> {
  const n = 8
  const { images, labels } = sets.train.gather(Array.from({ length: n }, (_, i) => i))
  const x = fromData(
    Float32Array.from(images.data, (v) => v / 255),
    [n, 1, 28, 28],
    'float32',
  )
  const y = oneHot(fromData(Int32Array.from(labels.data), [n], 'int32'), 10)
  const keys = new Generator(seed)
  const mixed: Markup[] = []
  const sums: number[] = []
  for (const [name, mix] of [
    ['mixup', mixup],
    ['cutmix', cutmix],
  ] as const) {
    const result = mix(x, y, { key: keys.next(), share: 0.65 })
    const pixels = (await result.x.data()) as Float32Array
    const targets = (await result.y.data()) as Float32Array
    for (let i = 0; i < n; i++) {
      const row = Array.from(targets.subarray(10 * i, 10 * i + 10))
      sums.push(row.reduce((a, b) => a + b))
      const parts = row.flatMap((t, digit) => (t > 0.005 ? [`${Math.round(100 * t)} % ${digit}`] : []))
      const ink = Uint8Array.from(pixels.subarray(784 * i, 784 * i + 784), (v) => Math.round(255 * v))
      mixed.push(inkTile(parts.join(', '), ink, `${name}: ${parts.join(', ')}`))
    }
  }
  return { mixed, sums }
}

async function run(context: Context): Promise<Page> {
  const { quick } = context
  const sets = await smallSets(context, 1000)
  const epochs = quick ? 2 : 40
  const found: {
    readonly way: Way
    readonly strength: number
    readonly test: readonly number[]
    readonly offs: number[]
    sure: Sureness
  }[] = []
  for (const way of ways) {
    const seen: Sureness[] = []
    const choice = await choose<number>(
      way.strengths,
      async (strength, seed, on) => {
        const model = network('cnn', seed)
        const keys = new Generator(seed)
        const [last] = await train(
          {
            model,
            scores: (images) => model(images),
            loss: way.goal(model, strength, keys),
            transform: adam(0.002),
            train: sets.train,
            test: sets[on],
            epochs,
            size: 50,
            onlyLast: true,
          },
          { ...context, seed },
        )
        if (on === 'test') seen.push(await sureness(model, sets))
        return last?.testErrors ?? Number.NaN
      },
      { choosing: seedsFrom(context, 2), testing: seedsFrom({ ...context, seed: context.seed + 100 }, 5) },
    )
    found.push({
      way,
      strength: choice.setting,
      test: choice.test,
      offs: seen.map((s) => s.off),
      sure: seen[0] as Sureness,
    })
    context.note(`${way.name} ${choice.setting}: ${choice.test.map(percent).join(', ')} test errors`)
  }
  const { mixed, sums } = await examples(sets, context.seed)
  const [none, ...others] = found as [(typeof found)[number], ...typeof found]
  const best = found.reduce((a, b) => (median(b.test) < median(a.test) ? b : a))
  const smooth = others[0] as (typeof found)[number]
  return {
    found: `On ${sets.train.length} images ${found.map((f) => `${f.way.name} ${percent(median(f.test))}`).join(', ')} test errors (medians of ${none.test.length} seeds).`,
    picture: html`<div class="eights">${tiles(mixed, true)}</div>`,
    caption:
      'Eight training images, each with another of its batch: above mixed by mixup, below by cutmix, with a share of 65 % asked for. Cutmix’s box is cut at the borders, and targets mix by what is really left.',
    claims: [
      {
        said: 'Mixed examples and soft targets regularise.',
        row: 'R8',
        measured: `least: ${best.way.name} with ${percent(median(best.test))}, none ${percent(median(none.test))}`,
        agrees: best !== none && apart(best.test, none.test),
        remark: `Not of the lectures. ${others
          .filter((o) => !apart(o.test, none.test))
          .map((o) => o.way.name)
          .map((name) => `The ranges of ${name} and of none overlap.`)
          .join(' ')}`,
      },
      {
        said: 'Targets stay probabilities when they are mixed.',
        row: 'R8',
        measured: `their sums are within ${formatNumber(Math.max(...sums.map((s) => Math.abs(s - 1))), 2)} of 1`,
        agrees: sums.every((s) => Math.abs(s - 1) < 1e-5),
      },
    ],
    numbers: {
      medians: found.map((f) => median(f.test)),
      strengths: found.map((f) => f.strength),
      off: found.map((f) => median(f.offs)),
    },
    sections: [
      {
        title: 'Errors',
        lede: `The lectures’ CNN on ${sets.train.length} images, Adam, ${epochs} epochs. Strengths chosen on ${sets.validation.length} further images with other seeds.`,
        body: html`<figure class="card">${ranges(
          'Test errors of every seed for each way',
          'test errors, %',
          found.map((f, i) => ({ name: f.way.name, tone: toneOf(i), values: f.test.map((e) => 100 * e) })),
        )}</figure>${plainTable(
          'What was chosen and what it gave',
          ['way', 'strength', 'of', 'median', 'least', 'most', 'sureness off by'],
          found.map((f) => [
            f.way.name,
            f.way.strengths.length > 1 ? String(f.strength) : '',
            f.way.strengths.length > 1 ? f.way.strengths.join(', ') : '',
            percent(median(f.test)),
            percent(Math.min(...f.test)),
            percent(Math.max(...f.test)),
            percent(median(f.offs)),
          ]),
        )}`,
      },
      {
        title: 'How sure, how often right',
        lede: `Test images in bins by the probability of the answer; on the dashed line the network is right as often as it says. Label smoothing: off by ${percent(median(smooth.offs))} on average, without ${percent(median(none.offs))}.`,
        body: panels(
          found.map((f, i) =>
            panel(f.way.name, {
              label: `Share of right answers over the probability told, ${f.way.name}`,
              x: { name: 'told', domain: [0.2, 1] },
              y: { name: 'right', domain: [0.2, 1] },
              series: [
                {
                  name: '',
                  tone: 't7',
                  dashed: true,
                  points: [
                    [0.2, 0.2],
                    [1, 1],
                  ],
                },
                { name: '', tone: toneOf(i), dots: true, points: f.sure.points },
              ],
            }),
          ),
        ),
      },
      {
        title: 'Formulas',
        lede: 's is drawn from Beta(α, α) for the batch.',
        body: formulas(
          [String.raw`x = s\, x_a + (1 - s)\, x_b, \quad y = s\, y_a + (1 - s)\, y_b`, 'mixup'],
          [
            String.raw`x = m \odot x_a + (1 - m) \odot x_b, \quad y = \bar m\, y_a + (1 - \bar m)\, y_b`,
            'cutmix: m is 0 in a box, 1 elsewhere',
          ],
          [String.raw`y' = (1 - \varepsilon)\, y + \varepsilon / K`, 'label smoothing over K classes'],
        ),
      },
      {
        title: 'Code',
        lede: 'The ways, and how a strength is chosen.',
        body: html`${snippet(import.meta.url, 'ways')}${snippet(new URL('./chosen.ts', import.meta.url).href, 'choose')}`,
      },
    ],
  }
}

/** Mixup, cutmix and label smoothing: pictures, errors, and how sure the networks are. */
export const mixing: Topic = {
  name: 'mixing',
  title: 'Mixed examples, soft targets',
  about: 'Mixup, cutmix and label smoothing on few images: errors, and how sure the answers are.',
  rows: ['R8'],
  run,
}
