import { build, canonical, make, type Node, type OpName, parameter } from '@tessella/ir'
import { randomGraph } from '@tessella/testing'
import { assert, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'

const x = parameter([2, 2], 'float32')
const image = parameter([1, 2, 4, 4], 'float32')
const index = parameter([2, 2], 'int32')
const key = parameter([2], 'uint32')
const small = parameter([1, 2, 3, 3], 'float32')
const window = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
} as const
const w = parameter([2, 2, 2, 2], 'float32')
const pool = { ...window, kernel: [2, 2] }
const shifted = {
  ...pool,
  padding: [
    [0, 0],
    [0, 1],
  ],
  stride: [1, 2],
} as const

/** Two values of each operation that differ in one attribute (or in the sources, where there is no attribute). */
const pairs: { readonly [K in OpName]: readonly [Node, Node] } = {
  constant: [build.constant(0), build.constant(-0)],
  parameter: [parameter([2], 'float32'), parameter([2], 'int32')],
  iota: [build.iota([2, 2], 0), build.iota([2, 2], 1)],
  unary: [build.unary('sin', x), build.unary('cos', x)],
  binary: [build.add(x, x), build.sub(x, x)],
  select: [
    build.select(build.constant(1, 'bool'), x, build.neg(x)),
    build.select(build.constant(1, 'bool'), build.neg(x), x),
  ],
  cast: [build.cast(x, 'int32'), build.cast(x, 'uint32')],
  reduce: [build.reduce('sum', x, [0]), build.reduce('sum', x, [1])],
  argReduce: [build.argReduce('max', x, 0), build.argReduce('min', x, 0)],
  cumulative: [build.cumulative('sum', x, 0), build.cumulative('sum', x, 0, true)],
  matmul: [build.matmul(x, build.neg(x)), build.matmul(build.neg(x), x)],
  conv: [
    build.conv(image, w, { ...window, groups: 1 }),
    build.conv(image, w, {
      ...window,
      padding: [
        [0, 0],
        [1, 0],
      ],
      groups: 1,
    }),
  ],
  convGradInput: [
    build.convGradInput(small, w, { ...window, groups: 1 }, [4, 4]),
    build.convGradInput(small, w, { ...window, stride: [1, 2], groups: 1 }, [4, 6]),
  ],
  convGradWeight: [
    build.convGradWeight(image, small, { ...window, groups: 1 }, [2, 2]),
    build.convGradWeight(image, small, { ...window, groups: 2 }, [2, 2]),
  ],
  maxPool: [build.maxPool(image, pool), build.maxPool(image, { ...pool, dilation: [2, 2] })],
  maxPoolGrad: [
    build.maxPoolGrad(image, small, pool),
    build.maxPoolGrad(image, small, {
      ...pool,
      kernel: [3, 2],
      padding: [
        [0, 1],
        [0, 0],
      ],
    }),
  ],
  maxPoolPick: [build.maxPoolPick(image, image, pool), build.maxPoolPick(image, image, shifted)],
  gather: [build.gather(x, index, 0), build.gather(x, index, 1)],
  scatterAdd: [build.scatterAdd(index, x, 0, 3), build.scatterAdd(index, x, 0, 4)],
  argsort: [build.argsort(x, 0), build.argsort(x, 0, true)],
  reshape: [build.reshape(x, [4]), build.reshape(x, [4, 1])],
  permute: [build.permute(image, [0, 1, 3, 2]), build.permute(image, [1, 0, 2, 3])],
  expand: [build.expand(build.constant(1), []), build.full([2], 1, 'float32')],
  slice: [build.slice(x, [0, 0], [1, 2]), build.slice(x, [1, 0], [1, 2])],
  flip: [build.flip(x, [0]), build.flip(x, [1])],
  pad: [build.pad(x, [1, 0], [0, 0], 0), build.pad(x, [1, 0], [0, 0], 1)],
  concat: [build.concat([x, x], 0), build.concat([x, x], 1)],
  randomBits: [build.randomBits(key, [2]), build.randomBits(key, [3])],
  alias: [build.alias(x), build.alias(build.alias(x))],
  stopGradient: [build.stopGradient(x), build.alias(x)],
  after: [build.after(x, index), build.after(x, key)],
  custom: [make('custom', [x, x], { name: 'a', vjp: () => [] }), make('custom', [x, x], { name: 'b', vjp: () => [] })],
}

const keyOf = (...outputs: Node[]) => canonical(outputs).key

describe('canonical keys', () => {
  it.each(Object.keys(pairs) as OpName[])('tell two values of %s apart', (op) => {
    const [a, b] = pairs[op]
    expect(keyOf(a)).not.toBe(keyOf(b))
  })
  it('are equal for graphs built the same way, whatever nodes they are made of', () => {
    assert(
      property(integer({ min: 0, max: 1e6 }), (seed) => {
        const [a, b] = [randomGraph(seed).graph, randomGraph(seed).graph]
        return canonical(a.outputs, a.inputs).key === canonical(b.outputs, b.inputs).key
      }),
      { numRuns: 60 },
    )
  })
  it('differ for different random graphs', () => {
    const keys = new Set(Array.from({ length: 200 }, (_, seed) => canonical(randomGraph(seed).graph.outputs).key))
    expect(keys.size).toBe(200)
  })
  it('change when one node of a graph is replaced', () => {
    assert(
      property(integer({ min: 0, max: 1e6 }), (seed) => {
        const { outputs } = randomGraph(seed).graph
        const [first, ...rest] = outputs
        return canonical(outputs).key !== canonical([build.alias(first!), ...rest]).key
      }),
      { numRuns: 40 },
    )
  })
  it('see which value is shared', () => {
    const twin = (y: Node) => build.unary('sin', y)
    const once = twin(x)
    expect(keyOf(build.add(once, once))).not.toBe(keyOf(build.add(twin(x), twin(x))))
  })
  it('see the order of outputs and the order of leading inputs', () => {
    const [p, q] = [parameter([2], 'float32'), parameter([2], 'float32')]
    const [a, b] = [build.neg(p), build.unary('abs', p)]
    expect(keyOf(a, b)).not.toBe(keyOf(b, a))
    const difference = build.sub(p, q)
    expect(canonical([difference], [p, q]).key).not.toBe(canonical([difference], [q, p]).key)
  })
  it('do not see gradient rules: they are spent by then', () => {
    const node = (scale: number) => make('custom', [x, x], { name: 'a', vjp: (_, __, g) => [build.scale(g, scale)] })
    expect(keyOf(node(1))).toBe(keyOf(node(2)))
  })
  it('list parameters by first appearance', () => {
    const [p, q] = [parameter([2], 'float32'), parameter([2], 'float32')]
    expect(canonical([build.sub(q, p)]).inputs).toEqual([q, p])
    expect(canonical([build.sub(q, p)], [p]).inputs).toEqual([p, q])
  })
})
