import { linear, variationalDropout } from '@tessella/layers'
import { compile, fromData, type Tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point, panel, panels } from '../pages/lineChart.ts'
import { heatTiles, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { type Kind, kinds, type Plan, type VariationalRun, variationalRun } from './variationalRuns.ts'

const layerNames = ['784 → 120', '120 → 84', '84 → 10'] as const
const threshold = 3

/** The mean and the variance of what a layer with noise gives, drawn and by the formula, relative to the latter. */
async function drawnAgainstFormula(seed: number, draws: number): Promise<{ mean: number; variance: number }> {
  const [width, alpha] = [64, 0.25]
  // show: noise
  const layer = linear(width, 1)
  const noisy = variationalDropout(layer, { per: 'layer', alpha, seed })
  const row = Float32Array.from({ length: width }, (_, i) => Math.sin(i + seed))
  const rows = fromData(row, [1, width], 'float32').expand([draws, width])
  const y = compile((x: Tensor<[number, 64], 'float32'>) => noisy(x, 'train'))(rows as Tensor<[number, 64], 'float32'>)
  // end
  const values = (await y.data()) as Float32Array
  const w = (await layer.weight.value.data()) as Float32Array
  const mean = values.reduce((a, b) => a + b, 0) / draws
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / draws
  const told = row.reduce((sum, x, i) => sum + alpha * ((w[i] as number) * x) ** 2, 0)
  const certain = Number(
    await noisy(fromData(row, [1, width], 'float32'), 'eval')
      .sum()
      .item(),
  )
  return { mean: (mean - certain) / Math.sqrt(told / draws), variance: variance / told }
}

const curves = (run: VariationalRun, of: (l: VariationalRun['learned'][number]) => readonly number[], scale = 1) =>
  layerNames.map((name, layer) => ({
    name,
    tone: toneOf(layer),
    points: run.learned.map((l, i): Point => [i + 1, scale * (of(l)[layer] as number)]),
  }))

/** How often log alpha lies where, as shares of the weights. */
function histogram(values: Float32Array): readonly Point[] {
  const [low, high, bins] = [-10, 10, 50]
  const counts = new Float64Array(bins)
  for (const v of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(((v - low) / (high - low)) * bins)))
    counts[bin] = (counts[bin] as number) + 1
  }
  return Array.from(counts, (c, i): Point => [low + ((i + 0.5) * (high - low)) / bins, (100 * c) / values.length])
}

/** Per pixel the share of its weights in the first layer that is left. */
function keptPerPixel(logAlpha: Float32Array): Float64Array {
  const kept = new Float64Array(784)
  for (const [i, a] of logAlpha.entries()) if (a <= threshold) kept[i % 784] = (kept[i % 784] as number) + 1 / 120
  return kept
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const count = quick ? 300 : 6000
  const seeds = Array.from({ length: quick ? 1 : 3 }, (_, i) => seed + 10 * i)
  const epochs = quick ? 3 : 40
  const plan: Plan = {
    train: data.train.take(count),
    test: data.test.take(quick ? 200 : 10_000),
    epochs,
    warmUp: quick ? 2 : 15,
    keep: quick ? [1, 3] : [1, 5, 10, 20, 40],
  }
  const runs: VariationalRun[] = []
  for (const kind of ['none', ...kinds] as const)
    for (const s of seeds) {
      runs.push(await variationalRun(kind, plan, s, context))
      context.note(`${kind}, seed ${s}: ${percent(runs.at(-1)?.epochs.at(-1)?.testErrors ?? Number.NaN)} errors`)
    }
  const of = (kind: Kind | 'none'): readonly VariationalRun[] => runs.filter((r) => r.kind === kind)
  const errorsOf = (kind: Kind | 'none'): readonly number[] =>
    of(kind).map((r) => r.epochs.at(-1)?.testErrors ?? Number.NaN)
  const shown = (kind: Kind): VariationalRun => of(kind)[0] as VariationalRun
  const lefts = of('weight').map((r) => r.left)
  const fewer = 1 / median(lefts)
  const kept = median(errorsOf('weight'))
  const unpruned = median(of('weight').map((r) => r.unpruned))
  const ratesOf = (kind: Kind): readonly number[] => shown(kind).learned.at(-1)?.rates ?? []
  const noise = await drawnAgainstFormula(seed, quick ? 4000 : 100_000)
  const title: Readonly<Record<Kind, string>> = {
    layer: 'one alpha for each layer',
    unit: 'one for each input of a layer',
    weight: 'one for each weight',
  }
  const firstUnit = shown('unit').histories.at(-1)?.logAlpha ?? new Float32Array()
  const firstWeight = shown('weight').histories.at(-1)?.logAlpha ?? new Float32Array()
  const ink = new Float64Array(784)
  for (const [i, v] of plan.train.columns.images.data.entries())
    ink[i % 784] = (ink[i % 784] as number) + v / 255 / plan.train.length
  const byInk = Array.from({ length: 784 }, (_, i) => i).sort((a, b) => (ink[a] as number) - (ink[b] as number))
  const ratesAt = (pixels: readonly number[]): number => median(pixels.map((i) => sigmoid(firstUnit[i] as number)))
  const [blank, inked] = [ratesAt(byInk.slice(0, 100)), ratesAt(byInk.slice(-100))]
  const rates = Array.from(firstUnit, sigmoid).sort((a, b) => a - b)
  const names: Readonly<Record<Kind | 'none', string>> = { none: 'no noise', ...title }
  return {
    found: `With an alpha for each weight, ${percent(1 - median(lefts))} of the weights turn out to be noise and can go: ${formatNumber(fewer, 3)} times fewer, at ${percent(kept)} test errors against ${percent(median(errorsOf('none')))} of the network without noise.`,
    picture: panels(
      kinds.map((kind) =>
        panel(title[kind], {
          label: `Mean dropout rate of every layer by epoch, ${title[kind]}`,
          x: { name: 'epoch' },
          y: { name: 'mean rate', domain: [0, 1] },
          series: curves(shown(kind), (l) => l.rates).map((s) => ({ ...s, name: '' })),
        }),
      ),
    ),
    caption: html`The dropout rate α / (1 + α) that each layer has learned, by epoch: ${layerNames.map(
      (name, i) => html`${i > 0 && ', '}<b class="${toneOf(i)} named">${name}</b>`,
    )}. All start at 0.09. The lectures’ MLP on ${count} images of MNIST, Adam, batches of 100, seed ${seed}; the divergence gets its full weight over the first ${plan.warmUp} epochs.`,
    claims: [
      {
        said: 'Let us learn what the noise should be.',
        row: 'R7',
        measured: `rates by layer after ${epochs} epochs, from 0.09: ${ratesOf('layer')
          .map((r) => formatNumber(r, 2))
          .join(', ')}`,
        agrees: ratesOf('layer').some((r) => Math.abs(r - 1 / 11) > 0.02),
        remark: 'The layer next to the answers is left with the least noise.',
      },
      {
        said: 'Noise on the input, y = (x · ξ) θ with ξ from N(1, α), is noise on the weights, w = ξ θ.',
        row: 'R7',
        measured: `output drawn once per unit: mean off by ${formatNumber(Math.abs(noise.mean), 2)} of its standard error, variance ${formatNumber(noise.variance, 4)} times α Σ x²w²`,
        agrees: Math.abs(noise.mean) < 4 && Math.abs(noise.variance - 1) < 0.1,
        remark: 'The library draws the sum’s noise instead of each weight’s: the local reparameterisation.',
      },
      {
        said: 'Kept weights suffice: what the noise has drowned can be removed.',
        row: 'R7',
        measured: `${percent(kept)} errors without the removed weights, ${percent(unpruned)} with them`,
        agrees: Math.abs(kept - unpruned) < 0.003,
        remark:
          'After Molchanov et al. (2017); the slide stops at learning the noise. What costs errors is the divergence beside so few images, not the removal.',
      },
      {
        said: 'An input that says nothing gets more noise than one that does.',
        row: 'R7',
        measured: `median rate of the hundred pixels with the least ink ${formatNumber(blank, 3)}, of those with the most ${formatNumber(inked, 3)}`,
        agrees: blank > inked,
      },
    ],
    numbers: {
      left: lefts,
      errorsNone: errorsOf('none'),
      errorsLayer: errorsOf('layer'),
      errorsUnit: errorsOf('unit'),
      errorsWeight: errorsOf('weight'),
      unpruned,
      variance: noise.variance,
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'The criterion is the data’s loss plus the divergence of the noisy weights from a prior that knows no scale.',
        body: formulas(
          [
            String.raw`y_i = (x_i \cdot \xi_i)\, \theta_i, \quad \xi_i \sim N(1, \alpha)`,
            'the slide: noise on the input',
          ],
          [String.raw`w_i = \xi_i\, \theta_i, \quad y_i = x_i w_i`, 'the same as noise on the weights'],
          [
            String.raw`y = \sum_j \theta_j x_j + \sqrt{\textstyle\sum_j \alpha_j \theta_j^2 x_j^2}\;\varepsilon, \quad \varepsilon \sim N(0, 1)`,
            'local reparameterisation: one draw for each output',
          ],
          [
            String.raw`D_{KL} \approx k_1 - k_1\, \sigma(k_2 + k_3 \log\alpha) + \tfrac{1}{2} \log(1 + \alpha^{-1})`,
            'per weight; k₁ = 0.63576, k₂ = 1.8732, k₃ = 1.48695',
          ],
          [String.raw`\text{rate} = \frac{\alpha}{1 + \alpha}`, 'the p of a dropout with the same variance'],
        ),
      },
      {
        title: 'What is left',
        lede: `An alpha for each weight. Weights with log α above ${threshold} are noise more than 19 times of 20; evaluation leaves them out.`,
        body: html`<figure class="card">${lineChart({
          label: 'Share of removed weights by epoch for every layer',
          x: { name: 'epoch' },
          y: { name: 'removed, %', domain: [0, 100] },
          series: curves(shown('weight'), (l) => l.sparsity, 100),
        })}</figure>`,
      },
      {
        title: 'Which inputs',
        lede: 'Learned for the first layer, seen as an image.',
        body: tiles([
          heatTiles('mean ink of a pixel', ink),
          heatTiles(
            `rate of each input, from ${formatNumber(rates.at(0) as number, 2)} (clear) to ${formatNumber(rates.at(-1) as number, 2)}`,
            Float64Array.from(firstUnit, (a) => sigmoid(a) - (rates.at(0) as number)),
          ),
          heatTiles('weights left of each input', keptPerPixel(firstWeight)),
        ]),
      },
      {
        title: 'Log alpha and the divergence',
        lede: 'The first layer’s weights sort themselves: what matters stays left of the mark, the rest goes far to the right.',
        body: html`${panels([
          panel('log α of the first layer’s weights', {
            label: 'Histogram of log alpha after some epochs',
            x: { name: 'log α', domain: [-10, 10] },
            y: { name: 'weights, %' },
            marks: [{ at: threshold, text: 'removed →' }],
            series: shown('weight').histories.map((h, i) => ({
              name: '',
              tone: toneOf(i),
              points: histogram(h.logAlpha),
            })),
          }),
          panel('divergence per weight', {
            label: 'Divergence per weight by epoch',
            x: { name: 'epoch' },
            y: { name: 'nats' },
            series: kinds.map((kind, i) => ({
              name: '',
              tone: toneOf(i + 5),
              points: shown(kind).learned.map((l, e): Point => [e + 1, l.kl]),
            })),
          }),
        ])}${html`<p class="caption">Left: after epochs ${shown('weight').histories.map(
          (h, i): Markup => html`${i > 0 && ', '}<b class="${toneOf(i)} named">${h.epoch}</b>`,
        )}. Right: ${kinds.map((kind, i): Markup => html`${i > 0 && ', '}<b class="${toneOf(i + 5)} named">${title[kind]}</b>`)}.</p>`}`,
      },
      {
        title: 'Errors',
        lede: `On ${plan.test.length} test images after ${epochs} epochs; ${seeds.length} seeds each, nothing was chosen on them.`,
        body: html`<figure class="card">${ranges(
          'Test errors of every seed',
          'test errors, %',
          (['none', ...kinds] as const).map((kind, i) => ({
            name: names[kind],
            tone: toneOf(i),
            values: errorsOf(kind).map((e) => 100 * e),
          })),
        )}</figure>${plainTable(
          'Median errors and weights',
          ['noise', 'test errors', 'with all weights', 'weights left', 'mean rates by layer'],
          (['none', ...kinds] as const).map((kind) => [
            names[kind],
            percent(median(errorsOf(kind))),
            percent(median(of(kind).map((r) => r.unpruned))),
            percent(median(of(kind).map((r) => r.left))),
            kind === 'none'
              ? ''
              : ratesOf(kind)
                  .map((r) => formatNumber(r, 3))
                  .join(', '),
          ]),
        )}`,
      },
      {
        title: 'Code',
        lede: 'The network and its penalty; the check of the noise.',
        body: html`${snippet(new URL('./variationalRuns.ts', import.meta.url).href, 'variational')}${snippet(import.meta.url, 'noise')}`,
      },
    ],
  }
}

/** R7: the rates that variational dropout learns, and the weights it finds to be noise. */
export const variational: Topic = {
  name: 'variational',
  title: 'Variational dropout learns its rates',
  about: 'Noise learned per layer, input or weight; its divergence, and how many weights turn out to be noise.',
  rows: ['R7'],
  run,
}
