import { build, type Dims, type DType } from '@tessella/ir'
import type { Case, NonEmpty, Tolerances } from '../case.ts'
import { viewKinds } from '../inputs.ts'

const all: readonly DType[] = ['float32', 'float64', 'float16', 'int32', 'uint32', 'uint8', 'bool']
const replaced = (shape: Dims, axis: number, size: number): number[] => shape.map((n, i) => (i === axis ? size : n))

export const gatherCases: NonEmpty<Case> = [
  {
    name: 'gather outside answers NaN, or 0 for non-floats',
    build: (i) => {
      const index = i.values([0, 4, 5, -1, 2147483647, -2147483648, 2], 'int32')
      return all.map((dtype) => build.gather(i.random([5], dtype), index, 0))
    },
  },
  ...all.map(
    (dtype): Case => ({
      name: `gather ${dtype}`,
      build: (i) =>
        (
          [
            [[7], 0, 12],
            [[5, 4], 0, 9],
            [[5, 4], 1, 3],
            [[3, 6, 5], 1, 1],
            [[2, 3, 4, 5], 2, 7],
            [[300, 17], 0, 64],
            [[3, 4], 1, 0],
          ] as const
        ).map(([shape, axis, count]) => {
          const index = i.random(replaced(shape, axis, count), 'int32', [0, (shape[axis] ?? 1) - 1])
          return build.gather(i.random(shape, dtype), index, axis)
        }),
    }),
  ),
  {
    name: 'gather of rows: a batch out of a table of images',
    build: (i) => {
      const table = i.random([20, 49], 'uint8')
      const rows = build.expand(build.reshape(i.random([8], 'int32', [0, 19]), [8, 1]), [8, 49])
      const batch = build.scale(build.cast(build.gather(table, rows, 0), 'float32'), 1 / 255)
      return [build.reshape(batch, [8, 1, 7, 7]), build.matmul(batch, i.random([49, 5]))]
    },
    tolerance: { float32: { relative: 1e-5, scale: 2e-6 } },
  },
  ...viewKinds.map(
    (kind): Case => ({
      name: `gather of ${kind} operands, then an epilogue`,
      build: (i) => {
        const index = i.viewed(kind, [5, 6, 4], 'int32', [-1, 8])
        return [
          build.neg(build.gather(i.viewed(kind, [5, 7, 4]), index, 1)),
          build.gather(i.random([5, 7, 4]), index, 1),
        ]
      },
    }),
  ),
  {
    name: 'gather by a computed index',
    build: (i) => {
      const x = i.random([6, 9])
      const order = build.argsort(x, 1)
      return build.gather(x, order, 1)
    },
  },
]

const sums: Tolerances = { float32: { relative: 1e-5, absolute: 2e-6 }, float64: { absolute: 1e-13 } }
const numbers: readonly DType[] = ['float32', 'float64', 'int32', 'uint32']

export const scatterAddCases: NonEmpty<Case> = [
  {
    name: 'scatterAdd drops what is outside and adds what meets',
    build: (i) => {
      const index = i.values([0, 3, 3, -1, 4, 2147483647, 1, 3], 'int32')
      return numbers.map((dtype) => build.scatterAdd(index, i.random([8], dtype), 0, 4))
    },
    tolerance: sums,
  },
  ...numbers.map(
    (dtype): Case => ({
      name: `scatterAdd ${dtype}`,
      build: (i) =>
        (
          [
            [[12], 0, 7],
            [[9, 4], 0, 5],
            [[5, 8], 1, 3],
            [[3, 6, 5], 1, 40],
            [[2, 3, 4, 5], 2, 2],
            [[2000], 0, 3],
            [[0, 3], 0, 4],
            [[4, 3], 0, 1],
          ] as const
        ).map(([shape, axis, size]) =>
          build.scatterAdd(i.random(shape, 'int32', [0, size - 1]), i.random(shape, dtype), axis, size),
        ),
      tolerance: sums,
    }),
  ),
  ...viewKinds.map(
    (kind): Case => ({
      name: `scatterAdd of ${kind} operands, then an epilogue`,
      build: (i) => {
        const index = i.viewed(kind, [5, 6, 4], 'int32', [-1, 8])
        return build.unary('tanh', build.scatterAdd(index, i.viewed(kind, [5, 6, 4]), 1, 7))
      },
      tolerance: sums,
    }),
  ),
  {
    name: 'scatterAdd into a table (the gradient of an embedding) and its use',
    build: (i) => {
      const index = build.expand(build.reshape(i.random([12], 'int32', [0, 5]), [12, 1]), [12, 8])
      const grad = build.scatterAdd(index, i.random([12, 8]), 0, 6)
      return build.sub(i.random([6, 8]), build.scale(grad, 0.1))
    },
    tolerance: sums,
  },
]

export const argsortCases: NonEmpty<Case> = [
  {
    name: 'argsort puts NaN last, or first when descending',
    build: (i) => {
      const { NaN: nan, POSITIVE_INFINITY: inf } = Number
      const x = i.values([nan, 2, -inf, 0, -0, inf, nan, 2, -1, -0])
      return [build.argsort(x, 0), build.argsort(x, 0, true)]
    },
  },
  ...(['float32', 'float64', 'int32', 'uint32', 'bool'] as const).map(
    (dtype): Case => ({
      name: `argsort ${dtype} is stable`,
      build: (i) =>
        (
          [
            [[1], 0],
            [[2], 0],
            [[9], 0],
            [[5, 7], 0],
            [[5, 7], 1],
            [[3, 33, 2], 1],
            [[1500], 0],
            [[0, 3], 1],
          ] as const
        ).flatMap(([shape, axis]) => {
          const drawn = i.random(shape, dtype, dtype === 'bool' ? undefined : [0, 9])
          const x = dtype === 'float32' || dtype === 'float64' ? build.unary('floor', drawn) : drawn
          return [build.argsort(x, axis), build.argsort(x, axis, true)]
        }),
    }),
  ),
  ...viewKinds.map(
    (kind): Case => ({
      name: `argsort of a ${kind} operand`,
      build: (i) => [0, 1, 2].map((axis) => build.argsort(i.viewed(kind, [5, 6, 4]), axis)),
    }),
  ),
]
