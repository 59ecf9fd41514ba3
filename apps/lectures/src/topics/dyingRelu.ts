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

interface Outcome {
  /** Loss by step. */
  readonly losses: readonly Point[]
  /** Units that answer on any row, before and after. */
  readonly living: readonly [before: number, after: number]
}

/** Trains one hidden layer whose units all begin dead. */
async function trained(kind: 'relu' | 'leakyRelu', steps: number, context: Context): Promise<Outcome> {
  const { seed } = context
  const x: Rows = normal(key(seed), [rows, 4])
  const y: Rows = x.sum(1, { keepdim: true }).relu().mul(3)
  // show: dying
  const activation = kind === 'relu' ? relu() : leakyRelu(0.1)
  const net = { hidden: linear(4, units), out: linear(units, 1) }
  initialize(net, { seed })
  // A step that was too large has pushed every unit below 0 for every input.
  net.hidden.bias.assign(tensor(new Float32Array(units).fill(-3), [units]))
  const step = trainStep({
    model: net,
    optimizer: optimizer(sgd(0.1), net),
    loss: (batch: { x: Rows; y: Rows }) => mse(net.out(activation(net.hidden(batch.x))), batch.y),
  })
  const living = () => net.hidden(x).max(0).gt(0).sum()
  // end
  const before = await living().item()
  const losses: Point[] = []
  for (let i = 0; i <= steps; i++) {
    losses.push([i, await step({ x, y }).item()])
    if (i % 20 === 0) await pause(context)
  }
  return { losses, living: [before, await living().item()] }
}

/** What came of units that began dead: ReLU has no gradient there, a leak has. */
export interface Dying {
  readonly units: number
  readonly relu: Outcome
  readonly leakyRelu: Outcome
  readonly lede: string
  readonly body: Markup
}

/** Runs the same network with ReLU and with a leak from a start where every unit is off. */
export async function dyingRelu(context: Context): Promise<Dying> {
  const steps = context.quick ? 80 : 400
  const plain = await trained('relu', steps, context)
  const leaky = await trained('leakyRelu', steps, context)
  return {
    units,
    relu: plain,
    leakyRelu: leaky,
    lede: `A layer of ${units} units whose biases a wild step has pushed to −3, so that none answers on any of ${rows} inputs. With ReLU only the last bias can learn: the loss stops at the variance of the answers. With a leak of 0.1 the gradient finds its way back.`,
    body: html`<figure class="card">${lineChart(
      {
        label: 'Loss from a dead start, with ReLU and with a leak',
        x: { name: 'step' },
        y: { name: 'mean square error', log: true },
        series: [
          { name: 'ReLU', tone: 't0', points: plain.losses },
          { name: 'LeakyReLU', tone: 't1', points: leaky.losses },
        ],
      },
      0.75,
    )}</figure>${snippet(import.meta.url, 'dying')}`,
  }
}
