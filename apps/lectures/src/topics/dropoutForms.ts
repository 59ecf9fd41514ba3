import { channelDropout, classicDropout, dropout } from '@tessella/layers'
import { compile, fromData, type Tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { inkTile, tiles } from '../pages/pixels.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const width = 64
type Row = Tensor<[number, number], 'float32'>

/** Six copies of a digit as feature maps, under masks of single values and of whole maps. */
async function maps(context: Context) {
  const { images } = (await context.mnist()).train.gather([0])
  const copies = Float32Array.from({ length: 6 * 784 }, (_, i) => (images.data[i % 784] as number) / 255)
  const x = fromData(copies, [1, 6, 28, 28], 'float32')
  // show: channels
  const single = dropout(0.5, { seed: context.seed })(x, 'train')
  const whole = channelDropout(0.5, { seed: context.seed })(x, 'train')
  // end
  const drawn = async (t: Tensor) => {
    const values = (await t.data()) as Float32Array
    return Array.from({ length: 6 }, (_, c) => Array.from(values.subarray(784 * c, 784 * c + 784)))
  }
  const [byValue, byMap] = [await drawn(single), await drawn(whole)]
  const gone = (list: readonly (readonly number[])[]): number => list.filter((m) => m.every((v) => v === 0)).length
  // A map that is left is the digit times 1 / (1 - p).
  const kept = byMap.filter((m) => m.some((v) => v !== 0))
  const exact = kept.every((m) => m.every((v, i) => Math.abs(v - 2 * (copies[i] as number)) < 1e-6))
  const row = (list: readonly (readonly number[])[], what: string) =>
    tiles(
      list.map((m, c) =>
        inkTile(
          '',
          Uint8Array.from(m, (v) => Math.min(255, Math.round(127.5 * v))),
          `${what}, map ${c}`,
        ),
      ),
      true,
    )
  return {
    byValue: row(byValue, 'values dropped'),
    byMap: row(byMap, 'maps dropped'),
    gone: gone(byMap),
    exact,
    kept: kept.length,
  }
}

async function run(context: Context): Promise<Page> {
  const draws = context.quick ? 200 : 4000
  const p = 0.3
  const x = Float32Array.from({ length: width }, (_, i) => 0.25 + (2 * i) / width)
  // show: forms
  const classic = classicDropout(p, { seed: context.seed })
  const inverted = dropout(p, { seed: context.seed + 1 })
  const input: Row = fromData(x, [1, width], 'float32')
  const draw = compile((row: Row) => ({ classic: classic(row, 'train'), inverted: inverted(row, 'train') }))
  const used = { classic: classic(input, 'eval'), inverted: inverted(input, 'eval') }
  // end
  const sums = { classic: new Float64Array(width), inverted: new Float64Array(width) }
  const atUse = {
    classic: (await used.classic.data()) as Float32Array,
    inverted: (await used.inverted.data()) as Float32Array,
  }
  const curve: Record<keyof typeof sums, Point[]> = { classic: [], inverted: [] }
  /** Root mean square distance of the mean so far from what inference gives, relative to it. */
  const off = (kind: keyof typeof sums, n: number): number => {
    let sum = 0
    for (let i = 0; i < width; i++) sum += ((sums[kind][i] as number) / n / (atUse[kind][i] as number) - 1) ** 2
    return Math.sqrt(sum / width)
  }
  for (let n = 1; n <= draws; n++) {
    const found = draw(input)
    for (const kind of ['classic', 'inverted'] as const) {
      const values = (await found[kind].data()) as Float32Array
      const sum = sums[kind]
      for (let i = 0; i < width; i++) sum[i] = (sum[i] as number) + (values[i] as number)
      if (n === draws || Number.isInteger(6 * Math.log2(n)) || (n & (n - 1)) === 0) curve[kind].push([n, off(kind, n)])
    }
    if (n % 100 === 0) await pause(context)
  }
  const spatial = await maps(context)
  const ends = { classic: off('classic', draws), inverted: off('inverted', draws) }
  // The relative deviation of one mask is sqrt(p / (1 - p)); that of a mean of n is sqrt(n) times less.
  const expected = Math.sqrt(p / (1 - p) / draws)
  const factor = Array.from(atUse.classic, (v, i) => v / (atUse.inverted[i] as number))
  const agreeing = factor.every((f) => Math.abs(f - (1 - p)) < 1e-6)
  return {
    found: `The mean of ${draws} masks is within ${formatNumber(100 * ends.classic, 2)} % (classic) and ${formatNumber(100 * ends.inverted, 2)} % (inverted) of what inference gives; chance alone makes ${formatNumber(100 * expected, 2)} %.`,
    picture: lineChart({
      label: 'Distance of the mean over masks from inference, by number of masks',
      x: { name: 'masks', log: true },
      y: { name: 'relative distance', log: true },
      series: [
        { name: 'classic', tone: 't0', dots: true, points: curve.classic },
        { name: 'inverted', tone: 't1', dots: true, points: curve.inverted },
        {
          name: 'chance',
          tone: 't7',
          dashed: true,
          points: curve.classic.map(([n]) => [n, Math.sqrt(p / (1 - p) / n)]),
        },
      ],
    }),
    caption: `How far the mean over masks is from the value at inference, for ${width} units and p = ${p}. Dashed: the deviation that a mean of n masks has by chance.`,
    claims: [
      {
        said: 'Classic dropout: masks in training, weights times the probability of keeping in inference.',
        row: 'R4',
        measured: `mean of ${draws} masks off by ${formatNumber(100 * ends.classic, 2)} %, chance ${formatNumber(100 * expected, 2)} %`,
        agrees: ends.classic < 1.5 * expected,
      },
      {
        said: 'Inverted dropout: divided by 1 − p in training, nothing to do in inference.',
        row: 'R5',
        measured: `mean of ${draws} masks off by ${formatNumber(100 * ends.inverted, 2)} %`,
        agrees: ends.inverted < 1.5 * expected,
      },
      {
        said: 'The two agree up to the factor 1 − p.',
        row: 'R5',
        measured: `inference differs by the factor ${formatNumber(factor[0] ?? Number.NaN, 6)} in every unit`,
        agrees: agreeing,
      },
      {
        said: '“Vertices are switched off with probability p … multiply the weights by p.”',
        row: 'R4',
        measured: `with p = ${p} switched off, means match a factor of ${formatNumber(1 - p, 2)}, not ${p}`,
        agrees: false,
        remark:
          'A misprint on one slide: the factor is the probability of keeping, 1 − p. Where p is the probability of keeping, as in another lecture, it is p.',
      },
      {
        said: 'Spatial dropout leaves out whole feature maps.',
        row: 'R5',
        measured: `${spatial.gone} of 6 maps are 0 throughout, the other ${spatial.kept} are the map times 1 / (1 − p)`,
        agrees: spatial.exact && spatial.gone + spatial.kept === 6,
        remark:
          'Not of the lectures (Tompson et al., 2015). Neighbours in a map say nearly the same, so dropping values leaves most of it.',
      },
    ],
    numbers: { classic: ends.classic, inverted: ends.inverted, chance: expected },
    sections: [
      {
        title: 'Formulas',
        lede: 'ξ is 0 with probability p and else 1.',
        body: formulas(
          [
            String.raw`x = \xi\, \sigma(\dots) \text{ in training}, \qquad x = (1 - p)\, \sigma(\dots) \text{ in inference}`,
            'classic',
          ],
          [
            String.raw`x = \frac{1}{1 - p}\, \xi\, \sigma(\dots) \text{ in training}, \qquad x = \sigma(\dots) \text{ in inference}`,
            'inverted, what is used in practice',
          ],
        ),
      },
      {
        title: 'Values and maps',
        lede: 'Six equal feature maps in training with p = 0.5: dropout above, spatial dropout below.',
        body: html`${spatial.byValue}${spatial.byMap}`,
      },
      {
        title: 'Code',
        lede: 'Both layers; every call in training draws a new mask, in compiled functions too.',
        body: html`${snippet(import.meta.url, 'forms')}${snippet(import.meta.url, 'channels')}`,
      },
    ],
  }
}

/** R4 and R5: classic and inverted dropout agree in expectation. */
export const dropoutForms: Topic = {
  name: 'dropout',
  title: 'Two forms of dropout',
  about: 'Classic and inverted dropout agree in expectation, measured over thousands of masks.',
  rows: ['R4', 'R5'],
  run,
}
