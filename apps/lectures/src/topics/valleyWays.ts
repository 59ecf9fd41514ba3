import { valueAndGrad } from '@tessella/autograd'
import { randomStream } from '@tessella/datasets'
import { lbfgs, optimizer, sgd } from '@tessella/optimizers'
import { compile, full, type Tensor, tensor, Variable, zeros } from '@tessella/tensor'
import type { Point } from '../pages/lineChart.ts'
import { median } from '../pages/ranges.ts'
import type { Context } from '../pages/topic.ts'

// show: valley
/** Rosenbrock's valley: a curved floor between walls a hundred times as steep; 0 at (1, 1). */
const valley = (x: Tensor, y: Tensor): Tensor => x.sub(1).square().add(y.sub(x.square()).square().mul(100)) as Tensor
// end

/** At the floor: a height that counts as arrived. */
export const floor = 1e-4

/** The place and the height at every evaluation of the gradient. */
export interface Walk {
  readonly path: readonly Point[]
  readonly heights: readonly number[]
}

/** Evaluations until the floor was reached; infinite where it was not. */
export function arrived({ heights }: Walk): number {
  const at = heights.findIndex((h) => h < floor)
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1
}

/** L-BFGS from `start`, for at most `most` evaluations. */
export async function quasiNewton(lineSearch: 'fixed' | 'strongWolfe', start: Point, most: number): Promise<Walk> {
  const seen: (readonly [at: Tensor, height: Tensor])[] = []
  // show: lbfgs
  const w = new Variable(tensor([...start]) as Tensor<[2], 'float32'>)
  const opt = lbfgs({ w }, { lineSearch, maxIterations: most, maxEvaluations: most })
  const evaluate = compile(() => valueAndGrad(() => valley(w.value.slice(0), w.value.slice(1)).sum(), { w }))
  await opt.step(() => {
    const [height, grads] = evaluate()
    seen.push([w.value, height])
    return [height, grads]
  })
  // end
  const path: Point[] = []
  const heights: number[] = []
  for (const [at, height] of seen) {
    const [x = Number.NaN, y = Number.NaN] = Array.from(await at.data(), Number)
    path.push([x, y])
    heights.push(Number(await height.item()))
  }
  return { path, heights }
}

/** Gradient descent from all places at once: the evaluations each needed to the floor, infinite where `most` did not do. */
export async function descents(
  starts: readonly Point[],
  rate: number,
  most: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const n = starts.length
  const x = new Variable(tensor(starts.map((s) => s[0])) as Tensor)
  const y = new Variable(tensor(starts.map((s) => s[1])) as Tensor)
  const below = new Variable(full([n], 0) as Tensor, { trainable: false })
  const count = new Variable(zeros([n]) as Tensor, { trainable: false })
  const opt = optimizer(sgd(rate), { x, y })
  const step = compile(() => {
    const [[, heights], grads] = valueAndGrad(
      () => {
        const all = valley(x.value, y.value)
        return [all.sum(), all] as const
      },
      { x, y },
      { hasAux: true },
    )
    below.assign(below.value.maximum(heights.lt(floor).cast('float32')) as Tensor)
    count.assign(count.value.add(below.value.neg().add(1)) as Tensor)
    opt.update(grads)
    return below.value.sum()
  })
  for (let i = 0; i < most; i++) {
    const done = step()
    if (i % 500 !== 499) continue
    signal.throwIfAborted()
    if (Number(await done.item()) === n) break
  }
  const [reached, counts] = [await below.value.data(), await count.value.data()]
  return Array.from(reached, (r, i) => (Number(r) === 1 ? Number(counts[i]) + 1 : Number.POSITIVE_INFINITY))
}

/** Gradient descent from one place, to be drawn. */
export async function descent(start: Point, rate: number, most: number, signal: AbortSignal): Promise<Walk> {
  const w = new Variable(tensor([...start]) as Tensor<[2], 'float32'>)
  const opt = optimizer(sgd(rate), { w })
  const step = compile(() => {
    const [height, grads] = valueAndGrad(() => valley(w.value.slice(0), w.value.slice(1)).sum(), { w })
    opt.update(grads)
    return height
  })
  const path: Point[] = []
  const heights: number[] = []
  for (let i = 0; i < most && !((heights.at(-1) ?? 1) < floor); i++) {
    if (i % 500 === 0) signal.throwIfAborted()
    const [x = 0, y = 0] = Array.from(await w.value.data(), Number)
    path.push([x, y])
    heights.push(Number(await step().item()))
  }
  return { path, heights }
}

/** Places to start from. */
export function places(count: number, seed: number): readonly Point[] {
  const random = randomStream(seed, 71)
  return Array.from({ length: count }, () => [3 * random.uniform() - 1.5, 2.5 * random.uniform() - 0.5] as const)
}

/** What was measured in the valley. */
export interface Valley {
  readonly walks: readonly (readonly [name: string, tone: string, walk: Walk])[]
  /** Evaluations of every start. */
  readonly all: readonly (readonly [name: string, tone: string, evaluations: readonly number[]])[]
  readonly rate: number
  readonly most: number
}

/** Gradient descent with its best rate, and L-BFGS, from many places. */
export async function inValley({ quick, seed, signal }: Context): Promise<Valley> {
  const starts = places(quick ? 6 : 20, seed)
  const most = 20_000
  let best: { readonly rate: number; readonly evaluations: readonly number[] } | undefined
  for (const rate of [0.0005, 0.001, 0.002, 0.004]) {
    const evaluations = await descents(starts, rate, most, signal)
    // The rate that brings most starts to the floor, and those soonest.
    const better = best === undefined || median(evaluations) < median(best.evaluations)
    if (better) best = { rate, evaluations }
  }
  const { rate, evaluations } = best as { rate: number; evaluations: readonly number[] }
  const from: Point = [-1.2, 1]
  const quasi = async (way: 'fixed' | 'strongWolfe') => {
    const found: number[] = []
    for (const start of starts) {
      signal.throwIfAborted()
      found.push(arrived(await quasiNewton(way, start, 500)))
    }
    return found
  }
  return {
    rate,
    most,
    walks: [
      ['gradient descent', 't7', await descent(from, rate, most, signal)],
      ['L-BFGS, fixed length', 't1', await quasiNewton('fixed', from, 500)],
      ['L-BFGS, line search', 't0', await quasiNewton('strongWolfe', from, 500)],
    ],
    all: [
      ['gradient descent', 't7', evaluations],
      ['L-BFGS, fixed length', 't1', await quasi('fixed')],
      ['L-BFGS, line search', 't0', await quasi('strongWolfe')],
    ],
  }
}
