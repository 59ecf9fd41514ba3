import { build, type Dims, make, type Node, parameter } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { gradcheck, type NodeVjp } from '../../gradcheck.ts'
import { reference } from '../../reference/reference.ts'
import type { GradCase } from './gradCase.ts'
import { opGradients } from './opGradients.ts'
import { binaryGradients, unaryGradients } from './scalarGradients.ts'

export interface GradientConformanceOptions {
  readonly vjp: NodeVjp
  /** Also compare second derivatives: the gradient of a gradient. Default true. */
  readonly secondOrder?: boolean
}

/** fn's gradient as a function: sum(vjp_i * k) with fixed cotangents, so that its own gradient can be checked. */
function gradientOf(c: GradCase, vjp: NodeVjp): GradCase['fn'] {
  return (inputs) => {
    const output = c.fn(inputs)
    const leaves = inputs.slice(0, c.inputs.length)
    const gradients = vjp(output, leaves, ramp(output.shape))
    let sum: Node = build.constant(0, 'float64')
    for (const g of gradients)
      if (g)
        sum = build.add(
          sum,
          build.reduce(
            'sum',
            build.mul(g, ramp(g.shape)),
            g.shape.map((_, i) => i),
          ),
        )
    return sum
  }
}

/** Distinct weights 0.5, 0.6, ... */
function ramp(shape: Dims): Node {
  const flat = build.iota([shape.reduce((n, d) => n * d, 1)], 0, 'float64')
  return build.reshape(build.shift(build.scale(flat, 0.1), 0.5), shape)
}

async function valuesOf(
  nodes: readonly Node[],
  x: Node & { op: 'parameter' },
  data: readonly number[],
): Promise<number[][]> {
  const backend = reference()
  const input = backend.upload(x.dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data), x.dtype)
  const outputs = backend.prepare({ inputs: [x], outputs: nodes }).run([input], [false])
  return Promise.all(outputs.map(async (b, i) => [...(await backend.read(b, (nodes[i] as Node).dtype))]))
}

/**
 * Registers vitest tests that hold a vector-Jacobian transform against central differences, for every operation and
 * scalar function of the language, first and second order.
 *
 * @example
 * gradientConformance({ vjp })
 */
export function gradientConformance({ vjp, secondOrder = true }: GradientConformanceOptions): void {
  const register = (group: string, cases: readonly GradCase[]) =>
    describe(group, () => {
      for (const c of cases) {
        it(c.name, () => gradcheck(call(c.fn), c.inputs, { vjp }))
        if (secondOrder)
          it(`${c.name}, second order`, () => gradcheck(call(gradientOf(c, vjp)), c.inputs, { vjp, tolerance: 1e-4 }))
      }
    })
  const call =
    (fn: GradCase['fn']) =>
    (inputs: readonly Node[]): Node =>
      fn(inputs as readonly [Node, Node, Node])

  describe('gradients', () => {
    for (const [fn, cases] of unaryGradients) if (cases.length > 0) register(`unary.${fn}`, cases)
    for (const [fn, cases] of binaryGradients) if (cases.length > 0) register(`binary.${fn}`, cases)
    for (const [op, cases] of Object.entries(opGradients)) if (typeof cases !== 'string') register(op, cases)

    it('stopGradient: the value without a gradient', async () => {
      const x = parameter([2], 'float64')
      const [g] = vjp(build.mul(build.stopGradient(x), x), [x], build.full([2], 1, 'float64'))
      expect((await valuesOf([g as Node], x, [3, 5]))[0]).toEqual([3, 5])
      const [none] = vjp(build.stopGradient(x), [x], build.full([2], 1, 'float64'))
      if (none) expect((await valuesOf([none], x, [3, 5]))[0]).toEqual([0, 0])
    })

    it('cast: the gradient comes back in the dtype of the input, and stops at integers', async () => {
      const x = parameter([2], 'float32')
      const [g] = vjp(build.scale(build.cast(x, 'float64'), 3), [x], build.full([2], 1, 'float64'))
      expect((g as Node).dtype).toBe('float32')
      expect((await valuesOf([g as Node], x, [3, 5]))[0]).toEqual([3, 3])
      const through = build.cast(build.cast(x, 'int32'), 'float32')
      const [none] = vjp(through, [x], build.full([2], 1, 'float32'))
      if (none) expect((await valuesOf([none], x, [3, 5]))[0]).toEqual([0, 0])
    })

    it('custom: the rule of the node, not the gradient of its value', async () => {
      const x = parameter([2], 'float64')
      const node = make('custom', [build.mul(x, x), x], {
        name: 'clipped',
        vjp: (_, __, grad) => [build.scale(grad, 7)],
      })
      const [g] = vjp(build.scale(node, 2), [x], build.full([2], 1, 'float64'))
      expect((await valuesOf([g as Node], x, [3, 5]))[0]).toEqual([14, 14])
    })
  })
}
