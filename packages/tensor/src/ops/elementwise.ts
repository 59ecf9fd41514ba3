import {
  type BinaryFn,
  broadcastShapes,
  build,
  checkOptions,
  type DType,
  isFloat,
  type Node,
  OpError,
  sameShape,
  type UnaryFn,
} from '@tessella/ir'
import {
  arithDType,
  asArith,
  asBool,
  asCompute,
  asFloat,
  commonDType,
  computeDType,
  floatDType,
  type NodeOperand,
  pair,
  toNode,
} from './promotion.ts'

type FloatFn = Exclude<UnaryFn, 'neg' | 'abs' | 'sign' | 'not' | 'isNan' | 'isInf' | 'isFinite' | RoundFn>
type RoundFn = 'floor' | 'ceil' | 'round' | 'trunc'
type CompareFn = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'
type LogicFn = 'and' | 'or' | 'xor'

/** A function that answers a float; integers and bool compute in float32. */
export const floatUnary = (fn: FloatFn, x: Node): Node => build.unary(fn, asFloat(x))
/** neg, abs and sign keep integers. */
export const arithUnary = (fn: 'neg' | 'abs' | 'sign', x: Node): Node => build.unary(fn, asArith(x))
/** Integers and bool are round already. */
export const roundUnary = (fn: RoundFn, x: Node): Node => (isFloat(x.dtype) ? build.unary(fn, asFloat(x)) : x)
/** Integers are always finite numbers. */
export const classify = (fn: 'isNan' | 'isInf' | 'isFinite', x: Node): Node =>
  isFloat(x.dtype) ? build.unary(fn, asFloat(x)) : build.full(x.shape, fn === 'isFinite' ? 1 : 0, 'bool')

const binary = (op: string, fn: BinaryFn, a: NodeOperand, b: NodeOperand, rule: (dtype: DType) => DType): Node =>
  build.binary(fn, ...pair(op, a, b, rule))

export const add = (a: NodeOperand, b: NodeOperand): Node => binary('add', 'add', a, b, arithDType)
export const sub = (a: NodeOperand, b: NodeOperand): Node => binary('sub', 'sub', a, b, arithDType)
export const mul = (a: NodeOperand, b: NodeOperand): Node => binary('mul', 'mul', a, b, arithDType)
/** True division: integers give float32. */
export const div = (a: NodeOperand, b: NodeOperand): Node => binary('div', 'div', a, b, floatDType)
export const atan2 = (a: NodeOperand, b: NodeOperand): Node => binary('atan2', 'atan2', a, b, floatDType)
export const maximum = (a: NodeOperand, b: NodeOperand): Node => binary('maximum', 'max', a, b, computeDType)
export const minimum = (a: NodeOperand, b: NodeOperand): Node => binary('minimum', 'min', a, b, computeDType)
/** The remainder with the sign of the dividend, as C's fmod. */
export const fmod = (a: NodeOperand, b: NodeOperand): Node => binary('fmod', 'rem', a, b, arithDType)
export const compare = (fn: CompareFn, a: NodeOperand, b: NodeOperand): Node => binary(fn, fn, a, b, computeDType)

/** True where a truncated quotient lies above the exact one: the remainder and the divisor differ in sign. */
function overshoots(remainder: Node, divisor: Node): Node {
  const zero = build.zerosLike(remainder)
  const apart = build.binary('ne', build.binary('lt', remainder, zero), build.binary('lt', divisor, zero))
  return build.binary('and', build.binary('ne', remainder, zero), apart)
}

/** The remainder with the sign of the divisor, as Python's %. */
export function remainder(a: NodeOperand, b: NodeOperand): Node {
  const [x, y] = pair('remainder', a, b, arithDType)
  const rest = build.binary('rem', x, y)
  return x.dtype === 'uint32' ? rest : build.select(overshoots(rest, y), build.add(rest, y), rest)
}

/** The quotient rounded down, as Python's //. */
export function floorDiv(a: NodeOperand, b: NodeOperand): Node {
  const [x, y] = pair('floorDiv', a, b, arithDType)
  const quotient = build.div(x, y)
  if (isFloat(x.dtype)) return build.unary('floor', quotient)
  if (x.dtype === 'uint32') return quotient
  return build.sub(quotient, build.cast(overshoots(build.binary('rem', x, y), y), x.dtype))
}

/** x^n for a whole n >= 1 by repeated squaring. */
function wholePower(x: Node, n: number): Node {
  let result: Node | undefined
  let base = x
  for (let rest = n; ; base = build.mul(base, base)) {
    if (rest % 2 === 1) result = result === undefined ? base : build.mul(result, base)
    rest = Math.floor(rest / 2)
    if (rest === 0) return result ?? base
  }
}

/** Small whole exponents multiply, so that gradients and negative bases are exact. */
export function pow(a: NodeOperand, b: NodeOperand): Node {
  if (typeof b === 'number' && typeof a !== 'number') {
    if (b === 0.5) return floatUnary('sqrt', a)
    if (b === 0) return build.onesLike(asArith(a))
    const whole = Number.isInteger(b)
    const float = isFloat(a.dtype)
    if (whole && !float && b < 0)
      throw new OpError('pow', `integers have no power ${b}`, {
        dtypes: [a.dtype],
        hint: "Cast the base first: x.cast('float32').",
      })
    if (whole && b > 0 && (b <= 4 || !float)) return wholePower(asArith(a), b)
    if (b === -1) return floatUnary('reciprocal', a)
  }
  return binary('pow', 'pow', a, b, floatDType)
}

export function square(x: Node): Node {
  const y = asArith(x)
  return build.mul(y, y)
}

const truth = (x: NodeOperand): Node => (typeof x === 'number' ? build.constant(x === 0 ? 0 : 1, 'bool') : asBool(x))

/** Logic on truth values: whatever is not zero is true. */
export const logical = (op: string, fn: LogicFn, a: NodeOperand, b: NodeOperand): Node =>
  build.binary(fn, ...pair(op, truth(a), truth(b), (d) => d))
export const logicalNot = (x: Node): Node => build.unary('not', asBool(x))

function integersOnly(op: string, ...operands: readonly NodeOperand[]): void {
  for (const x of operands)
    if (typeof x === 'number' ? !Number.isInteger(x) : isFloat(x.dtype))
      throw new OpError(op, `needs integers or bool, got ${typeof x === 'number' ? x : x.dtype}`, {
        dtypes: typeof x === 'number' ? [] : [x.dtype],
        hint: "Cast first: x.cast('int32').",
      })
}

export function bitwise(op: string, fn: LogicFn, a: NodeOperand, b: NodeOperand): Node {
  integersOnly(op, a, b)
  return binary(op, fn, a, b, computeDType)
}
export function shift(op: string, fn: 'shl' | 'shr', a: NodeOperand, b: NodeOperand): Node {
  integersOnly(op, a, b)
  return binary(op, fn, a, b, arithDType)
}
export function bitwiseNot(x: Node): Node {
  integersOnly('bitwiseNot', x)
  return build.unary('not', asCompute(x))
}

export function where(condition: Node, a: NodeOperand, b: NodeOperand): Node {
  const dtype = commonDType('where', [a, b])
  const mask = asBool(condition)
  const x = toNode(a, dtype)
  const y = toNode(b, dtype)
  broadcastShapes('where', mask.shape, broadcastShapes('where', x.shape, y.shape))
  return build.select(mask, x, y)
}

/** `value` in x's dtype where the mask holds; the mask broadcasts to x. */
export function maskedFill(x: Node, mask: Node, value: number): Node {
  const dtype = commonDType('maskedFill', [x, value])
  if (dtype !== x.dtype && !(Number.isInteger(value) && !isFloat(dtype)))
    throw new OpError('maskedFill', `${value} does not fit ${x.dtype}`, {
      dtypes: [x.dtype],
      hint: "Cast the tensor first: x.cast('float32').",
    })
  const grown = broadcastShapes('maskedFill', x.shape, mask.shape)
  if (!sameShape(grown, x.shape))
    throw new OpError('maskedFill', 'the mask does not broadcast to the tensor', { shapes: [x.shape, mask.shape] })
  return build.select(asBool(mask), build.constant(value, x.dtype), x)
}

/** x between two bounds; at a bound the gradient is x's, as in PyTorch. NaN stays. */
export function clip(x: Node, lo: NodeOperand | undefined, hi: NodeOperand | undefined): Node {
  if (lo === undefined && hi === undefined)
    throw new OpError('clip', 'needs a lower bound, an upper bound or both', { hint: 'Give min, max or both.' })
  const bounds = [lo, hi].filter((b) => b !== undefined)
  const dtype = computeDType(commonDType('clip', [x, ...bounds]))
  let y = build.cast(x, dtype)
  if (lo !== undefined) {
    const [value, bound] = pair('clip', y, toNode(lo, dtype), (d) => d)
    y = build.select(build.binary('lt', value, bound), bound, value)
  }
  if (hi !== undefined) {
    const [value, bound] = pair('clip', y, toNode(hi, dtype), (d) => d)
    y = build.select(build.binary('gt', value, bound), bound, value)
  }
  return y
}

/** a + weight (b - a). */
export function lerp(a: Node, b: NodeOperand, weight: NodeOperand): Node {
  const dtype = floatDType(commonDType('lerp', [a, b, weight]))
  const [x, y] = pair('lerp', build.cast(a, dtype), toNode(b, dtype), (d) => d)
  return add(x, mul(toNode(weight, dtype), build.sub(y, x)))
}

/** Replacements for what is not a finite number. */
export interface NanToNumOptions {
  /** For NaN; 0 unless given. */
  readonly nan?: number | undefined
  /** For +infinity; the largest number of the dtype unless given. */
  readonly posinf?: number | undefined
  /** For -infinity; the lowest number of the dtype unless given. */
  readonly neginf?: number | undefined
}

const FLOAT32_MAX = 3.4028234663852886e38

export function nanToNum(x: Node, options: NanToNumOptions = {}): Node {
  checkOptions('nanToNum', options, ['nan', 'posinf', 'neginf'])
  if (!isFloat(x.dtype)) return x
  const y = asFloat(x)
  const most = y.dtype === 'float64' ? Number.MAX_VALUE : FLOAT32_MAX
  const like = (value: number) => build.full(y.shape, value, y.dtype)
  const infinite = build.unary('isInf', y)
  const positive = build.binary('gt', y, like(0))
  const bound = build.select(positive, like(options.posinf ?? most), like(options.neginf ?? -most))
  return build.select(build.unary('isNan', y), like(options.nan ?? 0), build.select(infinite, bound, y))
}

/** sqrt whose gradient at 0 is 0 instead of infinite. */
export function safeSqrt(x: Node): Node {
  const zero = build.binary('eq', x, build.zerosLike(x))
  return build.select(zero, build.zerosLike(x), build.unary('sqrt', build.select(zero, build.onesLike(x), x)))
}

/** |a - b| <= atol + rtol |b|; equal infinities are close. */
export function isClose(a: Node, b: NodeOperand, rtol: number, atol: number, equalNan: boolean): Node {
  const [x, y] = pair('isClose', a, b, floatDType)
  const bound = build.shift(build.scale(build.unary('abs', y), rtol), atol)
  const near = build.binary('le', build.unary('abs', build.sub(x, y)), bound)
  const finite = build.unary('isFinite', y)
  const close = build.binary('or', build.binary('eq', x, y), build.binary('and', near, finite))
  if (!equalNan) return close
  return build.binary('or', close, build.binary('and', build.unary('isNan', x), build.unary('isNan', y)))
}
