import { build, type Dims, type Node } from '@tessella/ir'
import type { Case, NonEmpty, Tolerances } from '../case.ts'
import { viewKinds } from '../inputs.ts'

/** Sums of products, relative to the largest of the result: single entries may cancel. */
export const products: Tolerances = {
  float32: { relative: 1e-5, scale: 2e-6 },
  float64: { relative: 1e-12, scale: 1e-14 },
}

type Sizes = readonly [m: number, k: number, n: number]

const sizes: readonly Sizes[] = [
  [1, 1, 1],
  [1, 7, 1],
  [5, 1, 7],
  [1, 64, 65],
  [65, 64, 1],
  [3, 4, 5],
  [4, 4, 4],
  [6, 16, 16],
  [7, 17, 33],
  [17, 19, 23],
  [64, 64, 64],
  [65, 33, 130],
  [64, 256, 10],
  [10, 64, 256],
  [130, 257, 66],
  [2, 1031, 3],
]
const hollow: readonly Sizes[] = [
  [0, 3, 4],
  [3, 0, 4],
  [3, 4, 0],
]
const batches: readonly Dims[] = [[1], [3], [2, 3], [1, 2, 1]]

const relu = (x: Node): Node => build.binary('max', x, build.constant(0, x.dtype))

export const matmulCases: NonEmpty<Case> = [
  {
    name: 'matmul with empty sizes (a sum of nothing is 0)',
    build: (i) => hollow.map(([m, k, n]) => build.matmul(i.random([m, k]), i.random([k, n]))),
  },
  ...sizes.map(
    ([m, k, n]): Case => ({
      name: `matmul [${m}, ${k}] x [${k}, ${n}]`,
      build: (i) => build.matmul(i.random([m, k]), i.random([k, n])),
      tolerance: products,
    }),
  ),
  {
    name: 'matmul in batches',
    build: (i) =>
      batches.flatMap((b) => [
        build.matmul(i.random([...b, 5, 7]), i.random([...b, 7, 6])),
        build.matmul(i.random([...b, 1, 9]), i.random([...b, 9, 17])),
      ]),
    tolerance: products,
  },
  {
    name: 'matmul float64',
    build: (i) => [
      build.matmul(i.random([19, 23], 'float64'), i.random([23, 7], 'float64')),
      build.matmul(i.random([2, 4, 4], 'float64'), i.random([2, 4, 5], 'float64')),
    ],
    tolerance: products,
  },
  ...viewKinds.flatMap((kind): Case[] => [
    {
      name: `matmul of ${kind} operands`,
      build: (i) => [
        build.matmul(i.viewed(kind, [18, 35]), i.random([35, 21])),
        build.matmul(i.random([18, 35]), i.viewed(kind, [35, 21])),
        build.matmul(i.viewed(kind, [2, 3, 7, 9]), i.viewed(kind, [2, 3, 9, 5])),
      ],
      tolerance: products,
    },
  ]),
  {
    name: 'matmul of transposed operands (the two gradients of a layer)',
    build: (i) => {
      const x = i.random([33, 20])
      const w = i.random([20, 14])
      const dy = i.random([33, 14])
      return [build.matmul(build.transpose(x), dy), build.matmul(dy, build.transpose(w)), build.matmul(x, w)]
    },
    tolerance: products,
  },
  {
    name: 'matmul with one operand shared by the batch',
    build: (i) => {
      const shared = build.expand(i.random([1, 9, 11]), [4, 9, 11])
      return [build.matmul(i.random([4, 5, 9]), shared), build.matmul(shared, i.random([4, 11, 3]))]
    },
    tolerance: products,
  },
  {
    name: 'matmul with bias, activation and residual in the epilogue',
    build: (i) => {
      const y = build.add(build.matmul(i.random([37, 29]), i.random([29, 19])), i.random([19]))
      return [relu(y), build.add(build.unary('tanh', y), i.random([37, 19]))]
    },
    tolerance: { float32: { relative: 1e-5, scale: 4e-6 } },
  },
  {
    name: 'matmul then a reduction, a permutation and another product',
    build: (i) => {
      const y = build.matmul(i.random([13, 29]), i.random([29, 11]))
      return [
        build.reduce('sum', y, [0]),
        build.reduce('max', y, [1]),
        build.transpose(y),
        build.matmul(y, i.random([11, 5])),
      ]
    },
    tolerance: { float32: { relative: 1e-5, scale: 1e-5 } },
  },
  {
    name: 'matmul keeps NaN and infinities',
    build: (i) => {
      const { NaN: nan, POSITIVE_INFINITY: inf } = Number
      return build.matmul(
        i.values([1, nan, inf, 2, 0, 1], 'float32', [3, 2]),
        i.values([0, 1, 2, 3], 'float32', [2, 2]),
      )
    },
  },
]
