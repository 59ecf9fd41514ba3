import { build, type Node } from '@tessella/ir'
import type { Case } from '@tessella/testing/conformance'

/*
 * Shapes that choose every variant of the kernels: tiles of each form, parts of a long sum, products one by one, lines
 * longer than what one invocation or workgroup takes, small elements side by side and apart.
 */

const tolerance = { float32: { relative: 1e-4, scale: 3e-6 } }
const same = (x: Node): Node => x

const product = (name: string, a: readonly number[], b: readonly number[], after = same): Case => ({
  name: `matmul, ${name}`,
  build: (i) => after(build.matmul(i.random(a), i.random(b))),
  tolerance,
})

const products: readonly Case[] = [
  product('square tiles with ragged edges', [130, 70], [70, 129]),
  product('flat tiles', [12, 100], [100, 300]),
  product('tall tiles', [300, 100], [100, 11]),
  product('low tiles', [30, 50], [50, 200]),
  product('narrow tiles', [200, 50], [50, 30]),
  product('large tiles', [1030, 20], [20, 1027]),
  product('tiles over parts of k', [40, 3000], [3000, 50]),
  product('tiles of whole quads', [64, 128], [128, 192]),
  product('one row', [1, 5000], [5000, 300]),
  product('one column', [100, 5000], [5000, 1]),
  product('one number', [1, 100000], [100000, 1]),
  product('batches', [3, 2, 33, 40], [3, 2, 40, 65]),
  product('an epilogue after parts', [40, 3000], [3000, 50], (x) => build.unary('tanh', build.scale(x, 0.01))),
  {
    name: 'matmul, both operands transposed',
    build: (i) => build.matmul(build.transpose(i.random([70, 130])), build.transpose(i.random([129, 70]))),
    tolerance,
  },
  {
    name: 'matmul, a bool epilogue',
    build: (i) => build.binary('lt', build.matmul(i.random([101, 77]), i.random([77, 30])), build.constant(0)),
  },
]

/** Images, channels in and out, size, kernel, stride, padding, dilation, groups. */
const convolutions = [
  [4, 1, 6, 28, 5, 1, 2, 1, 1],
  [4, 6, 16, 14, 5, 1, 0, 1, 1],
  [2, 32, 64, 16, 3, 2, 1, 1, 1],
  [2, 16, 16, 16, 3, 1, 1, 1, 16],
  [3, 8, 12, 13, 3, 2, 2, 2, 2],
  [2, 64, 128, 8, 1, 1, 0, 1, 1],
] as const

const convolutionCases = convolutions.flatMap(([n, c, o, size, k, s, p, d, groups]): Case[] => {
  const out = Math.floor((size + 2 * p - d * (k - 1) - 1) / s) + 1
  const padding = [
    [p, p],
    [p, p],
  ] as const
  const attrs = { stride: [s, s], padding, dilation: [d, d], groups }
  const text = `${n}x${c}x${size} to ${o}, ${k}x${k}, stride ${s}, padding ${p}, dilation ${d}, groups ${groups}`
  return [
    {
      name: `conv ${text}`,
      build: (i) => build.conv(i.random([n, c, size, size]), i.random([o, c / groups, k, k]), attrs),
      tolerance,
    },
    {
      name: `convGradInput ${text}`,
      build: (i) =>
        build.convGradInput(i.random([n, o, out, out]), i.random([o, c / groups, k, k]), attrs, [size, size]),
      tolerance,
    },
    {
      name: `convGradWeight ${text}`,
      build: (i) => build.convGradWeight(i.random([n, c, size, size]), i.random([n, o, out, out]), attrs, [k, k]),
      tolerance,
    },
  ]
})

const reductions: readonly Case[] = [
  {
    name: 'reductions in two dispatches',
    build: (i) => [
      build.reduce('sum', i.random([300000]), [0]),
      build.reduce('max', i.random([3, 100000]), [1]),
      build.reduce('sum', i.random([100000, 3]), [0]),
      build.argReduce('max', i.random([200000], 'int32', [0, 1000]), 0),
      build.argReduce('min', i.random([70000, 2]), 0),
    ],
    tolerance,
  },
  {
    name: 'reductions along rows, columns and images',
    build: (i) => [
      build.reduce('sum', i.random([1000, 500]), [0]),
      build.reduce('sum', i.random([500, 1000]), [1]),
      build.reduce('sum', i.random([5, 70000]), [0]),
      build.reduce('sum', i.random([70000, 5]), [1]),
      build.reduce('sum', i.random([16, 8, 28, 28]), [0, 2, 3]),
    ],
    tolerance,
  },
  {
    name: 'softmax of short and long rows',
    build: (i) =>
      [
        [2000, 10],
        [9, 5000],
        [10, 20000],
      ].map((shape) => {
        const x = i.random(shape)
        const e = build.unary('exp', build.sub(x, build.reduceKeep('max', x, [1])))
        return build.div(e, build.reduceKeep('sum', e, [1]))
      }),
    tolerance,
  },
]

const lines: readonly Case[] = [
  {
    name: 'argsort in merges',
    build: (i) => [
      build.argsort(i.random([5000]), 0),
      build.argsort(i.random([3, 1000, 2], 'int32', [0, 50]), 1, true),
      build.argsort(i.random([2, 129], 'uint32', [0, 5]), 1),
    ],
  },
  {
    name: 'scatterAdd of sorted lines',
    build: (i) => [
      build.scatterAdd(i.random([3000, 7], 'int32', [-1, 50]), i.random([3000, 7]), 0, 50),
      build.scatterAdd(i.random([2, 300, 3], 'int32', [0, 400]), i.random([2, 300, 3], 'int32'), 1, 401),
    ],
    tolerance,
  },
  {
    name: 'cumulative of long lines',
    build: (i) => [
      build.cumulative('sum', i.random([100000]), 0),
      build.cumulative('max', i.random([3, 1000, 5]), 1, true),
      build.cumulative('prod', i.random([5000], 'int32', [-1, 3]), 0),
      build.cumulative('max', i.random([300], 'bool'), 0, true),
    ],
    tolerance: { float32: { relative: 1e-4, absolute: 1e-2 } },
  },
]

const smallElements: readonly Case[] = [
  {
    name: 'bool by words and by parts of words',
    build: (i) => {
      const x = i.random([101, 77])
      const y = build.binary('gt', x, build.constant(0))
      return [
        y,
        build.transpose(y),
        build.reduce('max', y, [0]),
        build.binary('gt', build.reduce('sum', x, [0]), build.constant(0)),
        build.concat([y, y], 1),
        build.pad(y, [1, 0], [0, 1], 1),
      ]
    },
  },
  {
    name: 'float16 and uint8 by words and by parts of words',
    build: (i) => {
      const x = i.random([101, 77], 'float32', [-2, 300])
      const y = build.cast(x, 'float16')
      return [
        y,
        build.transpose(y),
        build.cast(build.reduce('max', x, [0]), 'float16'),
        build.concat([y, y], 1),
        build.cast(x, 'uint8'),
        build.transpose(build.cast(x, 'uint8')),
      ]
    },
  },
]

/** Values of float16 of every kind, subnormal ones, infinities and NaN too, moved about one by one. */
const halves: Case = {
  name: 'float16 of every kind, by parts of words',
  build: (i) => {
    const values = Array.from({ length: 65 * 33 }, (_, at) => 1.3 ** ((at % 300) - 200) * (at % 2 ? -1 : 1))
    const x = i.values([...values.slice(0, -3), 1 / 0, -1 / 0, Number.NaN], 'float16', [65, 33])
    const pairs = build.reshape(build.slice(x, [0, 0], [64, 33]), [32, 2, 33])
    // Sums of integers are the same in any order.
    const whole = (shape: readonly number[]) => build.cast(i.random(shape, 'int32', [-9, 9]), 'float32')
    return [
      build.transpose(x),
      build.flip(x, [0, 1]),
      build.cast(build.reduce('max', build.cast(pairs, 'float32'), [1]), 'float16'),
      build.cast(build.matmul(whole([65, 40]), whole([40, 33])), 'float16'),
    ]
  },
}

export const kernelCases: readonly Case[] = [
  ...products,
  ...convolutionCases,
  ...reductions,
  ...lines,
  ...smallElements,
  halves,
]
