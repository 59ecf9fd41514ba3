import { build, type Node, OpError, type OpName, parameter, sizeOf, topological } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { vjpNodes, vmapNodes } from '../src/index.ts'
import { gradientOf } from './support/checkGradient.ts'
import { opCases } from './support/opCases.ts'
import { type Input, parametersOf, program, valuesOf } from './support/program.ts'

const size = 3
const rows = (Object.keys(opCases) as OpName[]).flatMap((op) => opCases[op].map((c) => ({ op, ...c })))

/** Runs `f` in lanes over the inputs that `which` names, and once per lane. */
async function compare(f: (...xs: Node[]) => Node, inputs: readonly Input[], which: (i: number) => boolean) {
  const stand = parametersOf(inputs)
  const y = f(...stand)
  const chosen = stand.filter((_, i) => which(i))
  const batched = chosen.map((x) => parameter([size, ...x.shape], x.dtype))
  const [out] = vmapNodes([y], chosen, batched, size) as readonly [Node]
  expect(out.shape).toEqual([size, ...y.shape])
  const lanes = Array.from({ length: size }, (_, lane) => {
    const drawn = valuesOf(
      inputs.map((x) => (x.dtype === undefined ? { shape: x.shape } : x)),
      10 * lane + 1,
    )
    // Keys differ between lanes; indices and shared inputs stay.
    return drawn.map((v, i) => (inputs[i]?.dtype === 'uint32' ? v.map((k) => k + lane) : v))
  })
  const shared = lanes[0] as number[][]
  const single = program(stand, [y])
  const expected: number[] = []
  for (const lane of lanes)
    expected.push(...((await single(shared.map((v, i) => (which(i) ? (lane[i] as number[]) : v))))[0] as number[]))
  const stacked = chosen.map((x) => lanes.flatMap((lane) => lane[stand.indexOf(x)] as number[]))
  const rest = stand.filter((_, i) => !which(i))
  const restValues = shared.filter((_, i) => !which(i))
  const actual = (await program([...batched, ...rest], [out])([...stacked, ...restValues]))[0] as number[]
  expect(actual).toHaveLength(expected.length)
  for (const [i, e] of expected.entries()) expect(actual[i]).toBeCloseTo(e, 9)
}

describe('vmap of every operation equals a loop', () => {
  it.each(rows)('$op: $name', async ({ f, inputs }) => {
    await compare(f, inputs, () => true)
    if (inputs.length < 2) return
    for (const i of inputs.keys()) await compare(f, inputs, (k) => k === i)
  })

  it.each(rows)('$op: $name, its gradient', async ({ f, inputs }) => {
    await compare(gradientOf(f), inputs, () => true)
    if (inputs.length < 2) return
    for (const i of inputs.keys()) await compare(gradientOf(f), inputs, (k) => k === i)
  })
})

describe('vmapNodes', () => {
  it('gives per-example gradients', async () => {
    const w = parameter([2], 'float64')
    const x = parameter([2], 'float64')
    const loss = build.reduce('sum', build.mul(build.mul(w, x), build.mul(w, x)), [0])
    const [g] = vjpNodes([loss], [build.constant(1, 'float64')], [w])
    const xs = parameter([2, 2], 'float64')
    const [each] = vmapNodes([g as Node], [x], [xs], 2)
    expect(
      await program(
        [w, xs],
        [each as Node],
      )([
        [1, 2],
        [1, 2, 3, 4],
      ]),
    ).toEqual([[2, 16, 18, 64]])
  })

  it('computes once what all lanes share, and runs lanes through one kernel', () => {
    const x = parameter([4], 'float32')
    const w = parameter([4, 5], 'float32')
    const y = build.matmul(build.reshape(x, [1, 4]), build.unary('exp', w))
    const [out] = vmapNodes([y], [x], [parameter([7, 4], 'float32')], 7) as readonly [Node]
    const order = topological([out])
    expect(order.filter((n) => n.op === 'matmul').map((n) => sizeOf(n.shape))).toEqual([35])
    expect(order.filter((n) => n.op === 'unary').map((n) => n.shape)).toEqual([[4, 5]])
  })

  it('repeats an output that does not depend on the lanes', async () => {
    const x = parameter([], 'float64')
    const [out] = vmapNodes([build.constant(4, 'float64')], [x], [parameter([2], 'float64')], 2) as readonly [Node]
    expect(await program([], [out])([])).toEqual([[4, 4]])
  })

  it('says what does not fit', () => {
    const x = parameter([3], 'float32')
    const run = () => vmapNodes([x], [x], [parameter([2, 4], 'float32')], 2)
    expect(run).toThrow(OpError)
    expect(run).toThrow('[vmap] input 0 needs float32 with 2 lanes along a leading axis (shapes [2, 4] and [2, 3])')
  })
})
