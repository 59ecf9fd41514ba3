import {
  build,
  canonical,
  countUses,
  type Node,
  parameter,
  printGraph,
  rewrite,
  settle,
  substitute,
  topological,
  twin,
} from '@tessella/ir'
import { describe, expect, it } from 'vitest'

const depth = 100_000
function chain(): { x: ReturnType<typeof parameter>; end: Node } {
  const x = parameter([2], 'float32')
  let end: Node = x
  for (let i = 0; i < depth; i++) end = build.neg(end)
  return { x, end }
}

describe('walks of a chain of 100,000 nodes', () => {
  const { x, end } = chain()
  it('topological', () => {
    const order = topological([end])
    expect(order).toHaveLength(depth + 1)
    expect([order[0], order[depth]]).toEqual([x, end])
  })
  it('canonical and printGraph', () => {
    expect(canonical([end]).order).toHaveLength(depth + 1)
    expect(printGraph({ inputs: [x], outputs: [end] }).split('\n')).toHaveLength(depth + 2)
  })
  it('rewrite and substitute', () => {
    const [same] = rewrite([end], (node) => node)
    expect(same).toBe(end)
    const y = parameter([2], 'float32')
    const [moved] = substitute([end], new Map<Node, Node>([[x, y]]))
    expect(topological([moved!])[0]).toBe(y)
  })
})

describe('topological', () => {
  it('lists sources before users, each once', () => {
    const x = parameter([2], 'float32')
    const a = build.neg(x)
    const b = build.add(a, x)
    const c = build.mul(b, a)
    expect(topological([c, a])).toEqual([x, a, b, c])
  })
  it('lists stop nodes without what is behind them', () => {
    const x = parameter([2], 'float32')
    const a = build.neg(x)
    const b = build.add(a, a)
    expect(topological([b], (node) => node === a)).toEqual([a, b])
  })
  it('finds nothing behind a settled node', () => {
    const x = parameter([2], 'float32')
    const a = build.neg(x)
    const b = build.neg(a)
    settle(a, {})
    expect(topological([b])).toEqual([a, b])
    expect(a.op).toBe('parameter')
    expect(a.src).toEqual([])
  })
})

describe('rewrite', () => {
  const x = parameter([2], 'float32')
  it('shares what did not change and rebuilds the rest', () => {
    const kept = build.unary('exp', x)
    const swapped = build.unary('sin', x)
    const end = build.add(kept, swapped)
    const [out] = rewrite([end], (node) => (node === swapped ? build.unary('cos', x) : node))
    expect(out).not.toBe(end)
    expect(out!.src[0]).toBe(kept)
    expect(printGraph({ inputs: [x], outputs: [out!] })).toContain('fn=cos')
  })
  it('keeps sharing: a node used twice is replaced once', () => {
    const inner = build.unary('sin', x)
    const [out] = rewrite([build.add(inner, inner)], (node) => (node === inner ? build.unary('cos', x) : node))
    expect(out!.src[0]).toBe(out!.src[1])
  })
  it('does not enter a stop node', () => {
    const inner = build.unary('sin', x)
    const end = build.neg(inner)
    const [out] = rewrite(
      [end],
      (node) => (node.op === 'parameter' ? parameter([2], 'float32') : node),
      (node) => node === inner,
    )
    expect(out).toBe(end)
  })
})

it('countUses counts users and roots', () => {
  const x = parameter([2], 'float32')
  const a = build.neg(x)
  const b = build.mul(a, a)
  const uses = countUses(topological([b, a]), [b, a])
  expect([uses.get(x), uses.get(a), uses.get(b)]).toEqual([1, 3, 1])
})

it('a twin is the same operation on other sources', () => {
  const [x, y] = [parameter([2, 3], 'float32'), parameter([2, 3], 'float32')]
  const sum = build.reduce('sum', x, [1])
  const other = twin(sum, [y])
  expect(other).toMatchObject({ op: 'reduce', attrs: sum.attrs, shape: [2], dtype: 'float32', src: [y] })
  expect(other.id).toBeGreaterThan(sum.id)
  expect(canonical([other]).key).toBe(canonical([sum]).key)
})
