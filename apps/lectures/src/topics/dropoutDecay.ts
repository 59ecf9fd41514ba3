import { dropout, flatten, heNormal, initialize, input, linear, relu, sequential, zeros } from '@tessella/layers'
import { optimizer, sgd } from '@tessella/optimizers'
import { l2 } from '@tessella/regularizers'
import { fromData, type Tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { heatTable } from '../pages/heatTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { apart, seedsFrom, smallSets, type Trial } from './chosen.ts'
import { train } from './course.ts'

/** The lectures' step by hand, and the library's from the same mask: the largest difference over all weights. */
export async function stepDifference(
  p: number,
  rate: number,
  lambda: number,
  seed: number,
): Promise<{ off: number; size: number }> {
  const [n, hidden] = [5, 6]
  const values = (count: number, from: number) =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * (i + from) + seed))
  const h = fromData(values(n * hidden, 1), [n, hidden], 'float32')
  const y = fromData(values(n, 50), [n, 1], 'float32')
  // show: step
  const layer = linear(hidden, 1, { bias: false })
  const drop = dropout(p, { seed })
  const model = { layer, drop }
  const before = await layer.weight.value.data()
  const generator = drop.generator.value
  const step = trainStep({
    model,
    optimizer: optimizer(sgd(rate), model),
    loss: ({ h, y }: { h: Tensor<[5, 6], 'float32'>; y: Tensor<[5, 1], 'float32'> }) =>
      layer(drop(h, 'train')).sub(y).square().sum().div(2).add(l2(layer, lambda)) as Tensor,
  })
  await step({ h, y } as { h: Tensor<[5, 6], 'float32'>; y: Tensor<[5, 1], 'float32'> }).item()
  const after = await layer.weight.value.data()
  // By hand, from the same mask: w (1 - eta lambda) - eta 1/(1-p) xi L'
  drop.generator.assign(generator)
  const masked = (await drop(h, 'train').data()) as Float32Array // xi h / (1 - p)
  // end
  const target = (await y.data()) as Float32Array
  const w = before as Float32Array
  const out = Array.from({ length: n }, (_, i) => w.reduce((s, v, j) => s + v * (masked[i * hidden + j] as number), 0))
  let [off, size] = [0, 0]
  for (const [j, v] of w.entries()) {
    const slope = out.reduce((s, o, i) => s + (o - (target[i] as number)) * (masked[i * hidden + j] as number), 0)
    const hand = v * (1 - rate * lambda) - rate * slope
    off = Math.max(off, Math.abs(hand - ((after as Float32Array)[j] as number)))
    size = Math.max(size, Math.abs(hand - v))
  }
  return { off, size }
}

const rates = [0, 0.2, 0.35, 0.5] as const
const decays = [0, 0.001, 0.003, 0.01] as const
type Setting = readonly [p: number, lambda: number]

function mlp(p: number, seed: number) {
  const model = sequential(
    input(1, 28, 28),
    flatten(),
    linear(784, 120),
    relu(),
    dropout(p, { seed }),
    linear(120, 84),
    relu(),
    dropout(p, { seed: seed + 1 }),
    linear(84, 10),
  )
  initialize(model, { weight: heNormal(), bias: zeros, seed })
  return model
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const sets = await smallSets(context, 1000)
  const epochs = quick ? 2 : 60
  const trial: Trial<Setting> = async ([p, lambda], s, on) => {
    const model = mlp(p, s)
    const [last] = await train(
      {
        model,
        scores: (images, mode) => model(images, mode),
        transform: sgd(0.02, { momentum: 0.9 }),
        ...(lambda > 0 ? { penalty: () => l2(model, lambda) as Tensor } : {}),
        train: sets.train,
        test: sets[on],
        epochs,
        size: 50,
        onlyLast: true,
      },
      { ...context, seed: s },
    )
    return last?.testErrors ?? Number.NaN
  }
  const difference = await stepDifference(0.5, 0.1, 0.3, seed)
  const choosing = seedsFrom(context, 2)
  const grid: number[][] = []
  for (const p of rates) {
    const row: number[] = []
    for (const lambda of decays) {
      const errors: number[] = []
      for (const s of choosing) errors.push(await trial([p, lambda], s, 'validation'))
      row.push(median(errors))
    }
    grid.push(row)
    context.note(`p = ${p}: ${row.map(percent).join(', ')} validation errors`)
  }
  /** The setting with the least validation errors among those allowed. */
  const least = (allowed: (setting: Setting) => boolean): Setting =>
    rates
      .flatMap((p, i) => decays.map((lambda, j) => ({ setting: [p, lambda] as const, error: grid[i]?.[j] as number })))
      .filter(({ setting }) => allowed(setting))
      .reduce((a, b) => (b.error < a.error ? b : a)).setting
  const chosen = [
    { name: 'neither', setting: [0, 0] as Setting },
    { name: 'L2', setting: least(([p, l]) => p === 0 && l > 0) },
    { name: 'dropout', setting: least(([p, l]) => p > 0 && l === 0) },
    { name: 'both', setting: least(([p, l]) => p > 0 && l > 0) },
  ]
  const found: { readonly name: string; readonly setting: Setting; readonly test: number[] }[] = []
  for (const c of chosen) {
    const test: number[] = []
    for (const s of seedsFrom({ ...context, seed: seed + 100 }, 5)) test.push(await trial(c.setting, s, 'test'))
    found.push({ ...c, test })
    context.note(`${c.name}: ${test.map(percent).join(', ')} test errors`)
  }
  const of = (name: string): readonly number[] => found.find((f) => f.name === name)?.test ?? []
  const written = ([p, l]: Setting): string => `p = ${p}, λ = ${l}`
  return {
    found: `One step with dropout and L2 is the slide’s, to within ${formatNumber(difference.off, 2)}. On ${sets.train.length} images both together give ${percent(median(of('both')))} test errors, dropout alone ${percent(median(of('dropout')))}, L2 alone ${percent(median(of('L2')))}, neither ${percent(median(of('neither')))}.`,
    picture: ranges(
      'Test errors of every seed, with dropout, L2, both and neither',
      'test errors, %',
      found.map((f, i) => ({ name: f.name, tone: toneOf(i), values: f.test.map((e) => 100 * e) })),
    ),
    caption: `Test errors of ${found[0]?.test.length ?? 0} seeds each; the bar and the number are the median. p and λ were chosen on ${sets.validation.length} further images with other seeds: ${found
      .slice(1)
      .map((f) => `${f.name} ${written(f.setting)}`)
      .join('; ')}. The lectures’ MLP, SGD with momentum, ${epochs} epochs.`,
    claims: [
      {
        said: 'The step with dropout and L2: w := w (1 − ηλ) − η 1/(1 − p) ξ L′(w).',
        row: 'R6',
        measured: `the library’s step differs from it by at most ${formatNumber(difference.off, 2)}, the step being ${formatNumber(difference.size, 2)}`,
        agrees: difference.off < 1e-5 * Math.max(1, difference.size) && difference.size > 0.01,
      },
      {
        said: 'L2 keeps parameters from growing in training, so the two are used together.',
        row: 'R6',
        measured: `both ${percent(median(of('both')))}, dropout alone ${percent(median(of('dropout')))}, neither ${percent(median(of('neither')))}`,
        agrees: apart(of('both'), of('neither')) && median(of('both')) < median(of('dropout')),
        remark: apart(of('both'), of('dropout'))
          ? 'All runs with both are below all with dropout alone.'
          : 'The ranges of both and of dropout alone overlap: the difference between these two may be chance.',
      },
    ],
    numbers: {
      stepDifference: difference.off,
      stepSize: difference.size,
      validation: grid.flat(),
      ...Object.fromEntries(found.map((f) => [f.name, f.test])),
    },
    sections: [
      {
        title: 'Validation errors',
        lede: `Percent of ${sets.validation.length} images, medians of ${choosing.length} seeds: what p and λ were chosen by.`,
        body: html`<figure class="card">${heatTable({
          label: 'Validation errors in percent by p (rows) and λ (columns)',
          rowName: 'p \\ λ',
          rows: rates.map(String),
          columns: decays.map(String),
          values: grid,
          format: (v) => (100 * v).toFixed(1),
        })}</figure>`,
      },
      {
        title: 'Formulas',
        lede: 'ξ is 0 with probability p and else 1; L′ is the slope by the weights as dropout lets it through.',
        body: formulas(
          [String.raw`\mathcal{L}_i(w) + \frac{\lambda}{2} \|w\|^2 \to \min_w`, 'the criterion'],
          [
            String.raw`w := w\,(1 - \eta\lambda) - \eta\, \frac{1}{1 - p}\, \xi\, \mathcal{L}_i'(w)`,
            'the step of the slide',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'One step of the library, and what the step by hand is made of.',
        body: snippet(import.meta.url, 'step'),
      },
    ],
  }
}

/** R6: dropout together with L2. */
export const dropoutDecay: Topic = {
  name: 'dropoutdecay',
  title: 'Dropout with L2',
  about: 'The slide’s step beside the library’s, and errors over both strengths, chosen on a validation set.',
  rows: ['R6'],
  run,
}
