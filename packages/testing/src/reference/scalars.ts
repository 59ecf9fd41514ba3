import { type BinaryFn, type DType, isInteger, type ReduceFn, type UnaryFn } from '@tessella/ir'
import { roundToEven } from './half.ts'
import { erf, erfinv, sigmoid } from './special.ts'

type Unary = (x: number) => number
type Binary = (a: number, b: number) => number

const predicate =
  (test: (x: number) => boolean): Unary =>
  (x) =>
    test(x) ? 1 : 0
const comparison =
  (test: (a: number, b: number) => boolean): Binary =>
  (a, b) =>
    test(a, b) ? 1 : 0

/**
 * One element of each function, by dtype. Results are stored in a typed array, which rounds floats and
 * wraps integers; only what would lose bits before the store says more.
 */
export const unaryRows: { readonly [F in UnaryFn]: (dtype: DType) => Unary } = {
  neg: () => (x) => -x,
  abs: () => Math.abs,
  sign: () => Math.sign,
  floor: () => Math.floor,
  ceil: () => Math.ceil,
  round: () => roundToEven,
  trunc: () => Math.trunc,
  sqrt: () => Math.sqrt,
  exp: () => Math.exp,
  expm1: () => Math.expm1,
  log: () => Math.log,
  log1p: () => Math.log1p,
  sin: () => Math.sin,
  cos: () => Math.cos,
  atan: () => Math.atan,
  tanh: () => Math.tanh,
  erf: () => erf,
  not: (dtype) => (dtype === 'bool' ? (x) => 1 - x : (x) => ~x),
  isNan: () => predicate(Number.isNaN),
  reciprocal: () => (x) => 1 / x,
  rsqrt: () => (x) => 1 / Math.sqrt(x),
  exp2: () => (x) => 2 ** x,
  log2: () => Math.log2,
  tan: () => Math.tan,
  asin: () => Math.asin,
  acos: () => Math.acos,
  sinh: () => Math.sinh,
  cosh: () => Math.cosh,
  asinh: () => Math.asinh,
  acosh: () => Math.acosh,
  atanh: () => Math.atanh,
  sigmoid: () => sigmoid,
  erfinv: () => erfinv,
  isInf: () => predicate((x) => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY),
  isFinite: () => predicate(Number.isFinite),
}

export const binaryRows: { readonly [F in BinaryFn]: (dtype: DType) => Binary } = {
  add: () => (a, b) => a + b,
  sub: () => (a, b) => a - b,
  mul: (dtype) => (isInteger(dtype) ? Math.imul : (a, b) => a * b),
  div: (dtype) => (isInteger(dtype) ? (a, b) => (b === 0 ? 0 : Math.trunc(a / b)) : (a, b) => a / b),
  pow: () => Math.pow,
  max: () => Math.max,
  min: () => Math.min,
  rem: (dtype) => (isInteger(dtype) ? (a, b) => (b === 0 ? 0 : a % b) : (a, b) => a % b),
  eq: () => comparison((a, b) => a === b),
  ne: () => comparison((a, b) => a !== b),
  lt: () => comparison((a, b) => a < b),
  le: () => comparison((a, b) => a <= b),
  gt: () => comparison((a, b) => a > b),
  ge: () => comparison((a, b) => a >= b),
  and: () => (a, b) => a & b,
  or: () => (a, b) => a | b,
  xor: () => (a, b) => a ^ b,
  shl: () => (a, b) => a << b,
  shr: (dtype) => (dtype === 'uint32' ? (a, b) => a >>> b : (a, b) => a >> b),
  atan2: () => Math.atan2,
}

/** A fold: where it starts and one step of it, in float64 for floats and modulo 2^32 for integers. */
export interface Fold {
  readonly start: number
  readonly step: Binary
}

export const foldRows: { readonly [F in ReduceFn]: (dtype: DType) => Fold } = {
  sum: (dtype) => ({ start: 0, step: isInteger(dtype) ? (a, b) => (a + b) | 0 : (a, b) => a + b }),
  prod: (dtype) => ({ start: 1, step: isInteger(dtype) ? Math.imul : (a, b) => a * b }),
  max: () => ({ start: Number.NEGATIVE_INFINITY, step: Math.max }),
  min: () => ({ start: Number.POSITIVE_INFINITY, step: Math.min }),
}
