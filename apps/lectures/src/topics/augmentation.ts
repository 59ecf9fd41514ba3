import { type AugmentOptions, augmenter, type MnistDataset } from '@tessella/datasets'
import { adam } from '@tessella/optimizers'
import { network } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { inkTile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { train } from './course.ts'

// show: ways
interface Way {
  readonly name: string
  readonly options: Omit<AugmentOptions, 'seed'>
}
const ways: readonly Way[] = [
  { name: 'shift', options: { shift: 0.1 } },
  { name: 'rotate', options: { rotate: 15 } },
  { name: 'zoom', options: { zoom: 0.15 } },
  { name: 'shear', options: { shear: 15 } },
  { name: 'elastic', options: { elastic: { strength: 1.5 } } },
  { name: 'noise', options: { noise: 25 } },
  { name: 'erase', options: { erase: { probability: 0.5 } } },
  { name: 'flip', options: { flip: 'horizontal' } },
  { name: 'geometric', options: { shift: 0.1, rotate: 10, zoom: 0.1, shear: 10, elastic: { strength: 1 } } },
]
// end

const draws = 7

/** The first images of the set, changed in epochs 0, 1, ...: a row of the gallery. */
function drawn(set: MnistDataset, row: number, way: Way, seed: number): readonly Uint8Array[] {
  const augment = augmenter({ ...way.options, seed })
  const { images } = set.gather([row])
  return Array.from({ length: draws }, (_, epoch) => augment(images, [row], epoch).data)
}

/** Whether an image comes out the same in a batch of its own and among others, and differs in the next epoch. */
function deterministic(set: MnistDataset, way: Way, seed: number): { same: boolean; moves: boolean } {
  // show: same
  const rows = [5, 3, 8]
  const augment = augmenter({ ...way.options, seed })
  const among = augment(set.gather(rows).images, rows, 4).data.subarray(784, 1568) // row 3 in epoch 4
  const alone = augmenter({ ...way.options, seed })(set.gather([3]).images, [3], 4).data
  // end
  const next = [5, 6, 7, 8].map((epoch) => augment(set.gather([3]).images, [3], epoch).data)
  const equal = (a: Uint8Array, b: Uint8Array): boolean => a.every((v, i) => v === b[i])
  return { same: equal(among, alone), moves: next.some((n) => !equal(n, alone)) }
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const rows = quick ? 200 : 500
  const epochs = quick ? 2 : 60
  const seeds = Array.from({ length: quick ? 1 : 3 }, (_, i) => seed + i)
  const trained = data.train.take(rows)
  const test = data.test.take(quick ? 200 : 10_000)
  const errors: { readonly way: Way; readonly values: number[] }[] = []
  const all: readonly Way[] = [{ name: 'none', options: {} }, ...ways]
  for (const way of all) {
    const values: number[] = []
    for (const s of seeds) {
      const model = network('cnn', s)
      // show: training
      const [last] = await train(
        {
          model,
          scores: (images) => model(images),
          transform: adam(0.002),
          train: trained,
          augment: augmenter({ ...way.options, seed: s }), // other images in every epoch
          test,
          epochs,
          size: 50,
          onlyLast: true,
        },
        { ...context, seed: s },
      )
      // end
      values.push(last?.testErrors ?? Number.NaN)
    }
    errors.push({ way, values })
    context.note(`${way.name}: ${values.map(percent).join(', ')} test errors`)
  }
  const of = (name: string): number => median(errors.find((e) => e.way.name === name)?.values ?? [])
  const none = of('none')
  const best = errors.reduce((a, b) => (median(b.values) < median(a.values) ? b : a))
  const sure = (name: string): boolean =>
    Math.max(...(errors.find((e) => e.way.name === name)?.values ?? [])) < Math.min(...(errors[0]?.values ?? []))
  const checks = ways.map((way) => deterministic(trained, way, seed))
  const places = quick ? [0, 1] : [0, 1, 2]
  const shownAs = (row: number): Markup[] =>
    ways.flatMap((way) =>
      drawn(trained, row, way, seed).map((pixels, i) =>
        inkTile(i === 0 ? way.name : '', pixels, `${way.name}, epoch ${i}`),
      ),
    )
  // One image in every way stands first; the same image in many draws comes below.
  const overview = places.flatMap((row) => [
    inkTile('as it is', trained.gather([row]).images.data, `Training image ${row}`),
    ...ways.map((way) =>
      inkTile(way.name, drawn(trained, row, way, seed)[5] as Uint8Array, `${way.name}, image ${row}`),
    ),
  ])
  return {
    found: `On ${rows} training images the network makes ${percent(none)} test errors; with new images by ${best.way.name === 'geometric' ? 'all geometric changes together' : best.way.name} in every epoch ${percent(median(best.values))}. Mirrored digits are other signs: ${percent(of('flip'))}.`,
    picture: html`<div class="tens">${tiles(overview, true)}</div>`,
    caption: `The first training images, changed in each way with seed ${seed}. “geometric” shifts, turns, zooms, shears and bends at once.`,
    claims: [
      {
        said: 'Augmentation makes new examples of those there are, and reduces overfitting.',
        row: 'R8',
        measured: `${percent(none)} errors without, ${percent(of('geometric'))} with all geometric changes; medians of ${seeds.length} seeds`,
        agrees: sure('geometric'),
      },
      {
        said: 'What is changed must stay what it is.',
        row: 'R8',
        measured: `mirrored digits: ${percent(of('flip'))} errors, shifted ones ${percent(of('shift'))}`,
        agrees: of('flip') > of('shift'),
        remark: 'A flip suits pictures of animals, not of digits.',
      },
      {
        said: 'The change of an image depends on seed, epoch and row alone.',
        row: 'R8',
        measured: `${checks.filter((c) => c.same).length} of ${ways.length} ways give the same bytes alone and in a batch; ${checks.filter((c) => c.moves).length} give others in later epochs`,
        agrees: checks.every((c) => c.same && c.moves),
        remark: 'Not of the lectures, but what makes a run repeatable.',
      },
    ],
    numbers: {
      medians: errors.map((e) => median(e.values)),
      none,
      geometric: of('geometric'),
      flip: of('flip'),
      same: checks.filter((c) => c.same).length,
    },
    sections: [
      {
        title: 'Errors',
        lede: `The lectures’ CNN on ${rows} images, Adam, ${epochs} epochs, ${seeds.length} seeds each; strengths were set beforehand, nothing was chosen on the test images.`,
        body: html`<figure class="card">${ranges(
          'Test errors of every seed for each way',
          'test errors, %',
          errors.map((e, i) => ({ name: e.way.name, tone: toneOf(i), values: e.values.map((v) => 100 * v) })),
        )}</figure>${plainTable(
          'Median errors of each way',
          ['way', 'median', 'least', 'most', 'options'],
          errors.map((e) => [
            e.way.name,
            percent(median(e.values)),
            percent(Math.min(...e.values)),
            percent(Math.max(...e.values)),
            JSON.stringify(e.way.options).replaceAll('"', '').replaceAll(/[:,]/g, '$& '),
          ]),
        )}`,
      },
      {
        title: 'One image in seven epochs',
        lede: 'Each way draws anew in every epoch: a row is one way.',
        body: html`<div class="draws">${tiles(shownAs(places.at(-1) as number), true)}</div>`,
      },
      {
        title: 'Formula',
        lede: 'One pass of bilinear sampling does all geometry; noise and boxes come after it.',
        body: formulas(
          [
            String.raw`x'(u) = x\left(A^{-1}(u - m - t) + m + d(u)\right)`,
            'A turns, shears, zooms and mirrors about the middle m; t shifts; d bends',
          ],
          [
            String.raw`A = R(\varphi) \begin{pmatrix} 1 & \tan\sigma \\ 0 & 1 \end{pmatrix} \begin{pmatrix} \pm z & 0 \\ 0 & \pm z \end{pmatrix}`,
            'angles, shear and zoom drawn evenly from their ranges',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'The ways, a training, and the check that an image comes out the same.',
        body: html`${snippet(import.meta.url, 'ways')}${snippet(import.meta.url, 'training')}${snippet(import.meta.url, 'same')}`,
      },
    ],
  }
}

/** R8: what each augmentation does to images, and to errors on few of them. */
export const augmentation: Topic = {
  name: 'augmentation',
  title: 'Augmentation: more images from few',
  about: 'Every transformation of images in a gallery, and the errors on a small training set with each.',
  rows: ['R8'],
  run,
}
