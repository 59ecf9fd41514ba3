import { initialize, leakyRelu, linear, relu } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { key, normal, type Tensor, tensor } from '@tessella/tensor'
import { trainStep } from '@tessella/training'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { pause } from '../runTopic.ts'

const units = 32
const rows = 256

type Rows = Tensor<readonly [number, number], 'float32'>

/** Trains one hidden layer whose units all begin dead, and counts the units that answer on any row. */
async function alive(kind: 'relu' | 'leakyRelu', steps: number, context: Context): Promise<readonly Point[]> {
  const { seed } = context
  const x = normal(key(seed), [rows, 4])
  const y = x.sum(1, { keepdims: true }).abs()
  // show: dying
  const activation = kind === 'relu' ? relu() : leakyRelu(0.1)
  const net = { hidden: linear(4, units), out: linear(units, 1) }
  initialize(net, { seed })
  // A step that was too large has pushed every unit below 0 for every input.
  net.hidden.bias.assign(tensor(new Float32Array(units).fill(-6), [units]))
  const step = trainStep({
    model: net,
    optimizer: optimizer(sgd(0.02), net),
    loss: (batch: { x: Rows; y: Rows }) => mse(net.out(activation(net.hidden(batch.x))), batch.y),
  })
  const answering = () => net.hidden(x).max(0).gt(0).sum()
  // end
  const found: Point[] = [[0, await answering().item()]]
  for (let i = 1; i <= steps; i++) {
    await step({ x: x as Rows, y: y as Rows }).item()
    if (i % Math.ceil(steps / 40) === 0 || i === steps) {
      found.push([i, await answering().item()])
      await pause(context)
    }
  }
  return found
}

/** What came of units that began dead: ReLU has no gradient there, a leak has. */
export interface Dying {
  readonly units: number
  readonly steps: number
  readonly revived: { readonly relu: number; readonly leakyRelu: number }
  readonly lede: string
  readonly body: Markup
}

/** Runs the same network with ReLU and with a leak from a start where every unit is off. */
export async function dyingRelu(context: Context): Promise<Dying> {
  const steps = context.quick ? 80 : 400
  const plain = await alive('relu', steps, context)
  const leaky = await alive('leakyRelu', steps, context)
  const end = (points: readonly Point[]): number => points.at(-1)?.[1] ?? 0
  return {
    units,
    steps,
    revived: { relu: end(plain), leakyRelu: end(leaky) },
    lede: `A layer of ${units} units whose biases a wild step has pushed to −6, so that no input reaches them. The picture counts units that answer on at least one of ${rows} inputs while training goes on.`,
    body: html`<figure class="card">${lineChart(
      {
        label: `Units that answer: ReLU stays at ${end(plain)}, LeakyReLU reaches ${end(leaky)} of ${units}.`,
        x: { name: 'step' },
        y: { name: 'living units', domain: [-1, units + 1] },
        series: [
          { name: `LeakyReLU ${end(leaky)}`, tone: 't1', points: leaky },
          { name: `ReLU ${end(plain)}`, tone: 't0', points: plain },
        ],
      },
      0.75,
    )}</figure>${snippet(import.meta.url, 'dying')}`,
  }
}
