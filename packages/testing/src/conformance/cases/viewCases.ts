import { build, type Dims, type DType, make, type Node } from '@tessella/ir'
import type { Case, NonEmpty } from '../case.ts'
import { type Inputs, type ViewKind, viewKinds } from '../inputs.ts'

const all: readonly DType[] = ['float32', 'float64', 'float16', 'int32', 'uint32', 'uint8', 'bool']

type View = (x: Node) => Node
interface ViewRow {
  readonly input: Dims
  readonly views: NonEmpty<View>
}

const interior = (x: Node, lo: Dims, hi: Dims, inside: Dims, value = 0) => build.pad(x, lo, hi, value, inside)

const rows = {
  reshape: {
    input: [3, 4, 5],
    views: [
      (x: Node) => build.reshape(x, [60]),
      (x: Node) => build.reshape(x, [5, 1, 12]),
      (x: Node) => build.reshape(x, [2, 2, 3, 5, 1]),
    ],
  },
  permute: {
    input: [3, 4, 5, 2],
    views: [
      (x: Node) => build.permute(x, [3, 2, 1, 0]),
      (x: Node) => build.permute(x, [0, 2, 1, 3]),
      (x: Node) => build.permute(x, [1, 0, 2, 3]),
      (x: Node) => build.permute(x, [0, 2, 3, 1]),
    ],
  },
  expand: {
    input: [1, 4, 1],
    views: [
      (x: Node) => build.expand(x, [5, 4, 1]),
      (x: Node) => build.expand(x, [1, 4, 6]),
      (x: Node) => build.expand(x, [3, 4, 7]),
      (x: Node) => build.expand(x, [0, 4, 2]),
    ],
  },
  slice: {
    input: [6, 7, 5],
    views: [
      (x: Node) => build.slice(x, [1, 2, 0], [3, 4, 5]),
      (x: Node) => build.slice(x, [0, 1, 4], [3, 3, 1], [2, 2, 1]),
      (x: Node) => build.slice(x, [5, 6, 4], [1, 1, 1]),
      (x: Node) => build.slice(x, [2, 0, 0], [0, 7, 5]),
      (x: Node) => build.slice(x, [0, 0, 0], [1, 3, 2], [9, 3, 4]),
    ],
  },
  flip: {
    input: [3, 4, 5],
    views: [(x: Node) => build.flip(x, [0]), (x: Node) => build.flip(x, [2]), (x: Node) => build.flip(x, [0, 1, 2])],
  },
  pad: {
    input: [3, 4, 2],
    views: [
      (x: Node) => interior(x, [1, 0, 2], [0, 2, 1], [0, 0, 0]),
      (x: Node) => interior(x, [0, 0, 0], [0, 0, 0], [2, 1, 3]),
      (x: Node) => interior(x, [1, 2, 0], [3, 0, 1], [0, 2, 1], 1),
    ],
  },
} satisfies { readonly [name: string]: ViewRow }
type ViewName = keyof typeof rows

function casesOf(name: ViewName): NonEmpty<Case> {
  const row: ViewRow = rows[name]
  const through = (i: Inputs, kind: ViewKind, dtype: DType) => row.views.map((v) => v(i.viewed(kind, row.input, dtype)))
  return [
    {
      name: `${name} as the input of elementwise code and of a reduction`,
      build: (i) =>
        row.views.flatMap((v) => {
          const y = v(i.random(row.input))
          return [build.neg(y), build.reduce('sum', y, [y.shape.length - 1])]
        }),
      tolerance: { float32: { relative: 1e-5, absolute: 1e-6 } },
    },
    ...all.map(
      (dtype): Case => ({
        name: `${name} ${dtype}`,
        build: (i) => row.views.map((v) => v(i.random(row.input, dtype))),
      }),
    ),
    ...viewKinds.map(
      (kind): Case => ({ name: `${name} of a ${kind} operand`, build: (i) => through(i, kind, 'float32') }),
    ),
    {
      name: `${name} of a computed and shared value`,
      build: (i) => {
        const x = build.unary('abs', i.random(row.input))
        return [x, ...row.views.map((v) => v(x))]
      },
    },
  ]
}

export const reshapeCases: NonEmpty<Case> = [
  {
    name: 'reshape to and from scalars, and of empty tensors',
    build: (i) => [
      build.reshape(i.random([1, 1]), []),
      build.reshape(i.random([]), [1, 1, 1]),
      build.reshape(i.random([0, 3]), [5, 0]),
    ],
  },
  {
    name: 'reshape of a transposed value (a copy is needed)',
    build: (i) => [
      build.reshape(build.transpose(i.random([6, 8])), [48]),
      build.reshape(build.expand(i.random([1, 5]), [3, 5]), [15]),
      build.neg(build.reshape(build.permute(i.random([4, 3, 5]), [2, 0, 1]), [10, 6])),
    ],
  },
  ...casesOf('reshape'),
]
export const permuteCases = casesOf('permute')
export const expandCases = casesOf('expand')
export const sliceCases = casesOf('slice')
export const flipCases = casesOf('flip')
export const padCases: NonEmpty<Case> = [
  {
    name: 'pad with infinities, NaN and of empty tensors',
    build: (i) => [
      build.pad(i.random([3]), [1], [2], Number.NEGATIVE_INFINITY),
      build.pad(i.random([3]), [1], [2], Number.NaN),
      build.pad(i.random([0, 2]), [1, 0], [1, 1], 3),
      build.pad(i.random([2], 'int32'), [2], [1], -7),
    ],
  },
  {
    name: 'pad never reads the value as 0 times something',
    build: (i) => build.mul(build.pad(i.random([3]), [1], [1], 2), i.values([1, 2, Number.POSITIVE_INFINITY, 4, 5])),
  },
  ...casesOf('pad'),
]

export const concatCases: NonEmpty<Case> = [
  { name: 'concat of one', build: (i) => make('concat', [i.random([2, 3])], { axis: 1 }) },
  ...all.map(
    (dtype): Case => ({
      name: `concat ${dtype}`,
      build: (i) => [
        build.concat([i.random([3], dtype), i.random([1], dtype), i.random([5], dtype)], 0),
        build.concat([i.random([2, 3], dtype), i.random([4, 3], dtype)], 0),
        build.concat([i.random([2, 3, 4], dtype), i.random([2, 1, 4], dtype), i.random([2, 2, 4], dtype)], 1),
        build.concat([i.random([2, 0], dtype), i.random([2, 3], dtype)], 1),
      ],
    }),
  ),
  ...viewKinds.map(
    (kind): Case => ({
      name: `concat of ${kind} operands, then an epilogue`,
      build: (i) => [
        build.neg(build.concat([i.viewed(kind, [3, 4]), i.viewed(kind, [3, 5])], 1)),
        build.reduce('max', build.concat([i.viewed(kind, [3, 4]), i.viewed(kind, [2, 4])], 0), [0]),
      ],
    }),
  ),
  {
    name: 'concat of one value with itself and with its slices',
    build: (i) => {
      const x = build.unary('abs', i.random([4, 6]))
      return [build.concat([x, x], 0), build.concat([build.narrow(x, 1, 3, 3), build.narrow(x, 1, 0, 3)], 1), x]
    },
  },
  {
    name: 'concat of twelve',
    build: (i) =>
      build.concat(
        Array.from({ length: 12 }, (_, n) => i.random([n + 1, 2])),
        0,
      ),
  },
]
