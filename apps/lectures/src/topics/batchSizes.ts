import { column, dataset, hostBatches, randomStream } from '@tessella/datasets'
import { linear } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { type Tensor, tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { legend, plane } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const rows = 240
const noise = 1
const view = { x: [-1, 4] as const, y: [-1, 4] as const }
const start = [-0.6, 3.6] as const

/** Points about the line y = 2x + 1; the two weights to find are slope and rise. */
function points(seed: number) {
  const random = randomStream(seed, 31)
  const x = Float32Array.from({ length: rows }, () => 2 * random.uniform() - 0.6)
  const y = Float32Array.from(x, (v) => 2 * v + 1 + noise * random.normal())
  return { x, y }
}

interface Descent {
  readonly size: number
  readonly path: readonly Point[]
  readonly losses: readonly number[]
}

type Rows = Tensor<[number, 1], 'float32'>

async function descent(size: number, steps: number, context: Context): Promise<Descent> {
  const { x, y } = points(context.seed)
  // show: descent
  const data = dataset({ x: column(x, [rows, 1]), y: column(y, [rows, 1]) })
  const model = linear(1, 1)
  const step = trainStep({
    model,
    optimizer: optimizer(sgd(0.1), model),
    loss: (batch: { x: Rows; y: Rows }) => mse(model(batch.x), batch.y),
  })
  const epoch = (n: number) => hostBatches(data, { size, shuffle: true, seed: context.seed, epoch: n })
  // end
  model.weight.assign(tensor([[start[0]]]))
  model.bias.assign(tensor([start[1]]))
  const path: Point[] = [start]
  const losses: number[] = [lossAt(x, y, start)]
  for (let n = 0; path.length <= steps; n++)
    for (const batch of epoch(n).sync()) {
      if (path.length > steps) break
      step({ x: tensor(batch.x.data, [size, 1]), y: tensor(batch.y.data, [size, 1]) })
      const at: Point = [await model.weight.value.sum().item(), await model.bias.value.sum().item()]
      path.push(at)
      losses.push(lossAt(x, y, at))
      await pause(context)
    }
  return { size, path, losses }
}

/** Mean square error on all points. */
function lossAt(x: Float32Array, y: Float32Array, [slope, rise]: Point): number {
  return x.reduce((sum, v, i) => sum + (slope * v + rise - (y[i] as number)) ** 2, 0) / x.length
}

/** The weights where the loss on all points is least. */
function best(x: Float32Array, y: Float32Array): Point {
  const mean = (v: Float32Array): number => v.reduce((a, b) => a + b, 0) / v.length
  const [mx, my] = [mean(x), mean(y)]
  const slope =
    x.reduce((s, v, i) => s + (v - mx) * ((y[i] as number) - my), 0) / x.reduce((s, v) => s + (v - mx) ** 2, 0)
  return [slope, my - slope * mx]
}

/** Mean turn between steps, in degrees: 0 for a straight path. */
function turning(path: readonly Point[]): number {
  const moves = path.slice(1).map((p, i) => [p[0] - (path[i] as Point)[0], p[1] - (path[i] as Point)[1]] as const)
  const turns = moves.slice(1).map((m, i) => {
    const before = moves[i] as Point
    const size = Math.hypot(...m) * Math.hypot(...before)
    return size === 0 ? 0 : Math.acos(Math.min(1, Math.max(-1, (m[0] * before[0] + m[1] * before[1]) / size)))
  })
  return (180 / Math.PI) * (turns.reduce((a, b) => a + b, 0) / turns.length)
}

async function run(context: Context): Promise<Page> {
  const { x, y } = points(context.seed)
  const steps = context.quick ? 40 : 120
  const all: Descent[] = []
  for (const size of [rows, 40, 4]) all.push(await descent(size, steps, context))
  const lowest = best(x, y)
  const names = ['all 240', '40', '4']
  const tones = ['t2', 't1', 't0']
  const turns = all.map((d) => turning(d.path))
  const [full, large, small] = turns as [number, number, number]
  const field = 220
  const at = gridPoints(field, view.x, view.y)
  const floor = lossAt(x, y, lowest)
  const values = Float64Array.from(
    { length: field * field },
    (_, i) => lossAt(x, y, [at[2 * i] as number, at[2 * i + 1] as number]) - floor,
  )
  const distance = all.map((d) => {
    const [a, b] = d.path.at(-1) as Point
    return Math.hypot(a - lowest[0], b - lowest[1])
  })
  return {
    found: `With all points the path turns by ${formatNumber(full, 2)}° a step, with batches of 40 by ${formatNumber(large, 2)}°, with batches of 4 by ${formatNumber(small, 2)}°: the smaller the batch, the more it wanders around the lowest point.`,
    picture: html`<div class="planes one">${plane({
      label: 'Paths of gradient descent over the loss of a line fit, by batch size',
      ...view,
      xName: 'slope',
      yName: 'rise',
      picture: bandPicture({ size: field, values }, (v) => 3 * Math.log2(1 + 3 * v), 18),
      paths: [...all]
        .reverse()
        .map((d, i) => ({ points: d.path, tone: tones[2 - i] as string, dots: true, race: true })),
      crosses: [lowest],
      seconds: 10,
    })}</div>${legend(names.map((n, i) => ({ name: `batches of ${n}`.replace('of all 240', 'of all 240 points'), tone: tones[i] as string })))}`,
    caption: `${steps} steps of SGD with rate 0.1 from one place, over the mean square error of a line through ${rows} points. The cross is where it is least.`,
    claims: [
      {
        said: 'Plain gradient descent goes straight down; a small batch makes the path restless, a large one less.',
        row: 'T1',
        measured: `mean turn ${formatNumber(full, 2)}°, ${formatNumber(large, 2)}° (40), ${formatNumber(small, 2)}° (4)`,
        agrees: full < large && large < small,
      },
      {
        said: 'It goes on until the criterion or the weights settle.',
        row: 'T1',
        measured: `distance to the best weights after ${steps} steps: ${distance.map((d) => formatNumber(d, 2)).join(', ')}`,
        agrees: (distance[0] as number) < 0.1,
        remark: 'With a fixed rate only the full batch settles; small ones keep moving about the minimum.',
      },
    ],
    numbers: { turns, distance },
    sections: [
      {
        title: 'Formula',
        lede: 'One step per batch; every epoch shuffles the points anew.',
        body: formulas([
          String.raw`w := w - \eta \, \frac{1}{|B|} \sum_{i \in B} \frac{\partial Q_i(w)}{\partial w}`,
          'B is the batch: all points, 40 or 4 of them',
        ]),
      },
      { title: 'Code', lede: 'The three runs differ in size only.', body: snippet(import.meta.url, 'descent') },
      {
        title: 'Loss by step',
        lede: 'On all points, above the least possible.',
        body: html`<figure class="card">${lineChart({
          label: 'Loss above the least by step',
          x: { name: 'step' },
          y: { name: 'loss above the least', log: true, domain: [1e-4, 20], ticks: [1e-4, 1e-3, 1e-2, 0.1, 1, 10] },
          series: all.map((d, i) => ({
            name: names[i] as string,
            tone: tones[i] as string,
            points: d.losses.map((l, s) => [s, Math.max(l - floor, 1e-12)]),
          })),
        })}</figure>`,
      },
    ],
  }
}

/** T1: trajectories with all points, large and small batches. */
export const batchSizes: Topic = {
  name: 'batches',
  title: 'Gradient descent with large and small batches',
  about: 'Three trajectories over one loss surface: all points, batches of 40, batches of 4.',
  rows: ['T1'],
  run,
}
