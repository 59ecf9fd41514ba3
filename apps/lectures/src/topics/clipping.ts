import { grad, valueAndGrad } from '@tessella/autograd'
import { initialize, linear, module, normal as normalInit, rnn, zeros } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { chain, clipByGlobalNorm, globalNorm, optimizer, sgd, type Transform } from '@tessella/optimizers'
import { compile, foldIn, key, normal, type Tensor, tensor, Variable } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { bandPicture, gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, plane } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const times = 50
const goal = 0.7
const limit = 0.1
const rate = 0.5
const shownStart: Point = [6, -1.5]
const view = { x: [3.4, 7.4] as const, y: [-3.4, 3.2] as const }
const ways = [
  { name: 'as it is', tone: 't1', transform: (): Transform => sgd(rate) },
  { name: `clipped to ${limit}`, tone: 't0', transform: (): Transform => chain(clipByGlobalNorm(limit), sgd(rate)) },
] as const

interface Descent {
  readonly path: readonly Point[]
  readonly losses: readonly number[]
  /** The largest norm of a gradient on the way. */
  readonly steepest: number
}

/** One recurrent unit with two weights that runs for 50 times and shall end at the goal. */
async function descend(transform: Transform, [w0, b0]: Point, steps: number): Promise<Descent> {
  // show: unit
  const p = new Variable(tensor([w0, b0]))
  const loss = () => {
    let x: Tensor = tensor([0.5])
    for (let t = 0; t < times; t++)
      x = x
        .sigmoid()
        .mul(p.value.narrow(0, 0, 1))
        .add(p.value.narrow(0, 1, 1)) as Tensor
    return x.sigmoid().sub(goal).square().sum() as Tensor<[], 'float32'>
  }
  const opt = optimizer(transform, { p })
  const step = compile(() => {
    const at = p.value
    const [value, grads] = valueAndGrad(loss, { p })
    opt.update(grads)
    return [value, globalNorm(grads), at] as const
  })
  // end
  const path: Point[] = []
  const losses: number[] = []
  let steepest = 0
  for (let i = 0; i <= steps; i++) {
    const [value, norm, at] = step()
    const [w = 0, b = 0] = Array.from(await at.data())
    path.push([w, b])
    losses.push(await value.item())
    steepest = Math.max(steepest, await norm.item())
  }
  return { path, losses, steepest }
}

function lossAt(w: number, b: number): number {
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v))
  let x = 0.5
  for (let t = 0; t < times; t++) x = w * sigmoid(x) + b
  return (sigmoid(x) - goal) ** 2
}

/** The largest of every ten values, where they are. */
const every = (values: readonly number[]): readonly Point[] =>
  Array.from(
    { length: Math.ceil(values.length / 10) },
    (_, i): Point => [10 * i + 1, Math.max(...values.slice(10 * i, 10 * i + 10))],
  )

const length = 20
const units = 32

/** A network that shall remember the first of many numbers. */
async function remember(transform: Transform, steps: number, context: Context) {
  const { seed } = context
  // show: remember
  const model = module({ rnn: rnn(1, units), out: linear(units, 1) }, (m, x: Tensor) =>
    m.out(m.rnn(x).at(1, -1) as Tensor),
  )
  initialize(model, { weight: normalInit({ std: 1 / Math.sqrt(units) }), bias: zeros, seed })
  const opt = optimizer(transform, model)
  const step = compile((x: Tensor) => {
    const [loss, grads] = valueAndGrad(() => mse(model(x), x.at(1, 0) as Tensor), model)
    opt.update(grads)
    return [loss, globalNorm(grads)] as const
  })
  // end
  const losses: number[] = []
  const norms: number[] = []
  for (let i = 0; i < steps; i++) {
    const [loss, norm] = step(normal(foldIn(key(seed), i), [32, length, 1]) as Tensor)
    losses.push(await loss.item())
    norms.push(await norm.item())
    await pause(context)
  }
  return { losses, norms }
}

type Memory = Awaited<ReturnType<typeof remember>>

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const steps = quick ? 40 : 300
  const shown: Descent[] = []
  for (const way of ways) shown.push(await descend(way.transform(), shownStart, steps))
  // From many places, because near a cliff one path is luck.
  const draws = Array.from(await normal(key(seed), [quick ? 2 : 24, 2]).data())
  const starts = Array.from(
    { length: draws.length / 2 },
    (_, i): Point => [6 + 0.3 * (draws[2 * i] as number), -1.6 + 0.3 * (draws[2 * i + 1] as number)],
  )
  const ended: Descent[][] = []
  for (const way of ways) {
    const all: Descent[] = []
    for (const start of starts) {
      all.push(await descend(way.transform(), start, steps))
      await pause(context)
    }
    ended.push(all)
  }
  const lost = ended.map((all) => all.filter((d) => (d.losses.at(-1) as number) > 0.05).length)
  const [lostPlain, lostClipped] = lost as [number, number]
  const [thrown, held] = shown.map((d) =>
    Math.max(...d.path.slice(1).map((p, i) => Math.hypot(p[0] - (d.path[i]?.[0] ?? 0), p[1] - (d.path[i]?.[1] ?? 0)))),
  ) as [number, number]
  const memory = quick ? 20 : 1500
  const long = [
    { name: 'as it is', tone: 't1', ...(await remember(sgd(0.05), memory, context)) },
    { name: 'clipped to 1', tone: 't0', ...(await remember(chain(clipByGlobalNorm(1), sgd(0.05)), memory, context)) },
  ] as const
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length
  const ends = long.map((l) => mean(l.losses.slice(-100)))
  const [longPlain, longClipped] = ends as [number, number]
  const peak = long.map((l) => Math.max(...l.norms))
  const factor = await exact()
  const size = 240
  const at = gridPoints(size, view.x, view.y)
  const values = Float64Array.from({ length: size * size }, (_, i) =>
    lossAt(at[2 * i] as number, at[2 * i + 1] as number),
  )
  return {
    found: `The gradient at the cliff has a norm of ${formatNumber(shown[0]?.steepest as number, 2)} and throws the weights ${formatNumber(thrown, 2)} away. From ${starts.length} places ${lostPlain} descents end far from the goal as they are, ${lostClipped} with clipping.`,
    picture: html`<div class="planes one">${plane({
      label: 'Two descents over the loss of a recurrent unit, which has a cliff',
      ...view,
      xName: 'w',
      yName: 'b',
      picture: bandPicture({ size, values }, (v) => 40 * v, 18),
      paths: shown.map((d, i) => ({ points: d.path, tone: ways[i]?.tone as string, dots: true, race: true })),
      points: [{ at: shownStart, tone: 't7', text: 'start' }],
      seconds: 12,
    })}</div>${legend(ways)}`,
    caption: `The loss of one unit x := w σ(x) + b after ${times} times: it shall end at σ(x) = ${goal}. Darker is higher. ${steps} steps of SGD with rate ${rate}; both paths run along the floor towards the cliff.`,
    claims: [
      {
        said: 'Exploding gradients: multiply the gradient by β / max(|∇W|, β).',
        row: 'T8',
        measured: `largest step ${formatNumber(thrown, 2)} without, ${formatNumber(held, 2)} with; far from the goal end ${lostPlain} and ${lostClipped} of ${starts.length}`,
        agrees: held <= rate * limit * 1.001 && thrown > held && lostClipped <= lostPlain,
        remark: 'Where the gradient is small the path is the same: the factor is 1.',
      },
      {
        said: 'β is the largest value of the gradient.',
        row: 'T8',
        measured: `a gradient of norm ${factor.before} keeps its direction and gets norm ${factor.after}`,
        agrees: Math.abs(factor.after - 1) < 1e-6,
        remark:
          'clipByNorm does it for each tensor, as the formula for W stands; clipByGlobalNorm for all weights together, which keeps their direction.',
      },
      {
        said: 'A recurrent network over long sequences needs it.',
        row: 'T8',
        measured: `remembering the first of ${length} numbers: mean loss of the last 100 steps ${formatNumber(longPlain, 2)} without, ${formatNumber(longClipped, 2)} with`,
        agrees: longClipped < longPlain || !Number.isFinite(longPlain),
        remark: `The largest gradient norms were ${formatNumber(peak[0] as number, 3)} and ${formatNumber(peak[1] as number, 3)}; plain SGD walks into steep places and is thrown out of them. Guessing 0 has a loss of 1.`,
      },
    ],
    numbers: {
      thrown,
      held,
      lostPlain,
      lostClipped,
      longPlain: Number.isFinite(longPlain) ? longPlain : 1e9,
      longClipped,
      clippedNorm: factor.after,
    },
    sections: [
      {
        title: 'Formula',
        lede: 'With β the largest norm that a step may see.',
        body: formulas([
          String.raw`\nabla W := \nabla W \, \frac{\beta}{\max(|\nabla W|, \beta)}`,
          'within β nothing changes',
        ]),
      },
      {
        title: `Remembering over ${length} times`,
        lede: `Norm of the gradient (before it is clipped) and loss: the largest of 10 steps; ${units} units, SGD with rate 0.05 for both.`,
        body: html`${[
          { name: 'norm of the gradient', bottom: 0.1, top: 1000, of: (l: Memory) => l.norms },
          { name: 'loss', bottom: 0.01, top: 100, of: (l: Memory) => l.losses },
        ].map(
          ({ name, bottom, top, of }) =>
            html`<figure class="card">${lineChart(
              {
                label: `${name} by step`,
                x: { name: 'step', ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => share * memory) },
                y: { name, log: true, domain: [bottom, top] },
                series: long.map((l) => ({
                  name: l.name,
                  tone: l.tone,
                  points: every(of(l)),
                })),
              },
              0.8,
            )}</figure>`,
        )}`,
      },
      {
        title: 'From many places',
        lede: 'Ends further than 0.05 above the least loss count as lost.',
        body: plainTable(
          'Where descents from many places end',
          ['gradient', 'lost', 'largest norm', 'mean loss at the end'],
          ended.map((all, i) => [
            ways[i]?.name ?? '',
            `${lost[i]} of ${all.length}`,
            formatNumber(Math.max(...all.map((d) => d.steepest)), 3),
            formatNumber(mean(all.map((d) => d.losses.at(-1) as number)), 2),
          ]),
        ),
      },
      {
        title: 'Code',
        lede: 'The unit; and the network that remembers.',
        body: html`${snippet(import.meta.url, 'unit')}${snippet(import.meta.url, 'remember')}`,
      },
    ],
  }
}

/** What clipping to 1 makes of a gradient of norm 5. */
async function exact() {
  const w = new Variable(tensor([0, 0]))
  const grads = grad(() => w.value.mul(tensor([3, 4])).sum() as Tensor<[], 'float32'>, { w })
  const [clipped] = clipByGlobalNorm(1).update(grads, [] as never, { w: w.value } as never)
  return { before: await globalNorm(grads).item(), after: await globalNorm(clipped).item() }
}

/** T8: clipping of gradients at a cliff, and in a recurrent network. */
export const clipping: Topic = {
  name: 'clipping',
  title: 'Clipping gradients that explode',
  about: 'A recurrent unit’s loss has a cliff: descents with and without clipping, and a network that remembers.',
  rows: ['T8'],
  run,
}
