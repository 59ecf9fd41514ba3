import { grad } from '@tessella/autograd'
import { avgPool2d, conv1d, conv2d, maxPool2d, type Tensor, tensor } from '@tessella/tensor'
import { cells, equation, shown } from '../pages/cells.ts'
import { formulas } from '../pages/formula.ts'
import { snippet } from '../pages/snippet.ts'
import type { Claim, Context, Page, Section, Topic } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { smoothing } from './smoothing.ts'

type Grid = readonly (readonly number[])[]

const line = [1, 3, -1, 2, 3, 1, -2]
const lineKernel = [1, 0, 2]
const X: Grid = [
  [1, 2, 2, 1],
  [3, 1, 4, 2],
  [2, 1, 3, 4],
  [1, 2, 3, 1],
]
const W: Grid = [
  [1, 0],
  [0, 1],
]
const Z: Grid = [
  [1, 2, 2, 1, 1],
  [3, 1, 4, 2, 1],
  [2, 1, 3, 4, 3],
  [1, 2, 3, 1, 1],
  [4, 1, 3, 2, 1],
]
const V: Grid = [
  [1, 0, 0],
  [0, 1, 1],
  [0, 1, 0],
]
const volume: readonly Grid[] = [
  [
    [1, -1, 3],
    [2, 1, 4],
    [3, 1, 2],
  ],
  [
    [2, 1, 3],
    [3, -1, 1],
    [1, 1, -2],
  ],
  [
    [1, -2, 4],
    [2, 1, -2],
    [1, 3, -1],
  ],
]
const volumeKernel: readonly Grid[] = [
  [
    [1, 1],
    [2, 0],
  ],
  [
    [1, 0],
    [0, 1],
  ],
  [
    [0, 1],
    [1, 0],
  ],
]

/** A grid as a batch of one image with one channel. */
const image = (grid: Grid): Tensor<[1, 1, number, number], 'float32'> =>
  tensor(grid.flat(), [1, 1, grid.length, grid[0]?.length ?? 0])
const channels = (grids: readonly Grid[]): Tensor<[1, number, number, number], 'float32'> =>
  tensor(grids.flat(2), [1, grids.length, grids[0]?.length ?? 0, grids[0]?.[0]?.length ?? 0])

async function gridOf(t: Tensor): Promise<Grid> {
  const [rows = 1, columns = 1] = t.shape.slice(-2)
  const data = Array.from((await t.data()) as Float32Array)
  return Array.from({ length: rows }, (_, r) => data.slice(r * columns, (r + 1) * columns))
}

interface Example {
  readonly row: string
  readonly title: string
  readonly lede: string
  /** The result on the lecture's slide, or by the definition where the slide has none. */
  readonly expected: Grid
  readonly byDefinition?: true
  readonly result: Grid
  readonly draw: (result: Markup) => Markup
}

const window = (rows: number, columns: number) => (r: number, c: number) => r < rows && c < columns
const first = (r: number, c: number): boolean => r === 0 && c === 0

/** The input as the window sees it, with its border of zeros. */
function padded(grid: Grid, pad: number): Grid {
  const width = (grid[0]?.length ?? 0) + 2 * pad
  const border = Array.from({ length: pad }, () => new Array<number>(width).fill(0))
  const sides = new Array<number>(pad).fill(0)
  return [...border, ...grid.map((row) => [...sides, ...row, ...sides]), ...border]
}

/** All worked examples of the lectures, computed. */
export async function examples(): Promise<readonly Example[]> {
  // show: examples
  const results = {
    line: conv1d(tensor(line, [1, 1, 7]), tensor(lineKernel, [1, 1, 3])),
    plane: conv2d(image(X), image(W)),
    volume: conv2d(channels(volume), channels(volumeKernel)),
    valid: conv2d(image(Z), image(V), { padding: 0 }),
    padded: conv2d(image(Z), image(V), { padding: 1 }),
    strided: conv2d(image(Z), image(V), { stride: 2 }),
    max: maxPool2d(image(X), 2),
    mean: avgPool2d(image(X), 2),
    // The gradient of the pooled sum: 1 where a maximum was, 0 elsewhere.
    routed: grad((x: Tensor<[1, 1, number, number], 'float32'>) => maxPool2d(x, 2).sum())(image(X)),
  }
  // end
  const sum =
    (title: string, input: Grid, kernel: Grid, size: number, pad = 0) =>
    (result: Markup): Markup =>
      equation(
        cells({
          title: pad > 0 ? `${title}, padded` : title,
          rows: padded(input, pad),
          pad,
          marked: window(size, size),
        }),
        '∗',
        cells({ title: 'kernel', rows: kernel, tone: 't1' }),
        '=',
        result,
      )
  const pool = (result: Markup): Markup => equation(cells({ title: 'X', rows: X, marked: window(2, 2) }), '→', result)
  return [
    {
      row: 'F7',
      title: 'One dimension',
      lede: 'The kernel slides along a row of numbers; each place of the result is a weighted sum of three neighbours.',
      expected: [[-1, 7, 5, 4, -1]],
      result: await gridOf(results.line),
      draw: (result) =>
        equation(
          cells({ title: 'x', rows: [line], marked: window(1, 3) }),
          '∗',
          cells({ title: 'kernel', rows: [lineKernel], tone: 't1' }),
          '=',
          result,
        ),
    },
    {
      row: 'F8',
      title: 'Two dimensions',
      lede: 'The lit square and the kernel give the lit number: 1 · 1 + 2 · 0 + 3 · 0 + 1 · 1 = 2.',
      expected: [
        [2, 6, 4],
        [4, 4, 8],
        [4, 4, 4],
      ],
      result: await gridOf(results.plane),
      draw: sum('X', X, W, 2),
    },
    {
      row: 'F9',
      title: 'Three channels',
      lede: 'A kernel has a layer for every channel of the input; their sums are added, so one filter gives one channel.',
      expected: [
        [5, 11],
        [15, 5],
      ],
      result: await gridOf(results.volume),
      draw: (result) =>
        equation(
          ...volume.flatMap((grid, i) => [
            ...(i > 0 ? ['+'] : []),
            cells({ title: `channel ${i + 1}`, rows: grid, marked: window(2, 2) }),
            '∗',
            cells({ title: 'kernel', rows: volumeKernel[i] as Grid, tone: 't1' }),
          ]),
          '=',
          result,
        ),
    },
    {
      row: 'F11',
      title: 'Padding 0: valid',
      lede: 'The window stays inside: 5 − 3 + 1 = 3 places a side.',
      expected: [
        [7, 11, 9],
        [9, 11, 12],
        [8, 8, 7],
      ],
      result: await gridOf(results.valid),
      draw: sum('Z', Z, V, 3),
    },
    {
      row: 'F11',
      title: 'Padding 1: same',
      lede: 'With p = floor((k − 1) / 2) zeros around it the result is as large as the input.',
      expected: [
        [6, 5, 7, 4, 2],
        [6, 7, 11, 9, 5],
        [4, 9, 11, 12, 6],
        [7, 8, 8, 7, 6],
        [5, 5, 7, 6, 2],
      ],
      result: await gridOf(results.padded),
      draw: sum('Z', Z, V, 3, 1),
    },
    {
      row: 'F12',
      title: 'Stride 2',
      lede: 'Every second place only: the corners of the valid result.',
      expected: [
        [7, 9],
        [8, 7],
      ],
      result: await gridOf(results.strided),
      draw: sum('Z', Z, V, 3),
    },
    {
      row: 'F16',
      title: 'Max pooling, 2 by 2',
      lede: 'The largest of every square.',
      expected: [
        [3, 4],
        [2, 4],
      ],
      result: await gridOf(results.max),
      draw: pool,
    },
    {
      row: 'F16',
      title: 'Mean pooling, 2 by 2',
      byDefinition: true,
      lede: 'The mean of every square.',
      expected: [
        [1.75, 2.25],
        [1.5, 2.75],
      ],
      result: await gridOf(results.mean),
      draw: pool,
    },
    {
      row: 'F16',
      title: 'The gradient of max pooling',
      byDefinition: true,
      lede: 'Only the place that won gets it: the first one where two are equal.',
      expected: [
        [0, 0, 0, 0],
        [1, 0, 1, 0],
        [1, 0, 0, 1],
        [0, 0, 0, 0],
      ],
      result: await gridOf(results.routed as Tensor),
      draw: pool,
    },
  ]
}

const same = (a: Grid, b: Grid): boolean => JSON.stringify(a) === JSON.stringify(b)
const inWords = (grid: Grid): string => grid.map((row) => row.map(shown).join(' ')).join(' / ')

async function run(context: Context): Promise<Page> {
  const all = await examples()
  context.note('smoothing a loss curve')
  const smooth = await smoothing(context)
  const right = all.filter((e) => same(e.expected, e.result)).length
  const claims: readonly Claim[] = [
    ...all.map((e) => ({
      said: `${e.title}${e.byDefinition ? ', by the definition' : ''}: ${inWords(e.expected)}`,
      row: e.row,
      measured: inWords(e.result),
      agrees: same(e.expected, e.result),
    })),
    {
      said: 'A stride s gives t = floor((n − k) / s) places.',
      row: 'F12',
      measured: '(5, 3, 2) gives 2 places a side, one more',
      agrees: false,
      remark:
        'The formula lacks the + 1 that the same lectures have in (n − k + 2p) / s + 1; the example follows the latter.',
    },
    smooth.claim,
  ]
  const sections: readonly Section[] = all.map((e) => ({
    title: `${e.title} (${e.row})`,
    lede: e.lede,
    body: html`<div class="card">${e.draw(cells({ title: 'result', rows: e.result, tone: 't2', marked: e.result.length === 4 ? (r, c) => e.result[r]?.[c] === 1 : first }))}</div>`,
  }))
  const plane = all[1] as Example
  return {
    found: `All ${right} of ${all.length} worked results come out exactly. The moving average takes ${smooth.less} of the roughness out of a measured loss curve.`,
    picture: plane.draw(cells({ title: 'result', rows: plane.result, tone: 't2', marked: first })),
    caption: 'The example of the lectures: the lit square of X times the kernel gives the lit number.',
    claims,
    numbers: { exact: right, examples: all.length, roughnessLeft: smooth.left },
    sections: [
      {
        title: 'Formula',
        lede: 'Convolution means cross-correlation here, as in the examples: the kernel is not turned around.',
        body: formulas(
          [
            String.raw`(f * K)(x, y) = \sum_{\tau, \eta} f(x + \tau, y + \eta)\, K(\tau, \eta)`,
            'what the examples compute',
          ],
          [
            String.raw`(f * K)(x) = \sum_{\tau} f(x - \tau)\, K(\tau)`,
            'what one slide writes: the same with the kernel turned around',
          ],
          [String.raw`n_{\mathrm{out}} = \frac{n_{\mathrm{in}} - k + 2p}{s} + 1`, 'places a side, rounded down'],
        ),
      },
      { title: 'Code', lede: 'All results of this page.', body: snippet(import.meta.url, 'examples') },
      ...sections,
      smooth.section,
    ],
  }
}

/** F7 to F16: the lectures' worked examples, exact, and the moving average. */
export const convolution: Topic = {
  name: 'convolution',
  title: 'Convolution and pooling by hand',
  about:
    'The worked examples of the lectures, drawn and checked number by number; a moving average smooths a loss curve.',
  rows: ['F7', 'F8', 'F9', 'F11', 'F12', 'F13', 'F16'],
  run,
}
