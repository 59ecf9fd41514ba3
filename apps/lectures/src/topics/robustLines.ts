import { valueAndGrad } from '@tessella/autograd'
import { huber, l1Loss, mse } from '@tessella/losses'
import { adam, cosineDecay, optimizer } from '@tessella/optimizers'
import { compile, key, normal, type Tensor, tensor, Variable } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { lineChart, type Point } from '../pages/lineChart.ts'
import type { Context } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'

/** How many points are thrown. */
export const outliers = 10
const count = 60
const slope = 2

const losses = [
  { name: 'MSE', tone: 't0', of: (a: Tensor, y: Tensor) => mse(a, y) },
  { name: 'Huber', tone: 't2', of: (a: Tensor, y: Tensor) => huber(a, y) },
  { name: 'L1', tone: 't1', of: (a: Tensor, y: Tensor) => l1Loss(a, y) },
] as const

/** Lines fitted by three losses to points near a line, of which some at the right end are far below it. */
export async function robust(context: Context) {
  const noise = Array.from(await normal(key(context.seed), [count]).data())
  const xs = Float32Array.from({ length: count }, (_, i) => -2 + (4 * i) / (count - 1))
  const ys = xs.map((x, i) => slope * x + 1 + 0.5 * (noise[i] as number) - (i >= count - outliers ? 12 : 0))
  const steps = context.quick ? 100 : 800
  const fits: { readonly name: string; readonly tone: string; readonly slope: number; readonly rise: number }[] = []
  for (const { name, tone, of } of losses) {
    // show: lines
    const line = { slope: new Variable(tensor(0)), rise: new Variable(tensor(0)) }
    const [x, y] = [tensor(xs), tensor(ys)]
    const opt = optimizer(adam(cosineDecay(0.1, { totalSteps: steps })), line)
    const step = compile(() => {
      const [, grads] = valueAndGrad(() => of(x.mul(line.slope.value).add(line.rise.value), y), line)
      opt.update(grads)
    })
    for (let i = 0; i < steps; i++) step()
    // end
    fits.push({ name, tone, slope: await line.slope.value.item(), rise: await line.rise.value.item() })
    await pause(context)
  }
  const ends = [-2, 2] as const
  const picture = html`<figure class="card">${lineChart({
    label: 'Points with outliers and the lines that three losses fit',
    x: { name: 'x', domain: [-2, 2] },
    y: { name: 'y' },
    series: [
      { name: '', tone: 't7', scatter: true, points: Array.from(xs, (x, i): Point => [x, ys[i] as number]) },
      { name: 'true', tone: 't7', dashed: true, points: ends.map((x): Point => [x, slope * x + 1]) },
      ...fits.map((f) => ({ name: f.name, tone: f.tone, points: ends.map((x): Point => [x, f.slope * x + f.rise]) })),
    ],
  })}</figure>`
  const lede = `${outliers} of ${count} points lie 12 below their place. The slope is ${slope}; found are ${fits.map((f) => `${formatNumber(f.slope, 3)} (${f.name})`).join(', ')}.`
  return { fits, slope, count, picture, lede }
}
