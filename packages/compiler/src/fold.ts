import type { BinaryFn, DType, ReduceFn, UnaryFn } from '@tessella/ir'

const limits: { readonly [D in DType]?: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint8: [0, 255],
}

const isWord = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32'

/** A number as the dtype stores it; undefined where the host cannot say (float16). */
export function encode(value: number, dtype: DType): number | undefined {
  if (dtype === 'float32') return Math.fround(value)
  if (dtype === 'float64') return value
  if (dtype === 'bool') return value !== 0 ? 1 : 0
  const range = limits[dtype]
  if (range === undefined) return undefined
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), range[0]), range[1])
}

/** Integers wrap, floats round. */
function wrap(value: number, dtype: DType): number | undefined {
  if (dtype === 'int32') return value | 0
  if (dtype === 'uint32') return value >>> 0
  return encode(value, dtype)
}

/** Functions whose host results are right to the last bit or nearly; the others stay in the program. */
const unaryFolds: { readonly [F in UnaryFn]?: (x: number) => number } = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  atan: Math.atan,
  tanh: Math.tanh,
  reciprocal: (x) => 1 / x,
  rsqrt: (x) => 1 / Math.sqrt(x),
  isNan: (x) => (Number.isNaN(x) ? 1 : 0),
  isInf: (x) => (x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY ? 1 : 0),
  isFinite: (x) => (Number.isFinite(x) ? 1 : 0),
}

const truth = (test: boolean): number => (test ? 1 : 0)

const binaryFolds: { readonly [F in BinaryFn]?: (a: number, b: number, dtype: DType) => number } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b, dtype) => (isWord(dtype) ? Math.imul(a, b) : a * b),
  div: (a, b, dtype) => (isWord(dtype) ? (b === 0 ? 0 : Math.trunc(a / b)) : a / b),
  pow: (a, b) => a ** b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  eq: (a, b) => truth(a === b),
  ne: (a, b) => truth(a !== b),
  lt: (a, b) => truth(a < b),
  le: (a, b) => truth(a <= b),
  gt: (a, b) => truth(a > b),
  ge: (a, b) => truth(a >= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b, dtype) => (dtype === 'uint32' ? a >>> b : a >> b),
  atan2: Math.atan2,
}

/** fn(x) for a constant of `dtype`, stored as `result`; undefined when it is better left to the program. */
export function foldUnary(fn: UnaryFn, x: number, dtype: DType, result: DType): number | undefined {
  if (fn === 'not') return dtype === 'bool' ? 1 - x : wrap(~x, dtype)
  const f = unaryFolds[fn]
  return f && wrap(f(x), result)
}

export function foldBinary(fn: BinaryFn, a: number, b: number, dtype: DType, result: DType): number | undefined {
  const f = binaryFolds[fn]
  return f && wrap(f(a, b, dtype), result)
}

/** Casts between integers keep the low bits; the others saturate. */
export function foldCast(x: number, from: DType, to: DType): number | undefined {
  if (isWord(from) && isWord(to)) return wrap(x, to)
  if (isWord(from) && to === 'uint8') return x & 255
  return encode(x, to)
}

/** A reduction of `count` equal values. */
export function foldReduce(fn: ReduceFn, x: number, count: number, dtype: DType): number | undefined {
  if (fn === 'max' || fn === 'min') return x
  if (fn === 'sum') return isWord(dtype) ? wrap(Math.imul(x, count), dtype) : encode(x * count, dtype)
  return x === 1 || count === 0 ? 1 : isWord(dtype) ? undefined : encode(x ** count, dtype)
}
