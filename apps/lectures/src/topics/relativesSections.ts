import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { heatTable } from '../pages/heatTable.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, plane } from '../pages/plane.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import type { Section } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { count, percent } from '../report/numbers.ts'
import { curvatures, type Variances, varianceOfSgd, varianceOfSlow } from './lookaheadNoise.ts'
import { short, steps } from './relativesClaims.ts'
import { factors, type OnDigits, type Stepped, stairRates } from './relativesDigits.ts'
import { type Flatnesses, radii } from './sharpness.ts'
import { arrived, floor, type Valley } from './valleyWays.ts'

const sourceOf = (name: string): string => new URL(`./${name}.ts`, import.meta.url).href

/** A long walk in few points: all of the first ones, then fewer and fewer. */
const thinned = <T>(list: readonly T[]): readonly (readonly [i: number, value: T])[] =>
  list.flatMap((value, i) =>
    i < 100 || i % Math.ceil(i / 100) === 0 || i === list.length - 1 ? [[i, value] as const] : [],
  )

/** The picture of the valley with all walks. */
export function drawn({ walks }: Valley): Markup {
  const [size, x, y] = [260, [-1.7, 1.5] as const, [-0.7, 2.5] as const]
  const at = gridPoints(size, x, y)
  const height = (i: number): number => {
    const [a, b] = [at[2 * i] as number, at[2 * i + 1] as number]
    return (a - 1) ** 2 + 100 * (b - a * a) ** 2
  }
  const values = Float64Array.from({ length: size * size }, (_, i) => height(i))
  const paths = walks.map(([name, tone, { path }], i) => ({
    name,
    tone,
    dots: i > 0,
    points: thinned(path).map(([, p]) => p),
  }))
  return html`<div class="planes one">${plane({
    label: 'Paths of gradient descent and L-BFGS through Rosenbrock’s valley',
    x,
    y,
    xName: 'x',
    yName: 'y',
    picture: bandPicture({ size, values }, (v) => 1.5 * Math.log2(1 + 2 * v), 18),
    paths,
    crosses: [[1, 1]],
  })}</div>${legend(walks.map(([name, tone]) => ({ name, tone })))}`
}

const errorRanges = (
  label: string,
  rows: readonly (readonly [name: string, tone: string, errors: readonly number[]])[],
): Markup =>
  html`<figure class="card">${ranges(
    label,
    'test errors, %',
    rows.map(([name, tone, errors]) => ({ name, tone, values: errors.map((e) => 100 * e) })),
  )}</figure>`

function valleySection(valley: Valley): Section {
  return {
    title: 'Down the valley',
    lede: `Height by evaluation of the gradient from (−1.2, 1), both on logarithmic axes, and how many evaluations each start needed to ${floor}. The rate of gradient descent is the best of 0.0005, 0.001, 0.002 and 0.004.`,
    body: html`<figure class="card">${lineChart({
      label: 'Height by evaluation',
      x: { name: 'evaluations', log: true },
      y: { name: 'height', log: true, domain: [1e-9, 100] },
      series: valley.walks.map(([name, tone, { heights }]) => ({
        name,
        tone,
        points: thinned(heights).map(([i, h]): Point => [i + 1, h]),
      })),
    })}</figure>${plainTable(
      'Evaluations to the floor',
      ['way', 'from (−1.2, 1)', 'median of all starts', 'least', 'most', 'arrived'],
      valley.all.map(([name, , n], i) => [
        name,
        steps(arrived((valley.walks[i] as Valley['walks'][number])[2])),
        steps(median(n)),
        steps(Math.min(...n)),
        steps(Math.max(...n)),
        `${n.filter(Number.isFinite).length} of ${n.length}`,
      ]),
    )}`,
  }
}

function digitsSection(digits: readonly OnDigits[], images: number): Section {
  return {
    title: 'Lion and Lookahead on MNIST',
    lede: `The lectures’ MLP on ${count(images)} images, batches of 100. Rates were chosen by the median errors on validation images; then other seeds went to the test images.`,
    body: html`${errorRanges(
      'Test errors of every seed for Adam, Lion and Lookahead',
      digits.map((d) => [d.name, d.tone, d.test]),
    )}${plainTable(
      'Validation errors of the rates tried',
      ['optimizer', 'chosen', ...[1, 2, 3, 4].map((i) => `rate ${i}`)],
      digits.map((d) => [
        d.name,
        String(d.setting),
        ...d.rates.map((rate, i) => `${rate}: ${percent(d.validation[i] ?? Number.NaN)}`),
      ]),
    )}`,
  }
}

function stairsSection({ grown, alike, gradients }: Stepped): Section {
  return {
    title: 'A rate for each layer',
    lede: `Four hidden layers of 64 sigmoids. At the start the gradients of the layers’ weights, from the first to the last, are ${gradients.map(short).join(', ')} in the root of their mean square.`,
    body: html`${errorRanges('Test errors with one rate and with rates by layer', [
      ['one rate', 't7', alike.test],
      ['rates by layer', 't0', grown.test],
    ])}<div class="card">${heatTable({
      label: 'Median validation errors',
      rowName: 'last layer’s rate',
      rows: stairRates.map(String),
      columns: factors.map((f) => `times ${f} a layer`),
      values: stairRates.map((_, r) => factors.map((_, f) => grown.validation[r * factors.length + f] ?? Number.NaN)),
      format: percent,
    })}</div>`,
  }
}

function noiseSection({ sgd, slow }: Variances): Section {
  const told = (f: (q: number) => number): readonly Point[] =>
    Array.from({ length: 76 }, (_, i): Point => [0.1 + i * 0.02, f(1 - (0.1 + i * 0.02))])
  const dots = (values: readonly number[]): readonly Point[] => values.map((v, i) => [curvatures[i] as number, v])
  return {
    title: 'Why look ahead',
    lede: 'A weight in a bowl whose lowest place is drawn anew every step. Lines are the formulas, dots were measured over many weights.',
    body: html`<figure class="card">${lineChart({
      label: 'Variance of the weight by rate times curvature',
      x: { name: 'rate times curvature' },
      y: { name: 'variance', log: true },
      series: [
        { name: 'SGD', tone: 't7', points: told(varianceOfSgd) },
        { name: '', tone: 't7', scatter: true, points: dots(sgd) },
        { name: 'Lookahead', tone: 't1', points: told(varianceOfSlow) },
        { name: '', tone: 't1', scatter: true, points: dots(slow) },
      ],
    })}</figure>`,
  }
}

function flatSection({ ways, chosen, tried, images, epochs }: Flatnesses): Section {
  const [plain, wary] = chosen
  return {
    title: 'Flat and sharp minima',
    lede: `The lectures’ MLP on ${count(images)} images, ${epochs} epochs: the loss on them up the gradient, medians. SAM has a rate of ${wary.rate} and a radius of ${wary.rho}; the rate that suits SGD, with which it goes on twice as long, is ${plain.rate}.`,
    body: html`<figure class="card">${lineChart({
      label: 'Rise of the training loss by distance',
      x: { name: 'distance' },
      y: { name: 'rise of the loss' },
      series: ways.map((w) => ({ name: w.name, tone: w.tone, points: w.rise })),
    })}</figure>${errorRanges(
      'Test errors with SGD and SAM',
      ways.map((w) => [w.name, w.tone, w.errors]),
    )}${plainTable(
      'Median validation errors of what was tried',
      ['rate', 'SGD', ...radii.map((r) => `SAM ${r}`)],
      [...new Set(tried.map(([way]) => way.rate))].map((rate) => [
        String(rate),
        ...[0, ...radii].map((rho) =>
          percent(tried.find(([way]) => way.rate === rate && way.rho === rho)?.[1] ?? Number.NaN),
        ),
      ]),
    )}`,
  }
}

const formulaSection: Section = {
  title: 'Formulas',
  lede: 'g is the gradient, η the rate.',
  body: formulas(
    [
      String.raw`s_t = w_{t+1} - w_t, \quad y_t = g_{t+1} - g_t, \quad w := w - \eta\, H g, \quad H y_t = s_t`,
      'L-BFGS: H from the last pairs, never written out (Nocedal, 1980)',
    ],
    [
      String.raw`Q(w + \eta d) \le Q(w) + c_1 \eta\, g^\top d, \qquad |g(w + \eta d)^\top d| \le c_2\, |g^\top d|`,
      'the strong Wolfe conditions: low enough, and flat enough',
    ],
    [
      String.raw`w := w - \eta\, \mathrm{sign}(\beta_1 m + (1 - \beta_1) g), \quad m := \beta_2 m + (1 - \beta_2) g`,
      'Lion (Chen et al., 2023)',
    ],
    [String.raw`s := s + \alpha (w - s), \quad w := s`, 'Lookahead: after every k steps (Zhang et al., 2019)'],
    [
      String.raw`V_{\mathrm{SGD}} = \frac{(1 - q)^2}{1 - q^2}, \qquad V_s = \frac{\alpha^2 (1 - q^{2k})}{1 - (1 - \alpha + \alpha q^k)^2}\, V_{\mathrm{SGD}}`,
      'variances in a bowl of curvature h, q = 1 − ηh',
    ],
    [
      String.raw`w := w - \eta\, g\!\left(w + \rho\, \frac{g(w)}{\lVert g(w) \rVert}\right)`,
      'SAM: the gradient from uphill (Foret et al., 2021)',
    ],
  ),
}

const codeSection = (): Section => ({
  title: 'Code',
  lede: 'L-BFGS asks for the gradient itself; rates by layer; gathered gradients; SAM takes two gradients a step.',
  body: html`${snippet(sourceOf('valleyWays'), 'lbfgs')}${snippet(sourceOf('relativesDigits'), 'digits')}${snippet(sourceOf('relativesDigits'), 'groups')}${snippet(sourceOf('relativesDigits'), 'accumulate')}${snippet(sourceOf('sharpness'), 'sam')}`,
})

/** All that the page is made of. */
export interface Parts {
  readonly valley: Valley
  readonly digits: readonly OnDigits[]
  readonly images: number
  readonly stairs: Stepped
  readonly noise: Variances
  readonly flat: Flatnesses
}

/** The page's parts, in order. */
export const sectionsOf = ({ valley, digits, images, stairs, noise, flat }: Parts): readonly Section[] => [
  formulaSection,
  valleySection(valley),
  digitsSection(digits, images),
  stairsSection(stairs),
  noiseSection(noise),
  flatSection(flat),
  codeSection(),
]
