import { build, type Dims, type DType, type ReduceFn } from '@tessella/ir'
import type { Case, NonEmpty, Tolerances } from '../case.ts'
import { viewKinds } from '../inputs.ts'

const tolerance: Tolerances = {
  float32: { relative: 1e-5, absolute: 1e-6 },
  float64: { relative: 1e-12, absolute: 1e-13 },
}

interface ReduceRow {
  readonly dtypes: NonEmpty<DType>
  /** Of float elements: away from zero on average, so that sums keep their relative accuracy. */
  readonly range: readonly [number, number]
}

const rows: { readonly [F in ReduceFn]: ReduceRow } = {
  sum: { dtypes: ['float32', 'float64', 'int32', 'uint32'], range: [-0.5, 1.5] },
  prod: { dtypes: ['float32', 'float64', 'int32', 'uint32'], range: [0.9, 1.1] },
  max: { dtypes: ['float32', 'float64', 'int32', 'uint32', 'bool'], range: [-3, -1] },
  min: { dtypes: ['float32', 'float64', 'int32', 'uint32', 'bool'], range: [1, 3] },
}
export const reduceFns = Object.keys(rows) as ReduceFn[]

const shapes: readonly (readonly [Dims, Dims])[] = [
  [[7], [0]],
  [[1], [0]],
  [[5, 7], [0]],
  [[5, 7], [1]],
  [
    [5, 7],
    [0, 1],
  ],
  [
    [1, 1, 1],
    [0, 2],
  ],
  [[3, 4, 6], [1]],
  [
    [3, 4, 5, 6],
    [0, 2],
  ],
  [
    [3, 4, 5, 6],
    [1, 3],
  ],
  [
    [3, 4, 5, 6],
    [0, 2, 3],
  ],
  [
    [2, 3, 4, 5, 2],
    [1, 2, 4],
  ],
  [[4099], [0]],
  [[3, 1501], [1]],
  [[1501, 3], [0]],
  [[1, 130], [1]],
  [[130, 1], [1]],
  [[64, 64], [0]],
  [[0, 3], [1]],
]
/** A sum or product of nothing has a value; a largest of nothing has not. */
const empty: readonly (readonly [Dims, Dims])[] = [
  [[0, 3], [0]],
  [
    [2, 0, 3],
    [0, 1],
  ],
]

function casesOf(fn: ReduceFn): NonEmpty<Case> {
  const { dtypes, range } = rows[fn]
  const ranged = (dtype: DType) => (dtype === 'float32' || dtype === 'float64' ? range : undefined)
  const all =
    fn === 'sum' || fn === 'prod' ? [...shapes, ...empty] : shapes.filter(([s, axes]) => !axes.some((a) => s[a] === 0))
  const [first, ...rest] = dtypes
  const overAxes = (dtype: DType): Case => ({
    name: `${fn} ${dtype} over axes`,
    build: (i) => all.map(([shape, axes]) => build.reduce(fn, i.random(shape, dtype, ranged(dtype)), axes)),
    tolerance,
  })
  return [
    overAxes(first),
    ...rest.map(overAxes),
    ...viewKinds.map(
      (kind): Case => ({
        name: `${fn} of a ${kind} operand`,
        build: (i) =>
          [[0], [2], [0, 2], [1, 3], [0, 1, 2, 3]].map((axes) =>
            build.reduce(fn, i.viewed(kind, [3, 5, 4, 7], 'float32', range), axes),
          ),
        tolerance,
      }),
    ),
    {
      name: `${fn} of NaN and infinities`,
      build: (i) => {
        const { NaN: nan, POSITIVE_INFINITY: inf } = Number
        const x = i.values([1, nan, 2, inf, 1, 2, -inf, 3, 4, -inf, inf, 1, 3, 2, 1], 'float32', [5, 3])
        return [build.reduce(fn, x, [1]), build.reduce(fn, x, [0]), build.reduce(fn, x, [0, 1])]
      },
      tolerance,
    },
    {
      name: `${fn} with a prologue and an epilogue`,
      build: (i) => {
        const x = i.random([6, 37], 'float32', range)
        const y = i.random([37], 'float32', [0.95, 1.05])
        const r = build.reduce(fn, build.mul(x, y), [1])
        return [build.unary('tanh', build.mul(r, i.random([6]))), r]
      },
      tolerance,
    },
  ]
}

export const reduceCases: { readonly [F in ReduceFn]: NonEmpty<Case> } = {
  sum: casesOf('sum'),
  prod: casesOf('prod'),
  max: casesOf('max'),
  min: casesOf('min'),
}

function cumulativeOf(fn: ReduceFn): Case[] {
  const { dtypes, range } = rows[fn]
  return dtypes.map((dtype) => ({
    name: `cumulative ${fn} ${dtype}`,
    build: (i) =>
      (
        [
          [[9], 0],
          [[1], 0],
          [[4, 5], 0],
          [[4, 5], 1],
          [[3, 4, 5], 1],
          [[2, 1031], 1],
          [[0], 0],
          [[2, 0, 3], 2],
        ] as const
      ).flatMap(([shape, axis]) => {
        const x = i.random(shape, dtype, dtype === 'float32' || dtype === 'float64' ? range : undefined)
        return [build.cumulative(fn, x, axis), build.cumulative(fn, x, axis, true)]
      }),
    tolerance,
  }))
}

export const cumulativeCases: NonEmpty<Case> = [
  {
    name: 'cumulative of NaN',
    build: (i) => {
      const x = i.values([1, 3, Number.NaN, 2, 5])
      return reduceFns.map((fn) => build.cumulative(fn, x, 0))
    },
    tolerance,
  },
  ...reduceFns.flatMap(cumulativeOf),
  ...viewKinds.map(
    (kind): Case => ({
      name: `cumulative sum of a ${kind} operand, then an epilogue`,
      build: (i) => [0, 1, 2].map((axis) => build.neg(build.cumulative('sum', i.viewed(kind, [3, 5, 4]), axis))),
      tolerance,
    }),
  ),
]

const arg: readonly ('max' | 'min')[] = ['max', 'min']

export const argReduceCases: NonEmpty<Case> = [
  {
    name: 'argReduce takes the first NaN',
    build: (i) => {
      const { NaN: nan, POSITIVE_INFINITY: inf } = Number
      const x = i.values([1, nan, nan, inf, 1, nan, -inf, inf, inf, -inf, -inf, -inf], 'float32', [4, 3])
      return arg.flatMap((fn) => [build.argReduce(fn, x, 0), build.argReduce(fn, x, 1)])
    },
  },
  ...(['float32', 'float64', 'int32', 'uint32', 'bool'] as const).map(
    (dtype): Case => ({
      name: `argReduce ${dtype}, ties to the first`,
      build: (i) =>
        (
          [
            [[9], 0],
            [[1, 5], 0],
            [[7, 5], 0],
            [[7, 5], 1],
            [[3, 130, 4], 1],
            [[2, 1031], 1],
            [[0, 3], 1],
          ] as const
        ).flatMap(([shape, axis]) => {
          const drawn = i.random(shape, dtype, dtype === 'bool' ? undefined : [0, 4])
          const x = dtype === 'float32' || dtype === 'float64' ? build.unary('floor', drawn) : drawn
          return arg.map((fn) => build.argReduce(fn, x, axis))
        }),
    }),
  ),
  ...viewKinds.map(
    (kind): Case => ({
      name: `argReduce of a ${kind} operand`,
      build: (i) => [0, 1, 2].flatMap((axis) => arg.map((fn) => build.argReduce(fn, i.viewed(kind, [5, 6, 7]), axis))),
    }),
  ),
]
