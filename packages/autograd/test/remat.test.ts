import { build, idMark, type Node, parameter, topological } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { jvpNodes, rematerialized, vjpNodes, vmapNodes } from '../src/index.ts'
import { draw, program } from './support/program.ts'

const count = (nodes: readonly Node[], fn: string) =>
  topological(nodes).filter((n) => n.op === 'unary' && (n.attrs as { fn: string }).fn === fn).length

const block = (x: Node, w: Node): Node => build.unary('tanh', build.unary('sin', build.matmul(x, w)))

describe('rematerialized', () => {
  const x = parameter([2, 3], 'float64')
  const w = parameter([3, 3], 'float64')
  const values = [draw(6, 1), draw(9, 2)]
  const direct = build.unary('exp', block(x, w))
  const mark = idMark()
  const [kept] = rematerialized([block(x, w)], mark) as readonly [Node]
  const saved = build.unary('exp', kept)
  const ones = build.full([2, 3], 1, 'float64')

  it('gives the same values and gradients, to the inputs and to what the function closes over', async () => {
    const expected = await program([x, w], [direct, ...vjpNodes([direct], [ones], [x, w])])(values)
    const actual = await program([x, w], [saved, ...vjpNodes([saved], [ones], [x, w])])(values)
    expect(actual).toEqual(expected)
  })

  it('recomputes in a copy that starts after the gradient is known', () => {
    expect(count(vjpNodes([direct], [ones], [w]), 'tanh')).toBe(1)
    const grads = vjpNodes([saved], [ones], [w])
    expect(count([saved, ...grads], 'sin')).toBe(2)
    expect(count([saved, ...grads], 'tanh')).toBe(2)
    const events = topological(grads).filter((n) => n.op === 'after')
    expect(events.map((n) => n.src[0])).toEqual(expect.arrayContaining([x, w]))
    // The event is the gradient of the block's output: exp's derivative times the cotangent.
    expect(topological([events[0]?.src[1] as Node])).toContain(saved)
  })

  it('differentiates again, forward, and in lanes', async () => {
    const second = (y: Node) => {
      const [g] = vjpNodes([y], [ones], [x]) as readonly [Node]
      return vjpNodes([build.mul(g, g)], [ones], [x, w])
    }
    const forward = (y: Node) => jvpNodes([y], [x], [build.full([2, 3], 0.5, 'float64')])
    const lanes = (y: Node) => {
      const xs = build.concat([build.reshape(x, [1, 2, 3]), build.reshape(build.neg(x), [1, 2, 3])], 0)
      return vmapNodes(vjpNodes([y], [ones], [w]), [x], [xs], 2)
    }
    for (const transform of [second, forward, lanes]) {
      const expected = await program([x, w], transform(direct))(values)
      const actual = await program([x, w], transform(saved))(values)
      for (const [i, e] of expected.entries())
        for (const [j, v] of e.entries()) expect(actual[i]?.[j]).toBeCloseTo(v, 12)
    }
  })

  it('several outputs share one recomputation', async () => {
    const two = () => {
      const from = idMark()
      const s = build.unary('sin', build.mul(x, x))
      return { from, outputs: [build.unary('tanh', s), build.reduce('sum', s, [1]), build.constant(3, 'int32')] }
    }
    const plain = two().outputs
    const made = two()
    const kept = rematerialized(made.outputs, made.from)
    expect(kept[2]).toBe(made.outputs[2])
    const sum = ([a, b]: readonly Node[]) =>
      build.add(build.reduce('sum', a as Node, [0, 1]), build.reduce('sum', b as Node, [0]))
    const grads = (outputs: readonly Node[]) => vjpNodes([sum(outputs)], [build.constant(1, 'float64')], [x])
    expect(count([sum(kept), ...grads(kept)], 'sin')).toBe(2)
    expect(await program([x], grads(kept))([values[0] as number[]])).toEqual(
      await program([x], grads(plain))([values[0] as number[]]),
    )
  })

  it('leaves alone what was not made inside', () => {
    expect(rematerialized([x], idMark())).toEqual([x])
  })
})
