/** Functions of one element that every backend implements. */
export type CoreUnaryFn =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'trunc'
  | 'sqrt'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'atan'
  | 'tanh'
  | 'erf'
  | 'not'
  | 'isNan'
/** Functions of one element that a backend may leave out: `decompose.ts` writes them in core functions. */
export type DecomposableUnaryFn =
  | 'reciprocal'
  | 'rsqrt'
  | 'exp2'
  | 'log2'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'sinh'
  | 'cosh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'sigmoid'
  | 'erfinv'
  | 'isInf'
  | 'isFinite'
export type UnaryFn = CoreUnaryFn | DecomposableUnaryFn

/** `rem` has the sign of the dividend; `and/or/xor` are logical on bool and bitwise on integers; `shr` follows the sign. */
export type CoreBinaryFn =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'max'
  | 'min'
  | 'rem'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
export type DecomposableBinaryFn = 'atan2'
export type BinaryFn = CoreBinaryFn | DecomposableBinaryFn

export type ReduceFn = 'sum' | 'prod' | 'max' | 'min'

/** Which dtypes a function takes, and whether it answers bool. */
export interface FnFacts {
  readonly on: 'float' | 'number' | 'integer' | 'logical' | 'ordered'
  readonly result: 'same' | 'bool'
}

const float: FnFacts = { on: 'float', result: 'same' }
const number: FnFacts = { on: 'number', result: 'same' }
const integer: FnFacts = { on: 'integer', result: 'same' }
const logical: FnFacts = { on: 'logical', result: 'same' }
const ordered: FnFacts = { on: 'ordered', result: 'same' }
const predicate: FnFacts = { on: 'float', result: 'bool' }
const comparison: FnFacts = { on: 'ordered', result: 'bool' }

/** float: float32/64; number: also int32/uint32; integer: int32/uint32; logical: bool and integers; ordered: number and bool. */
export const unaryFacts: { readonly [F in UnaryFn]: FnFacts } = {
  neg: number,
  abs: number,
  sign: number,
  floor: float,
  ceil: float,
  round: float,
  trunc: float,
  sqrt: float,
  exp: float,
  expm1: float,
  log: float,
  log1p: float,
  sin: float,
  cos: float,
  atan: float,
  tanh: float,
  erf: float,
  not: logical,
  isNan: predicate,
  reciprocal: float,
  rsqrt: float,
  exp2: float,
  log2: float,
  tan: float,
  asin: float,
  acos: float,
  sinh: float,
  cosh: float,
  asinh: float,
  acosh: float,
  atanh: float,
  sigmoid: float,
  erfinv: float,
  isInf: predicate,
  isFinite: predicate,
}

/**
 * `div` on integers truncates toward zero; `div` and `rem` of an integer by zero give 0. Shifts use the low five bits
 * of the amount. `max` and `min` answer NaN when an operand is NaN.
 */
export const binaryFacts: { readonly [F in BinaryFn]: FnFacts } = {
  add: number,
  sub: number,
  mul: number,
  div: number,
  pow: float,
  max: ordered,
  min: ordered,
  rem: number,
  eq: comparison,
  ne: comparison,
  lt: comparison,
  le: comparison,
  gt: comparison,
  ge: comparison,
  and: logical,
  or: logical,
  xor: logical,
  shl: integer,
  shr: integer,
  atan2: float,
}

export const unaryFns = Object.keys(unaryFacts) as UnaryFn[]
export const binaryFns = Object.keys(binaryFacts) as BinaryFn[]
