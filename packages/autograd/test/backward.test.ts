import { build, make, type Node, OpError, parameter, printGraph, topological } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { jvpNodes, vjpNodes } from '../src/index.ts'
import { draw, program } from './support/program.ts'

const scalar = () => parameter([], 'float64')
const one = build.constant(1, 'float64')
const gradientAt = async (y: Node, x: ReturnType<typeof scalar>, at: number) =>
  (await program([x], vjpNodes([y], [one], [x]))([[at]]))[0]?.[0]

describe('vjpNodes', () => {
  it('adds the gradients of every use and of every output', async () => {
    const x = scalar()
    const grads = vjpNodes([build.mul(x, x), build.scale(x, 3)], [one, build.constant(10, 'float64')], [x])
    expect(await program([x], grads)([[4]])).toEqual([[8 + 30]])
  })

  it('gives zeros for an input that no output reaches', async () => {
    const x = scalar()
    const other = parameter([2, 2], 'float32')
    const [dx, none] = vjpNodes([build.neg(x)], [one], [x, other])
    expect([none?.shape, none?.dtype]).toEqual([[2, 2], 'float32'])
    expect(await program([x], [dx as Node, none as Node])([[1]])).toEqual([[-1], [0, 0, 0, 0]])
  })

  it('treats inputs as cut points: their history does not count', async () => {
    const x = scalar()
    const y = build.mul(x, x)
    const z = build.mul(y, x)
    expect(await program([x], vjpNodes([z], [one], [x, y]))([[3]])).toEqual([[9], [3]])
  })

  it('an output that is an input has the cotangent as its gradient', async () => {
    const x = scalar()
    expect(await gradientAt(x, x, 5)).toBe(1)
  })

  it('stops at stopGradient, and passes the value of after but not its event', async () => {
    const x = scalar()
    expect(await gradientAt(build.mul(x, build.stopGradient(x)), x, 5)).toBe(5)
    expect(await gradientAt(build.after(build.scale(x, 2), build.mul(x, x)), x, 5)).toBe(2)
  })

  it('a custom gradient replaces the derivative of the value', async () => {
    const x = scalar()
    const clipped = make('custom', [build.scale(x, 7), x], { name: 'c', vjp: (_, __, g) => [build.scale(g, 100)] })
    expect(await gradientAt(build.mul(clipped, clipped), x, 1)).toBe(1400)
    const silent = make('custom', [build.scale(x, 7), x], { name: 'c', vjp: () => [undefined] })
    expect(await gradientAt(silent, x, 1)).toBe(0)
  })

  it('float16 keeps its gradient in float32 until the end', async () => {
    const h = parameter([2], 'float16')
    const x = build.cast(h, 'float32')
    const twice = build.add(x, build.cast(build.reshape(h, [2]), 'float32'))
    const [g] = vjpNodes([twice], [build.full([2], 1, 'float32')], [h])
    expect(g?.dtype).toBe('float16')
    const out = await program([h], [build.cast(g as Node, 'float32')])([[0, 0]])
    expect(out).toEqual([[2, 2]])
  })

  it('differentiates chains of 20,000 operations without recursion', async () => {
    const x = scalar()
    let y: Node = x
    for (let i = 0; i < 20_000; i++) y = build.scale(y, i % 2 === 0 ? 2 : 0.5)
    const [g] = vjpNodes([y], [one], [x])
    expect(topological([g as Node]).length).toBeGreaterThan(20_000)
    expect(await program([x], [g as Node])([[1]])).toEqual([[1]])
  })

  it('puts the gradients of parts side by side', async () => {
    const x = parameter([2, 6], 'float64')
    const part = (start: number, size: number) => build.narrow(x, 1, start, size)
    const y = build.concat([build.scale(part(4, 1), 5), build.scale(part(1, 2), 3), part(0, 1)], 1)
    const [g] = vjpNodes([y, x], [build.onesLike(y), build.onesLike(x)], [x]) as readonly [Node]
    expect(topological([g]).filter((n) => n.op === 'pad')).toEqual([])
    expect(await program([x], [g])([draw(12, 1)])).toEqual([[2, 4, 4, 1, 6, 1, 2, 4, 4, 1, 6, 1]])
    const overlapping = build.add(part(0, 2), part(1, 2))
    const again = vjpNodes([overlapping], [build.onesLike(overlapping)], [x])
    expect(await program([x], again)([draw(12, 1)])).toEqual([[1, 2, 1, 0, 0, 0, 1, 2, 1, 0, 0, 0]])
  })

  it('does not build what nobody asked for', () => {
    const x = parameter([2, 1, 4, 4], 'float32')
    const w = parameter([3, 1, 2, 2], 'float32')
    const attrs = {
      stride: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ] as const,
      dilation: [1, 1],
      groups: 1,
    }
    const y = build.conv(x, w, attrs)
    const [dw] = vjpNodes([y], [build.onesLike(y)], [w])
    expect(printGraph({ inputs: [x], outputs: [dw as Node] })).not.toContain('convGradInput')
  })

  it('relu needs only its result for the way back', () => {
    const x = parameter([3], 'float32')
    const y = build.binary('max', x, build.constant(0))
    const g = vjpNodes([y], [build.onesLike(y)], [x])
    expect(topological(g, (n) => n === y)).not.toContain(x)
  })

  const f32 = parameter([2], 'float32')
  const i32 = parameter([2], 'int32')
  const bad: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['integer input', () => vjpNodes([f32], [f32], [i32]), /^\[grad\] an input must be floating, got int32/],
    ['integer output', () => vjpNodes([i32], [f32], [f32]), /^\[grad\] an output must be floating, got int32/],
    [
      'cotangent shape',
      () => vjpNodes([f32], [build.constant(1)], [f32]),
      /^\[vjp\] a cotangent must .*\[\] and \[2\]/,
    ],
    ['cotangent count', () => vjpNodes([f32], [], [f32]), /^\[vjp\] 1 outputs need as many cotangents, got 0/],
    ['tangent count', () => jvpNodes([f32], [f32], []), /^\[jvp\] 1 inputs need as many tangents, got 0/],
    [
      'custom rule of a wrong shape',
      () => {
        const y = make('custom', [f32, f32], { name: 'c', vjp: () => [build.constant(1)] })
        return vjpNodes([y], [f32], [f32])
      },
      /^\[customVjp\] the rule answered float32 for an input of float32 \(shapes \[\] and \[2\]\)/,
    ],
  ]
  it.each(bad)('says what is wrong: %s', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })
})

describe('jvpNodes', () => {
  it('leaves nothing of the reverse sweep in the graph', () => {
    const x = parameter([3], 'float32')
    const t = parameter([3], 'float32')
    const [dy] = jvpNodes([build.unary('sin', x)], [x], [t])
    expect(printGraph({ inputs: [x, t], outputs: [dy as Node] })).toMatchInlineSnapshot(`
      "%0 = parameter(): float32[3]
      %1 = parameter(): float32[3]
      %2 = unary{fn=cos}(%0): float32[3]
      %3 = binary{fn=mul}(%1, %2): float32[3]
      return %3"
    `)
  })
})
