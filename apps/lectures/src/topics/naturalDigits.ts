import { valueAndGrad } from '@tessella/autograd'
import { batches } from '@tessella/datasets'
import {
  conv2d,
  flatten,
  heNormal,
  initialize,
  input,
  linear,
  maxPool2d,
  relu,
  sequential,
  zeros,
} from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { momentum, optimizer } from '@tessella/optimizers'
import { categorical, compile, Generator, type Tensor } from '@tessella/tensor'
import { kroneckerFactored } from '@tessella/training'
import type { Batch } from '../models.ts'
import type { Point } from '../pages/lineChart.ts'
import type { Context } from '../pages/topic.ts'
import { pause } from '../runTopic.ts'

const network = () =>
  sequential(
    input(1, 28, 28),
    conv2d(1, 6, 5),
    relu(),
    maxPool2d(2),
    conv2d(6, 12, 5),
    relu(),
    maxPool2d(2),
    flatten(),
    linear(192, 10),
  )

/** How one way to train went. */
interface Curve {
  readonly points: readonly Point[]
  /** Mean loss of the last 20 steps. */
  readonly end: number
  readonly milliseconds: number
  /** How many rates were tried; this is the best. */
  readonly tried: number
}

const batch = 100
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length

async function curve(natural: boolean, rate: number, steps: number, context: Context): Promise<Omit<Curve, 'tried'>> {
  const { train } = await context.mnist()
  const model = network()
  initialize(model, { weight: heNormal(), bias: zeros, seed: context.seed })
  const opt = optimizer(momentum(rate, 0.9), model)
  // show: factors
  const fisher = kroneckerFactored(model, { damping: 0.03 })
  const generator = new Generator(context.seed)
  const step = compile(({ images, labels }: Batch) => {
    const x = images.cast('float32').div(255)
    const scores = (): Tensor => model(x)
    const [loss, grads] = valueAndGrad(() => crossEntropy(scores(), labels), model)
    if (natural) {
      const drawn = categorical(generator.next(), scores())
      fisher.observe(() => crossEntropy(scores(), drawn), batch)
    }
    opt.update(natural ? fisher.precondition(grads) : grads)
    return loss
  })
  // end
  const losses: number[] = []
  let began = 0
  for (let epoch = 0; losses.length < steps; epoch++)
    for await (const b of batches(train, { size: batch, shuffle: true, seed: context.seed, epoch, dropLast: true })) {
      if (losses.length === steps) break
      losses.push(Number(await step(b).item()))
      // The first step compiles.
      if (losses.length === 1) began = performance.now()
      await pause(context)
    }
  const milliseconds = (performance.now() - began) / (steps - 1)
  const points = Array.from(
    { length: Math.floor(steps / 10) },
    (_, i): Point => [10 * i + 5, mean(losses.slice(10 * i, 10 * i + 10))],
  )
  return { points, end: mean(losses.slice(-20)), milliseconds }
}

/** A small convolutional network with momentum, by gradients and by Kronecker-factored natural gradients. */
export async function curvesOnDigits(context: Context) {
  const steps = context.quick ? 20 : 300
  const best = async (natural: boolean, rates: readonly number[]): Promise<Curve> => {
    const tried = context.quick ? rates.slice(0, 1) : rates
    const all: Omit<Curve, 'tried'>[] = []
    for (const rate of tried) {
      all.push(await curve(natural, rate, steps, context))
      context.note(`MNIST, ${natural ? 'natural gradient' : 'gradient'}, rate ${rate}: ${all.at(-1)?.end.toFixed(3)}`)
    }
    const finite = all.filter((c) => Number.isFinite(c.end))
    return { ...finite.reduce((a, b) => (b.end < a.end ? b : a)), tried: tried.length }
  }
  return {
    steps,
    batch,
    plain: await best(false, [0.3, 0.1, 1]),
    natural: await best(true, [0.1, 0.03, 0.3]),
  }
}
