import { build, type Dims, type Node } from '@tessella/ir'
import type { Case } from '../case.ts'

const axis = (x: Node): number => x.shape.length - 1
const mean = (x: Node, axes: Dims): Node =>
  build.scale(build.reduceKeep('sum', x, axes), 1 / axes.reduce((n, a) => n * (x.shape[a] as number), 1))

function softmax(x: Node): Node {
  const e = build.unary('exp', build.sub(x, build.reduceKeep('max', x, [axis(x)])))
  return build.div(e, build.reduceKeep('sum', e, [axis(x)]))
}

function normalize(x: Node, axes: Dims): Node {
  const centred = build.sub(x, mean(x, axes))
  const variance = mean(build.mul(centred, centred), axes)
  return build.div(centred, build.unary('sqrt', build.shift(variance, 1e-5)))
}

function logSoftmax(x: Node): Node {
  const shifted = build.sub(x, build.reduceKeep('max', x, [axis(x)]))
  return build.sub(shifted, build.unary('log', build.reduceKeep('sum', build.unary('exp', shifted), [axis(x)])))
}

const tolerance = { float32: { relative: 2e-5, absolute: 2e-6, scale: 5e-6 } }

/** Programs of many operations, as networks have them: what fuses in a compiling backend must still be right. */
export const programCases: readonly Case[] = [
  {
    name: 'softmax',
    build: (i) =>
      [
        [4, 10],
        [1, 1],
        [3, 1000],
        [2, 3, 7],
      ].map((s) => softmax(i.random(s))),
    tolerance,
  },
  {
    name: 'softmax over a permuted axis',
    build: (i) => build.transpose(softmax(build.transpose(i.random([9, 14])))),
    tolerance,
  },
  {
    name: 'layer norm with scale and shift',
    build: (i) => build.add(build.mul(normalize(i.random([5, 33]), [1]), i.random([33])), i.random([33])),
    tolerance,
  },
  {
    name: 'batch norm with running statistics',
    build: (i) => {
      const x = i.random([4, 3, 6, 6])
      const batch = mean(x, [0, 2, 3])
      const running = build.add(build.scale(i.random([1, 3, 1, 1]), 0.9), build.scale(batch, 0.1))
      return [normalize(x, [0, 2, 3]), running]
    },
    tolerance,
  },
  {
    name: 'cross-entropy of labels with its gradient',
    build: (i) => {
      const x = i.random([16, 10])
      const labels = build.reshape(i.random([16], 'int32', [0, 9]), [16, 1])
      const loss = build.scale(build.reduce('sum', build.gather(logSoftmax(x), labels, 1), [0, 1]), -1 / 16)
      const oneHot = build.cast(build.binary('eq', build.iota([16, 10], 1), labels), 'float32')
      return [loss, build.scale(build.sub(softmax(x), oneHot), 1 / 16)]
    },
    tolerance,
  },
  {
    name: 'a step of Adam',
    build: (i) => {
      const [w, m, g] = [i.random([37, 11]), i.random([37, 11]), i.random([37, 11])]
      const v = build.unary('abs', i.random([37, 11]))
      const m1 = build.add(build.scale(m, 0.9), build.scale(g, 0.1))
      const v1 = build.add(build.scale(v, 0.999), build.scale(build.mul(g, g), 0.001))
      const step = build.div(build.scale(m1, 1e-3), build.shift(build.unary('sqrt', v1), 1e-8))
      return [build.sub(w, step), m1, v1]
    },
    tolerance,
  },
  {
    name: 'attention with a causal mask',
    build: (i) => {
      const [q, k, v] = [i.random([2, 3, 9, 8]), i.random([2, 3, 9, 8]), i.random([2, 3, 9, 8])]
      const scores = build.scale(build.matmul(q, build.transpose(k)), 8 ** -0.5)
      const mask = build.binary('ge', build.iota([9, 9], 0), build.iota([9, 9], 1))
      return build.matmul(softmax(build.select(mask, scores, build.constant(Number.NEGATIVE_INFINITY))), v)
    },
    tolerance,
  },
  {
    name: 'two dense layers and their gradients',
    build: (i) => {
      const [x, w, u] = [i.random([12, 20]), i.random([20, 16]), i.random([16, 4])]
      const bias = i.random([16])
      const h = build.add(build.matmul(x, w), bias)
      const a = build.binary('max', h, build.constant(0))
      const y = build.matmul(a, u)
      const dy = build.scale(y, 2 / 48)
      const da = build.matmul(dy, build.transpose(u))
      const dh = build.select(build.binary('gt', h, build.constant(0)), da, build.constant(0))
      return [
        build.reduce('sum', build.mul(y, y), [0, 1]),
        build.matmul(build.transpose(a), dy),
        build.matmul(build.transpose(x), dh),
        build.reduce('sum', dh, [0]),
      ]
    },
    tolerance,
  },
  {
    name: 'convolution, activation and pool, with gradients',
    build: (i) => {
      const attrs = {
        stride: [1, 1],
        padding: [
          [0, 0],
          [0, 0],
        ] as const,
        dilation: [1, 1],
        groups: 1,
      }
      const pool = { kernel: [2, 2], stride: [2, 2], padding: attrs.padding, dilation: [1, 1] }
      const [x, w, b] = [i.random([3, 2, 10, 10]), i.random([4, 2, 3, 3]), i.random([4, 1, 1])]
      const h = build.add(build.conv(x, w, attrs), b)
      const a = build.binary('max', h, build.constant(0))
      const y = build.maxPool(a, pool)
      const da = build.maxPoolGrad(a, build.scale(y, 0.5), pool)
      const dh = build.select(build.binary('gt', h, build.constant(0)), da, build.constant(0))
      return [
        y,
        build.convGradWeight(x, dh, attrs, [3, 3]),
        build.convGradInput(dh, w, attrs, [10, 10]),
        build.reduce('sum', dh, [0, 2, 3]),
      ]
    },
    tolerance,
  },
  {
    name: 'variance, maximum and mean of one value',
    build: (i) => {
      const x = i.random([7, 129])
      const m = mean(x, [1])
      const d = build.sub(x, m)
      return [m, mean(build.mul(d, d), [1]), build.reduce('max', x, [1]), build.reduce('sum', x, [0, 1])]
    },
    tolerance,
  },
  {
    name: 'a value with forty users, and a chain of two hundred',
    build: (i) => {
      const x = build.unary('tanh', i.random([6, 5]))
      const users = Array.from({ length: 40 }, (_, n) => build.shift(x, n))
      let chain: Node = x
      for (let n = 0; n < 200; n++) chain = build.scale(build.shift(chain, 0.01), 0.99)
      return [...users.slice(0, 3), users.reduce(build.add), chain]
    },
    tolerance: { float32: { relative: 2e-5, absolute: 1e-5 } },
  },
  {
    name: 'thirty inputs into one kernel',
    build: (i) => Array.from({ length: 30 }, () => i.random([17])).reduce(build.add),
    tolerance,
  },
  {
    name: 'dropout',
    build: (i) => {
      const x = i.random([8, 32])
      const bits = build.randomBits(i.values([1, 9], 'uint32'), [8, 32])
      const keep = build.binary('lt', bits, build.constant(3221225472, 'uint32'))
      return build.select(keep, build.scale(x, 1 / 0.75), build.constant(0))
    },
    tolerance,
  },
  {
    name: 'max pool and sort together: top three of each row',
    build: (i) => {
      const x = i.random([6, 20])
      return build.gather(x, build.narrow(build.argsort(x, 1, true), 1, 0, 3), 1)
    },
  },
]
