import { build, isFloat, type Node, sizeOf } from '@tessella/ir'
import { expect } from 'vitest'
import { jvpNodes, vjpNodes } from '../../src/index.ts'
import { draw, type Input, parametersOf, program, valuesOf } from './program.ts'

export type NodeFunction = (...inputs: Node[]) => Node

export interface CheckOptions {
  readonly tolerance?: number
  readonly seed?: number
}

const step = 1e-5

const constantFrom = (shape: readonly number[], values: readonly number[]): Node =>
  build.reshape(
    values.length === 0
      ? build.full([0], 0, 'float64')
      : build.concat(
          values.map((v) => build.full([1], v, 'float64')),
          0,
        ),
    shape,
  )

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length)
  for (const [i, e] of expected.entries()) {
    const a = actual[i] as number
    if (!(Math.abs(a - e) <= tolerance * (1 + Math.abs(e)))) expect(a).toBeCloseTo(e, 6)
  }
}

/**
 * Central differences of sum(c * f(x)) with random c against vjpNodes, and of f along a random direction against jvpNodes.
 */
export async function checkGradient(f: NodeFunction, inputs: readonly Input[], options: CheckOptions = {}) {
  const { tolerance = 2e-6, seed = 1 } = options
  const xs = parametersOf(inputs)
  const values = valuesOf(inputs, seed)
  const y = f(...xs)
  const wanted = xs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []))
  const at = wanted.map((i) => xs[i] as Node)
  const weights = draw(sizeOf(y.shape), 77)
  const c = constantFrom(y.shape, weights)
  const directions = at.map((x, i) => draw(sizeOf(x.shape), 99 + i))
  const grads = vjpNodes([y], [c], at)
  const [pushed] = jvpNodes(
    [y],
    at,
    at.map((x, i) => constantFrom(x.shape, directions[i] ?? [])),
  )
  const forward = program(xs, [y])
  const dot = (out: readonly number[]) => out.reduce((sum, v, i) => sum + v * (weights[i] as number), 0)
  const results = await program(xs, [...grads, pushed as Node])(values)

  for (const [k, i] of wanted.entries()) {
    const numeric: number[] = []
    for (const [j, v] of (values[i] as number[]).entries()) {
      const moved = async (to: number) => {
        const copy = values.map((list) => [...list])
        ;(copy[i] as number[])[j] = to
        return dot((await forward(copy))[0] as number[])
      }
      numeric.push(((await moved(v + step)) - (await moved(v - step))) / (2 * step))
    }
    expectClose(results[k] as number[], numeric, tolerance)
  }
  const along = async (by: number) =>
    (
      await forward(
        values.map((list, i) => {
          const d = directions[wanted.indexOf(i)]
          return d ? list.map((v, j) => v + by * (d[j] as number)) : list
        }),
      )
    )[0] as number[]
  const [ahead, behind] = [await along(step), await along(-step)]
  const numeric = ahead.map((v, i) => (v - (behind[i] as number)) / (2 * step))
  expectClose(results[wanted.length] as number[], numeric, tolerance)
}

/** The gradients of sum(sin(f)) as one vector: checking its gradient checks the second order. */
export const gradientOf =
  (f: NodeFunction): NodeFunction =>
  (...xs) => {
    const y = f(...xs)
    const at = xs.filter((x) => isFloat(x.dtype))
    const grads = vjpNodes([y], [build.unary('cos', y)], at)
    return build.concat(
      grads.map((g) => build.reshape(g, [sizeOf(g.shape)])),
      0,
    )
  }
