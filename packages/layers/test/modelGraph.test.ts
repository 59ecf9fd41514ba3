/** The graph of a model, its picture, and what its operations cost. */
import { type Tensor, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

beforeAll(() => useBackend(reference()))

const block = () => L.residual(L.sequential(L.conv2d(4, 4, 3, { padding: 'same' }), L.relu()))

describe('modelGraph', () => {
  it('is a chain for a chain', () => {
    const model = L.sequential(L.input(8), L.linear(8, 4), L.relu(), L.linear(4, 2))
    expect(L.graphText(L.modelGraph(model))).toBe(
      [
        '0 input [1, 8]',
        '1 1 linear [1, 4] <- 0',
        '2 2 relu [1, 4] <- 1',
        '3 3 linear [1, 2] <- 2',
        '4 output [1, 2] <- 3',
      ].join('\n'),
    )
  })

  it('shows both ways of a residual and what joins them', () => {
    const graph = L.modelGraph(L.sequential(block(), L.flatten(), L.linear(64, 2)), [2, 4, 4, 4])
    expect(graph.map(({ name, from }) => [name, ...from])).toEqual([
      ['input'],
      ['conv2d', 0],
      ['relu', 1],
      ['add', 0, 2],
      ['flatten', 3],
      ['linear', 4],
      ['output', 5],
    ])
  })

  it('follows free composition: a layer used twice, and operations on several results', () => {
    const net = L.module({ a: L.linear(3, 3), b: L.linear(3, 3) }, (m, x: Tensor) => {
      const y = m.a(x as never) as Tensor
      return m.a(y.mul(m.b(x as never) as Tensor) as never)
    })
    expect(L.modelGraph(net, [1, 3]).map(({ path, name, from }) => [path || name, ...from])).toEqual([
      ['input'],
      ['a', 0],
      ['b', 0],
      ['mul', 1, 2],
      ['a', 3],
      ['output', 4],
    ])
  })

  it('does not look behind parameters', () => {
    const net = L.module({ norm: L.weightNorm(L.linear(3, 3)) }, (m, x: Tensor) => m.norm(x as never))
    expect(L.modelGraph(net, [1, 3])).toHaveLength(3)
  })
})

describe('drawGraph', () => {
  const numbers = (text: string, tag: RegExp): number[][] => [...text.matchAll(tag)].map((m) => m.slice(1).map(Number))

  it('draws a box for each node and an arrow for each use, and no box lies on another', () => {
    const graph = L.modelGraph(L.sequential(block(), block(), L.flatten(), L.linear(64, 2)), [2, 4, 4, 4])
    const svg = L.drawGraph(graph)
    const boxes = numbers(svg, /<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)" rx/g)
    expect(boxes).toHaveLength(graph.length)
    expect(svg.match(/marker-end/g)).toHaveLength(graph.reduce((n, { from }) => n + from.length, 0))
    const [width, height] = numbers(svg, /viewBox="0 0 (\d+) (\d+)"/g)[0] as [number, number]
    for (const [i, [x = 0, y = 0, w = 0, h = 0]] of boxes.entries()) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + w).toBeLessThanOrEqual(width)
      expect(y + h).toBeLessThanOrEqual(height)
      for (const [x2 = 0, y2 = 0, w2 = 0, h2 = 0] of boxes.slice(i + 1))
        expect(x + w <= x2 || x2 + w2 <= x || y + h <= y2 || y2 + h2 <= y).toBe(true)
    }
  })

  it('an edge past other boxes goes around them', () => {
    const graph = L.modelGraph(block(), [1, 4, 4, 4])
    const svg = L.drawGraph(graph)
    const boxes = numbers(svg, /<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)" rx/g)
    const [, , , lane = 0] = numbers(svg, /d="M([\d.]+) ([\d.]+)C[\d. ]+ ([\d.]+)L([\d.]+) /g)[0] as number[]
    const right = Math.max(...boxes.slice(1, 3).map(([x = 0, , w = 0]) => x + w))
    expect(lane).toBeGreaterThan(right)
  })

  it('escapes names', () => {
    const svg = L.drawGraph(L.modelGraph(L.fn('a<b & "c"', (x: Tensor) => x.neg()) as never, [2]))
    expect(svg).toContain('a&lt;b &amp; &quot;c&quot;')
    expect(svg).not.toContain('a<b')
  })
})

describe('flops', () => {
  it('of layers, by hand', () => {
    const of = (layer: L.AnyLayer, shape: readonly number[]): number => L.summarize(layer, shape).flops
    // A product is k multiplications and k additions, the bias one more.
    expect(of(L.linear(10, 4) as never, [3, 10])).toBe(3 * 4 * (2 * 10 + 1))
    expect(of(L.linear(10, 4, { bias: false }) as never, [3, 10])).toBe(3 * 4 * 2 * 10)
    expect(of(L.conv2d(2, 4, 3, { groups: 2, bias: false }) as never, [1, 2, 5, 5])).toBe(4 * 9 * 2 * 9)
    expect(of(L.convTranspose2d(2, 4, 2, { stride: 2, bias: false }) as never, [1, 2, 3, 3])).toBe(2 * 9 * 2 * 4 * 4)
    expect(of(L.maxPool2d(2) as never, [1, 2, 4, 4])).toBe(8 * 3)
    expect(of(L.tanh() as never, [2, 5])).toBe(10)
    expect(of(L.flatten() as never, [2, 5, 5])).toBe(0)
    expect(of(L.residual(L.tanh()) as never, [2, 5])).toBe(20)
  })

  it('counts what is shared once, and not the drawing of weights', () => {
    const model = L.sequential(L.linear(4, 4), L.tanh(), L.linear(4, 4))
    const { flops, rows } = L.summarize(model as never, [1, 4])
    expect(rows.map((r) => r.flops)).toEqual([36, 4, 36])
    expect(flops).toBe(76)
  })

  it('recurrent layers and attention count weights and products of both kinds', () => {
    const lstm = L.summarize(L.lstm(3, 4) as never, [2, 5, 3])
    expect(lstm.parameters).toBe(16 * (3 + 4 + 2))
    expect(lstm.macs).toBe(2 * 5 * 16 * (3 + 4))
    expect(lstm.flops).toBeGreaterThan(2 * lstm.macs)
    const attention = L.summarize(L.multiheadAttention(6, 2) as never, [2, 5, 6])
    expect(attention.parameters).toBe(4 * 6 * 7)
    expect(attention.macs).toBe(2 * 5 * (4 * 36 + 2 * 5 * 6))
    expect(attention.flops).toBeGreaterThan(2 * attention.macs)
    expect(attention.flops).toBeLessThan(2.5 * attention.macs)
  })
})
