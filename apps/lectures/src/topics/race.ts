import { grad, valueAndGrad } from '@tessella/autograd'
import { adadelta, adagrad, adam, momentum, optimizer, rmsprop, sgd, type Transform } from '@tessella/optimizers'
import { compile, type Tensor, tensor, Variable } from '@tessella/tensor'
import type { Point } from '../pages/lineChart.ts'

/** A surface over (x, y) whose height is 0 at its lowest point. */
export type Surface = (x: Tensor, y: Tensor) => Tensor

/** One runner: how it is called and what makes its step. */
export interface Runner {
  readonly name: string
  readonly tone: string
  readonly rate: number
  readonly transform: (rate: number) => Transform
}

/** C's optimizers, NAG aside: it needs the gradient somewhere else. */
export const runners: readonly Runner[] = [
  { name: 'SGD', tone: 't7', rate: 0.008, transform: sgd },
  { name: 'Momentum', tone: 't0', rate: 0.03, transform: (rate) => momentum(rate, 0.9) },
  { name: 'RMSProp', tone: 't2', rate: 0.02, transform: (rate) => rmsprop(rate, { alpha: 0.9 }) },
  { name: 'AdaDelta', tone: 't3', rate: 1, transform: (rate) => adadelta(rate, { eps: 1e-4 }) },
  { name: 'Adam', tone: 't5', rate: 0.06, transform: adam },
  { name: 'AdaGrad', tone: 't4', rate: 0.3, transform: adagrad },
]
/** NAG and its rate. */
export const nag = { name: 'NAG', tone: 't1', rate: 0.03 } as const

/** Where a runner was, and the heights there. */
export interface Track {
  readonly name: string
  readonly tone: string
  readonly rate: number
  readonly path: readonly Point[]
  readonly heights: readonly number[]
}

const xOf = (w: Tensor): Tensor => w.slice(0)
const yOf = (w: Tensor): Tensor => w.slice(1)

async function follow(
  step: () => Tensor,
  w: Variable<[2], 'float32'>,
  steps: number,
): Promise<Pick<Track, 'path' | 'heights'>> {
  const path: Point[] = []
  const heights: number[] = []
  for (let i = 0; i <= steps; i++) {
    const [x = 0, y = 0] = Array.from(await w.value.data())
    path.push([x, y])
    heights.push(await step().item())
  }
  return { path, heights }
}

/** Runs an optimizer of the library from `start`. */
export async function raced(runner: Runner, surface: Surface, start: Point, steps: number): Promise<Track> {
  // show: race
  const w = new Variable(tensor([...start]) as Tensor<[2], 'float32'>)
  const opt = optimizer(runner.transform(runner.rate), { w })
  const step = compile(() => {
    const [height, grads] = valueAndGrad(() => surface(xOf(w.value), yOf(w.value)).sum(), { w })
    opt.update(grads)
    return height
  })
  // end
  return { name: runner.name, tone: runner.tone, rate: runner.rate, ...(await follow(step, w, steps)) }
}

/** The lectures' accelerated gradient: the slope is taken where inertia alone would lead. */
export async function racedNag(surface: Surface, start: Point, steps: number, decay = 0.9): Promise<Track> {
  const { rate } = nag
  // show: nag
  const w = new Variable(tensor([...start]) as Tensor<[2], 'float32'>)
  const v = new Variable(tensor([0, 0]) as Tensor<[2], 'float32'>)
  const height = (at: Tensor<[2], 'float32'>) => surface(xOf(at), yOf(at)).sum()
  const step = compile(() => {
    const ahead = w.value.sub(v.value.mul(rate * decay))
    const loss = height(w.value)
    v.assign(v.value.mul(decay).add(grad(height)(ahead).mul(1 - decay)))
    w.assign(w.value.sub(v.value.mul(rate)))
    return loss
  })
  // end
  return { ...nag, ...(await follow(step, w, steps)) }
}
