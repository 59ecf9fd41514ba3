import {
  checkOptions,
  flattenTree,
  fromData,
  namedVariables,
  OpError,
  type Tensor,
  type Variable,
} from '@tessella/tensor'
import { checkPositiveInteger, checkRate } from './checks.ts'
import type { Evaluate } from './twoPoint.ts'
import { type LinePoint, strongWolfe, type WolfeOptions } from './wolfe.ts'

export interface LbfgsOptions {
  /** Scales steps; with a line search the first one tried. Default 1. */
  readonly rate?: number
  /** Most iterations of one `step`. Default 20. */
  readonly maxIterations?: number
  /** Most evaluations of one `step`. Default 1.25 times the iterations. */
  readonly maxEvaluations?: number
  /** Pairs of differences that are kept. Default 100. */
  readonly historySize?: number
  /** Ends where no slope is larger. Default 1e-7. */
  readonly toleranceGradient?: number
  /** Ends where neither the loss nor a parameter changes by more. Default 1e-9. */
  readonly toleranceChange?: number
  /** How long steps are: fixed by the rate, or found by the strong Wolfe conditions. Default 'fixed', as in PyTorch. */
  readonly lineSearch?: 'fixed' | 'strongWolfe'
  /** Of the line search. */
  readonly wolfe?: WolfeOptions
}

/** L-BFGS bound to the trainable Variables of a model. */
export interface Lbfgs {
  /**
   * Goes on for up to `maxIterations`; the loss before. `evaluate` gives loss and gradients at the weights as they are, over
   * the whole set or a large batch, and may be compiled: `compile(() => valueAndGrad(loss, model))`.
   */
  step(evaluate: Evaluate): Promise<number>
}

type Vector = Float64Array<ArrayBuffer>

const dot = (a: Vector, b: Vector): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
const largest = (a: Vector): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
/** a + c b. */
const plus = (a: Vector, b: Vector, c: number): Vector => a.map((x, i) => x + c * (b[i] as number))

/** A step and the change of the gradient over it. */
interface Pair {
  readonly step: Vector
  readonly change: Vector
  readonly inverse: number
}

/** Minus the inverse second derivatives, as far as the pairs know them, times the gradient (Nocedal, 1980). */
function direction(gradient: Vector, pairs: readonly Pair[], scale: number): Vector {
  let q = gradient.map((g) => -g)
  const alphas: number[] = []
  for (const { step, change, inverse } of pairs.toReversed()) {
    const alpha = inverse * dot(step, q)
    alphas.push(alpha)
    q = plus(q, change, -alpha)
  }
  let r = q.map((x) => x * scale)
  for (const { step, change, inverse } of pairs) {
    const beta = inverse * dot(change, r)
    r = plus(r, step, (alphas.pop() as number) - beta)
  }
  return r
}

/** The model's parameters as one vector in float64 on the host. */
function parametersOf(model: unknown) {
  const cells = Object.entries(namedVariables(model, { trainable: true }))
  if (cells.length === 0)
    throw new OpError('lbfgs', 'found no trainable Variables', { hint: 'Pass the model, or an array of Variables.' })
  const sizes = cells.map(([, v]) => v.shape.reduce((a, b) => a * b, 1))
  const flat = async (tensors: readonly Tensor[]): Promise<Vector> => {
    const all = new Float64Array(sizes.reduce((a, b) => a + b, 0))
    let at = 0
    for (const [i, t] of tensors.entries()) {
      all.set(Array.from(await t.data(), Number), at)
      at += sizes[i] as number
    }
    return all
  }
  return {
    read: () => flat(cells.map(([, v]) => v.value)),
    gradient: (grads: Readonly<Record<string, Tensor>>) =>
      flat(
        flattenTree(
          cells.map(([name]) => {
            const g = grads[name]
            if (g === undefined) throw new OpError('lbfgs', `no gradient for '${name}'`)
            return g
          }),
        ),
      ),
    write(values: Vector): void {
      let at = 0
      for (const [i, [, v]] of cells.entries()) {
        const size = sizes[i] as number
        const part = Float32Array.from(values.subarray(at, at + size))
        ;(v as Variable).assign(fromData(part, v.shape, 'float32').cast(v.dtype) as Tensor)
        at += size
      }
    },
  }
}

/** A point of a line search with its gradient. */
interface Point extends LinePoint {
  readonly gradient: Vector
}

/**
 * The quasi-Newton method of limited memory (Nocedal, 1980; Liu and Nocedal, 1989), as `torch.optim.LBFGS`, for losses that
 * are the same at every call. Its arithmetic on vectors is in float64 on the host; only loss and gradients run on the backend.
 * @example
 * const opt = lbfgs(model, { lineSearch: 'strongWolfe' })
 * const evaluate = compile(() => valueAndGrad(() => mse(model(x), y), model))
 * for (let i = 0; i < 10; i++) await opt.step(evaluate)
 */
export function lbfgs(model: unknown, options: LbfgsOptions = {}): Lbfgs {
  checkOptions('lbfgs', options, [
    'rate',
    'maxIterations',
    'maxEvaluations',
    'historySize',
    'toleranceGradient',
    'toleranceChange',
    'lineSearch',
    'wolfe',
  ])
  const { rate = 1, maxIterations = 20, historySize = 100, toleranceGradient = 1e-7, toleranceChange = 1e-9 } = options
  const { maxEvaluations = Math.floor((maxIterations * 5) / 4), lineSearch = 'fixed', wolfe = {} } = options
  checkRate('lbfgs', 'the rate', rate)
  for (const [name, n] of Object.entries({ maxIterations, maxEvaluations, historySize }))
    checkPositiveInteger('lbfgs', name, n)
  const parameters = parametersOf(model)
  const pairs: Pair[] = []
  let scale = 1
  let last: { readonly step: Vector; readonly gradient: Vector } | undefined

  /** What the last step has taught about the second derivatives. */
  function learn(gradient: Vector): void {
    if (last === undefined) return
    const change = plus(gradient, last.gradient, -1)
    const curvature = dot(last.step, change)
    // Where the slope did not rise there is nothing to invert.
    if (!(curvature > 1e-10)) return
    if (pairs.length === historySize) pairs.shift()
    pairs.push({ step: last.step, change, inverse: 1 / curvature })
    scale = curvature / dot(change, change)
  }

  return {
    async step(evaluate) {
      let evaluations = 0
      const measure = async (): Promise<{ readonly value: number; readonly gradient: Vector }> => {
        evaluations++
        const [loss, grads] = evaluate()
        return { value: Number(await loss.item()), gradient: await parameters.gradient(grads) }
      }
      let now = await measure()
      const first = now.value
      let x = await parameters.read()
      for (let i = 1; i <= maxIterations && largest(now.gradient) > toleranceGradient; i++) {
        const fresh = last === undefined
        learn(now.gradient)
        const d = direction(now.gradient, pairs, scale)
        const slope = dot(now.gradient, d)
        if (slope > -toleranceChange) break
        const t = fresh ? Math.min(1, 1 / now.gradient.reduce((sum, g) => sum + Math.abs(g), 0)) * rate : rate
        const [before, from] = [now, x]
        let length = t
        if (lineSearch === 'strongWolfe') {
          const at = async (step: number): Promise<Point> => {
            parameters.write(plus(from, d, step))
            const found = await measure()
            return { step, ...found, slope: dot(found.gradient, d) }
          }
          const found = await strongWolfe(at, { ...before, step: 0, slope }, t, wolfe)
          length = found.step
          now = found
        }
        x = plus(from, d, length)
        parameters.write(x)
        last = { step: d.map((v) => v * length), gradient: before.gradient }
        if (lineSearch === 'fixed' && i < maxIterations) now = await measure()
        const still = largest(last.step) <= toleranceChange || Math.abs(now.value - before.value) < toleranceChange
        if (evaluations >= maxEvaluations || (now !== before && still)) break
      }
      return first
    },
  }
}
