import { type BinaryFn, type DType, internalError, isFloat, type UnaryFn } from '@tessella/ir'
import { atan, atan2, erf, tanh } from '../math/bounded.ts'
import { divideIntegers, remainderIntegers } from '../math/double.ts'
import { exp, exp2, expm1, log, log1p, log2, sigmoid } from '../math/exponential.ts'
import type { Lanes } from '../math/lanes.ts'
import { pow } from '../math/power.ts'
import { remainder } from '../math/remainder.ts'
import { cos, sin, tan } from '../math/trigonometric.ts'
import type { Value } from './dataflow.ts'

type Unary = (l: Lanes, x: Value) => Value
type Binary = (l: Lanes, a: Value, b: Value) => Value

const ones = 0xffffffff

/** float32 in every lane, float32 or mask out. What is missing here is decomposed by the compiler. */
const floatUnary: { readonly [F in UnaryFn]?: Unary } = {
  neg: (l, x) => l.neg(x),
  abs: (l, x) => l.abs(x),
  // x itself where it is zero or NaN.
  sign: (l, x) => l.select(l.gt(l.abs(x), l.c(0)), l.copySign(l.c(1), x), x),
  floor: (l, x) => l.g.v('f32x4.floor', x),
  ceil: (l, x) => l.g.v('f32x4.ceil', x),
  round: (l, x) => l.g.v('f32x4.nearest', x),
  trunc: (l, x) => l.g.v('f32x4.trunc', x),
  sqrt: (l, x) => l.sqrt(x),
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  atan,
  tanh,
  erf,
  isNan: (l, x) => l.ne(x, x),
  reciprocal: (l, x) => l.div(l.c(1), x),
  rsqrt: (l, x) => l.div(l.c(1), l.sqrt(x)),
  exp2,
  log2,
  tan,
  sigmoid,
  isInf: (l, x) => l.eq(l.abs(x), l.c(Number.POSITIVE_INFINITY)),
  isFinite: (l, x) => l.lt(l.abs(x), l.c(Number.POSITIVE_INFINITY)),
}

const floatBinary: { readonly [F in BinaryFn]?: Binary } = {
  add: (l, a, b) => l.add(a, b),
  sub: (l, a, b) => l.sub(a, b),
  mul: (l, a, b) => l.mul(a, b),
  div: (l, a, b) => l.div(a, b),
  pow,
  max: (l, a, b) => l.max(a, b),
  min: (l, a, b) => l.min(a, b),
  rem: remainder,
  eq: (l, a, b) => l.eq(a, b),
  ne: (l, a, b) => l.ne(a, b),
  lt: (l, a, b) => l.lt(a, b),
  le: (l, a, b) => l.g.v('f32x4.le', a, b),
  gt: (l, a, b) => l.gt(a, b),
  ge: (l, a, b) => l.g.v('f32x4.ge', a, b),
  atan2,
}

/** Integer functions; uint32 differs where the sign matters. */
const integerUnary = (signed: boolean): { readonly [F in UnaryFn]?: Unary } => ({
  neg: (l, x) => l.g.v('i32x4.neg', x),
  abs: (l, x) => (signed ? l.g.v('i32x4.abs', x) : x),
  sign: (l, x) => {
    const positive = l.g.v('i32x4.neg', l.g.v(signed ? 'i32x4.gt_s' : 'i32x4.gt_u', x, l.bits(0)))
    return signed ? l.or(positive, l.shr(x, 31)) : positive
  },
  not: (l, x) => l.g.v('v128.not', x),
})

const integerBinary = (signed: boolean): { readonly [F in BinaryFn]?: Binary } => {
  const op =
    (s: Parameters<Lanes['g']['v']>[0], u: Parameters<Lanes['g']['v']>[0]): Binary =>
    (l, a, b) =>
      l.g.v(signed ? s : u, a, b)
  const plain = (s: Parameters<Lanes['g']['v']>[0]): Binary => op(s, s)
  return {
    add: plain('i32x4.add'),
    sub: plain('i32x4.sub'),
    mul: plain('i32x4.mul'),
    div: (l, a, b) => divideIntegers(l.g, a, b, signed),
    rem: (l, a, b) => remainderIntegers(l.g, a, b, signed),
    max: op('i32x4.max_s', 'i32x4.max_u'),
    min: op('i32x4.min_s', 'i32x4.min_u'),
    eq: plain('i32x4.eq'),
    ne: plain('i32x4.ne'),
    lt: op('i32x4.lt_s', 'i32x4.lt_u'),
    le: op('i32x4.le_s', 'i32x4.le_u'),
    gt: op('i32x4.gt_s', 'i32x4.gt_u'),
    ge: op('i32x4.ge_s', 'i32x4.ge_u'),
    and: plain('v128.and'),
    or: plain('v128.or'),
    xor: plain('v128.xor'),
    shl: (l, a, b) => shiftEach(l, 'i32.shl', a, b),
    shr: (l, a, b) => shiftEach(l, signed ? 'i32.shr_s' : 'i32.shr_u', a, b),
  }
}

/** Shifts by amounts that differ from lane to lane; wasm takes the low five bits. */
function shiftEach(l: Lanes, op: 'i32.shl' | 'i32.shr_s' | 'i32.shr_u', a: Value, b: Value): Value {
  const { g } = l
  const constant = b.payload.kind === 'constant' ? b.payload.words : []
  if (constant.length === 1) {
    const vector = op === 'i32.shl' ? 'i32x4.shl' : op === 'i32.shr_s' ? 'i32x4.shr_s' : 'i32x4.shr_u'
    return g.v(vector, a, g.integer((constant[0] as number) & 31))
  }
  let out = a
  for (let lane = 0; lane < 4; lane++) {
    const x = g.extract('i32x4.extract_lane', lane, a)
    const n = g.extract('i32x4.extract_lane', lane, b)
    out = g.replace('i32x4.replace_lane', lane, out, g.i(op, x, n))
  }
  return out
}

/** Masks: true is all ones, so true < false as signed integers. */
const boolUnary: { readonly [F in UnaryFn]?: Unary } = { not: (l, x) => l.g.v('v128.not', x) }

const boolBinary: { readonly [F in BinaryFn]?: Binary } = {
  max: (l, a, b) => l.or(a, b),
  min: (l, a, b) => l.and(a, b),
  eq: (l, a, b) => l.xor(l.xor(a, b), l.bits(ones)),
  ne: (l, a, b) => l.xor(a, b),
  lt: (l, a, b) => l.andNot(b, a),
  le: (l, a, b) => l.or(l.xor(a, l.bits(ones)), b),
  gt: (l, a, b) => l.andNot(a, b),
  ge: (l, a, b) => l.or(a, l.xor(b, l.bits(ones))),
  and: (l, a, b) => l.and(a, b),
  or: (l, a, b) => l.or(a, b),
  xor: (l, a, b) => l.xor(a, b),
}

const intUnary = integerUnary(true)
const uintUnary = integerUnary(false)
const intBinary = integerBinary(true)
const uintBinary = integerBinary(false)

export function unaryOf(dtype: DType, fn: UnaryFn): Unary {
  const table = isFloat(dtype) ? floatUnary : dtype === 'bool' ? boolUnary : dtype === 'uint32' ? uintUnary : intUnary
  const row = table[fn]
  if (!row) throw internalError(`no ${fn} of ${dtype} in the cpu backend`)
  return row
}

export function binaryOf(dtype: DType, fn: BinaryFn): Binary {
  const table = isFloat(dtype)
    ? floatBinary
    : dtype === 'bool'
      ? boolBinary
      : dtype === 'uint32'
        ? uintBinary
        : intBinary
  const row = table[fn]
  if (!row) throw internalError(`no ${fn} of ${dtype} in the cpu backend`)
  return row
}

/** What the compiler may leave undecomposed. */
export const nativeUnary: ReadonlySet<UnaryFn> = new Set([
  ...(Object.keys(floatUnary) as UnaryFn[]),
  ...(Object.keys(intUnary) as UnaryFn[]),
])
export const nativeBinary: ReadonlySet<BinaryFn> = new Set([
  ...(Object.keys(floatBinary) as BinaryFn[]),
  ...(Object.keys(intBinary) as BinaryFn[]),
])
