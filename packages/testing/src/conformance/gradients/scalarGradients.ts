import { type BinaryFn, build, type UnaryFn } from '@tessella/ir'
import type { GradCase } from './gradCase.ts'

type Range = readonly [number, number]

/** Where a function is smooth, in pieces; 'none' for functions that take no floats or answer bool. */
const unaryRows: { readonly [F in UnaryFn]: readonly Range[] | 'none' } = {
  neg: [[-2, 2]],
  abs: [
    [0.1, 2],
    [-2, -0.1],
  ],
  sign: [
    [0.1, 2],
    [-2, -0.1],
  ],
  floor: [[1.1, 1.9]],
  ceil: [[1.1, 1.9]],
  round: [[0.6, 1.4]],
  trunc: [[-1.9, -1.1]],
  sqrt: [[0.5, 4]],
  exp: [[-2, 2]],
  expm1: [[-2, 2]],
  log: [[0.5, 4]],
  log1p: [[-0.5, 3]],
  sin: [[-4, 4]],
  cos: [[-4, 4]],
  atan: [[-3, 3]],
  tanh: [[-2, 2]],
  erf: [[-2, 2]],
  not: 'none',
  isNan: 'none',
  reciprocal: [
    [0.5, 3],
    [-3, -0.5],
  ],
  rsqrt: [[0.5, 4]],
  exp2: [[-2, 2]],
  log2: [[0.5, 4]],
  tan: [[-1, 1]],
  asin: [[-0.8, 0.8]],
  acos: [[-0.8, 0.8]],
  sinh: [[-2, 2]],
  cosh: [[-2, 2]],
  asinh: [[-3, 3]],
  acosh: [[1.5, 4]],
  atanh: [[-0.8, 0.8]],
  sigmoid: [[-4, 4]],
  erfinv: [[-0.8, 0.8]],
  isInf: 'none',
  isFinite: 'none',
}

/** Ranges of both operands, apart where the function has an edge. */
const binaryRows: { readonly [F in BinaryFn]: readonly (readonly [Range, Range])[] | 'none' } = {
  add: [
    [
      [-2, 2],
      [-2, 2],
    ],
  ],
  sub: [
    [
      [-2, 2],
      [-2, 2],
    ],
  ],
  mul: [
    [
      [-2, 2],
      [-2, 2],
    ],
  ],
  div: [
    [
      [-2, 2],
      [0.5, 3],
    ],
  ],
  pow: [
    [
      [0.5, 3],
      [-2, 2],
    ],
  ],
  max: [
    [
      [1, 2],
      [-1, 0],
    ],
    [
      [-1, 0],
      [1, 2],
    ],
  ],
  min: [
    [
      [1, 2],
      [-1, 0],
    ],
    [
      [-1, 0],
      [1, 2],
    ],
  ],
  rem: [
    [
      [4.1, 4.9],
      [2.01, 2.04],
    ],
  ],
  eq: 'none',
  ne: 'none',
  lt: 'none',
  le: 'none',
  gt: 'none',
  ge: 'none',
  and: 'none',
  or: 'none',
  xor: 'none',
  shl: 'none',
  shr: 'none',
  atan2: [
    [
      [0.5, 2],
      [0.5, 2],
    ],
    [
      [-2, -0.5],
      [-2, -0.5],
    ],
  ],
}

export const unaryGradients: ReadonlyMap<UnaryFn, readonly GradCase[]> = new Map(
  (Object.keys(unaryRows) as UnaryFn[]).map((fn) => [fn, unaryCasesOf(fn)]),
)
export const binaryGradients: ReadonlyMap<BinaryFn, readonly GradCase[]> = new Map(
  (Object.keys(binaryRows) as BinaryFn[]).map((fn) => [fn, binaryCasesOf(fn)]),
)

function unaryCasesOf(fn: UnaryFn): GradCase[] {
  const ranges = unaryRows[fn]
  if (ranges === 'none') return []
  return ranges.map((range) => ({
    name: `${fn} on [${range}]`,
    fn: ([x]) => build.unary(fn, x),
    inputs: [{ shape: [3, 4], range }],
  }))
}

function binaryCasesOf(fn: BinaryFn): GradCase[] {
  const pairs = binaryRows[fn]
  if (pairs === 'none') return []
  return pairs.map(([a, b]) => ({
    name: `${fn} on [${a}] and [${b}]`,
    fn: ([x, y]) => build.binary(fn, x, y),
    inputs: [
      { shape: [3, 4], range: a },
      { shape: [3, 4], range: b },
    ],
  }))
}
