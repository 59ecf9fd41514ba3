import { type Backend, build, make, type Node, rewrite } from '@tessella/ir'
import { compareOnRandomGraphs, reference } from '@tessella/testing'
import { type CaseGroup, checkCase, conformanceGroups } from '@tessella/testing/conformance'
import { describe, expect, it } from 'vitest'

/** The reference, but for one rule of its own. */
function flawed(rule: (node: Node) => Node): Backend {
  const inner = reference()
  return {
    name: 'flawed',
    irVersion: inner.irVersion,
    dtypes: inner.dtypes,
    prepare: (graph) => inner.prepare({ ...graph, outputs: rewrite(graph.outputs, rule) }),
    upload: (data, dtype) => inner.upload(data, dtype),
    read: (buffer, dtype) => inner.read(buffer, dtype),
    release: (buffer) => inner.release(buffer),
    synchronize: () => inner.synchronize(),
    memory: () => inner.memory(),
    dispose: () => inner.dispose(),
  }
}

const zeroLike = (x: Node) => build.full(x.shape, 0, x.dtype)
const isNan = (x: Node) => build.unary('isNan', x)

/** Mistakes that backends make, and the group of cases that must notice. */
const flaws: readonly (readonly [string, CaseGroup, (node: Node) => Node])[] = [
  [
    'exp that is a hundred-thousandth off',
    'unary.exp',
    (n) => (n.op === 'unary' && n.attrs.fn === 'exp' && n.dtype === 'float32' ? build.scale(n, 1.00001) : n),
  ],
  [
    'tanh as a quotient of exponentials',
    'unary.tanh',
    (n) => {
      if (n.op !== 'unary' || n.attrs.fn !== 'tanh') return n
      const e = build.unary('exp', build.scale(n.src[0], 2))
      return build.div(build.shift(e, -1), build.shift(e, 1))
    },
  ],
  [
    'expm1 as exp - 1',
    'unary.expm1',
    (n) => (n.op === 'unary' && n.attrs.fn === 'expm1' ? build.shift(build.unary('exp', n.src[0]), -1) : n),
  ],
  [
    'round half up',
    'unary.round',
    (n) => (n.op === 'unary' && n.attrs.fn === 'round' ? build.unary('floor', build.shift(n.src[0], 0.5)) : n),
  ],
  [
    'max that drops NaN',
    'binary.max',
    (n) => {
      if (n.op !== 'binary' || n.attrs.fn !== 'max' || n.dtype !== 'float32') return n
      const [a, b] = n.src
      return build.select(isNan(a), b, build.select(isNan(b), a, n))
    },
  ],
  [
    'integer division by zero that answers the dividend',
    'binary.div',
    (n) =>
      n.op === 'binary' && n.attrs.fn === 'div' && n.dtype === 'int32'
        ? build.select(build.binary('eq', n.src[1], zeroLike(n)), n.src[0], n)
        : n,
  ],
  [
    'arithmetic shift of unsigned integers',
    'binary.shr',
    (n) =>
      n.op === 'binary' && n.attrs.fn === 'shr' && n.dtype === 'uint32'
        ? build.cast(build.binary('shr', build.cast(n.src[0], 'int32'), build.cast(n.src[1], 'int32')), 'uint32')
        : n,
  ],
  [
    'max of a row that drops NaN',
    'reduce',
    (n) =>
      n.op === 'reduce' && n.attrs.fn === 'max' && n.dtype === 'float32'
        ? make('reduce', [build.select(isNan(n.src[0]), build.full(n.src[0].shape, -9, 'float32'), n.src[0])], n.attrs)
        : n,
  ],
  [
    'flipped kernel of a convolution',
    'conv',
    (n) => (n.op === 'conv' ? make('conv', [n.src[0], build.flip(n.src[1], [2])], n.attrs) : n),
  ],
  [
    'padding on the wrong side',
    'convGradWeight',
    (n) =>
      n.op === 'convGradWeight'
        ? make('convGradWeight', [n.src[0], n.src[1]], { ...n.attrs, padding: n.attrs.padding.map(([a, b]) => [b, a]) })
        : n,
  ],
  [
    'the last maximum of a window',
    'maxPoolGrad',
    (n) => {
      if (n.op !== 'maxPoolGrad') return n
      const axes = n.attrs.kernel.map((_, i) => i + 2)
      const padding = n.attrs.padding.map(([a, b]) => [b, a] as const)
      return n.attrs.stride.every((s) => s === 1)
        ? build.flip(
            build.maxPoolGrad(build.flip(n.src[0], axes), build.flip(n.src[1], axes), { ...n.attrs, padding }),
            axes,
          )
        : n
    },
  ],
  [
    'gather that clamps',
    'gather',
    (n) => {
      if (n.op !== 'gather') return n
      const [x, index] = n.src
      const last = build.constant(Math.max(0, x.shape[n.attrs.axis]! - 1), 'int32')
      const clamped = build.binary('max', build.binary('min', index, last), build.constant(0, 'int32'))
      return build.gather(x, clamped, n.attrs.axis)
    },
  ],
  [
    'descending sort as a flip',
    'argsort',
    (n) =>
      n.op === 'argsort' && n.attrs.descending ? build.flip(build.argsort(n.src[0], n.attrs.axis), [n.attrs.axis]) : n,
  ],
  [
    'pad that ignores its value',
    'pad',
    (n) => (n.op === 'pad' ? make('pad', [n.src[0]], { ...n.attrs, value: 0 }) : n),
  ],
  [
    'cast to uint8 that wraps',
    'cast',
    (n) => (n.op === 'cast' && n.dtype === 'uint8' ? build.cast(build.cast(n.src[0], 'int32'), 'uint8') : n),
  ],
  [
    'random bits of the wrong counter',
    'randomBits',
    (n) => (n.op === 'randomBits' && n.shape.length > 0 ? build.flip(n, [0]) : n),
  ],
]

describe('the conformance suite notices', () => {
  const groups = conformanceGroups()
  it.each(flaws)('%s', async (_, group, rule) => {
    const found = await Promise.all(groups.get(group)!.map((c) => checkCase(flawed(rule), c)))
    expect(found.filter((f) => f !== undefined)).not.toHaveLength(0)
  })
})

it('random graphs notice a wrong epilogue, and shrink to it', async () => {
  const rule = (n: Node) =>
    n.op === 'binary' && n.attrs.fn === 'mul' && n.src[0].op === 'reshape'
      ? build.add(n, build.full(n.shape, 1, n.dtype))
      : n
  await expect(compareOnRandomGraphs(flawed(rule), { count: 300, seed: 1 })).rejects.toThrow(/Shrunk to[\s\S]*fn=mul/)
})
