import { build, type DType } from '@tessella/ir'
import type { ArithOf, ComputeOf, FloatOf, RoundOf } from '../dtypes.ts'
import { operandOf } from '../handle.ts'
import * as ops from '../ops/elementwise.ts'
import { anyAll } from '../ops/reduce.ts'
import type { Beside, Between, Common, DTypeOf, Operand, PowerOf, Spread } from '../signatures.ts'
import { fromNode, nodeOf, type Tensor } from '../tensor.ts'
import type { Broadcast3, Ok, Shape, ShapeOf } from '../types/index.ts'

type FloatFunction = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>
type ArithFunction = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, ArithOf<D>>
type RoundFunction = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, RoundOf<D>>
type Predicate = <S extends Shape>(x: Tensor<S>) => Tensor<S, 'bool'>

/** The same values in another dtype. */
export const cast = <S extends Shape, const D extends DType>(x: Tensor<S>, dtype: D): Tensor<S, D> =>
  fromNode(build.cast(nodeOf(x), dtype))
/** The same values, which the gradient takes for constants. */
export const stopGradient = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> =>
  fromNode(build.stopGradient(nodeOf(x)))

export const neg: ArithFunction = (x) => fromNode(ops.arithUnary('neg', nodeOf(x)))
export const abs: ArithFunction = (x) => fromNode(ops.arithUnary('abs', nodeOf(x)))
export const sign: ArithFunction = (x) => fromNode(ops.arithUnary('sign', nodeOf(x)))
export const square: ArithFunction = (x) => fromNode(ops.square(nodeOf(x)))
export const floor: RoundFunction = (x) => fromNode(ops.roundUnary('floor', nodeOf(x)))
export const ceil: RoundFunction = (x) => fromNode(ops.roundUnary('ceil', nodeOf(x)))
/** Halves go to the even neighbour. */
export const round: RoundFunction = (x) => fromNode(ops.roundUnary('round', nodeOf(x)))
export const trunc: RoundFunction = (x) => fromNode(ops.roundUnary('trunc', nodeOf(x)))
export const exp: FloatFunction = (x) => fromNode(ops.floatUnary('exp', nodeOf(x)))
/** exp(x) - 1, exact near 0. */
export const expm1: FloatFunction = (x) => fromNode(ops.floatUnary('expm1', nodeOf(x)))
/** 2^x. */
export const exp2: FloatFunction = (x) => fromNode(ops.floatUnary('exp2', nodeOf(x)))
export const log: FloatFunction = (x) => fromNode(ops.floatUnary('log', nodeOf(x)))
/** log(1 + x), exact near 0. */
export const log1p: FloatFunction = (x) => fromNode(ops.floatUnary('log1p', nodeOf(x)))
export const log2: FloatFunction = (x) => fromNode(ops.floatUnary('log2', nodeOf(x)))
export const sqrt: FloatFunction = (x) => fromNode(ops.floatUnary('sqrt', nodeOf(x)))
/** 1 / sqrt(x). */
export const rsqrt: FloatFunction = (x) => fromNode(ops.floatUnary('rsqrt', nodeOf(x)))
/** 1 / x. */
export const reciprocal: FloatFunction = (x) => fromNode(ops.floatUnary('reciprocal', nodeOf(x)))
export const sin: FloatFunction = (x) => fromNode(ops.floatUnary('sin', nodeOf(x)))
export const cos: FloatFunction = (x) => fromNode(ops.floatUnary('cos', nodeOf(x)))
export const tan: FloatFunction = (x) => fromNode(ops.floatUnary('tan', nodeOf(x)))
export const asin: FloatFunction = (x) => fromNode(ops.floatUnary('asin', nodeOf(x)))
export const acos: FloatFunction = (x) => fromNode(ops.floatUnary('acos', nodeOf(x)))
export const atan: FloatFunction = (x) => fromNode(ops.floatUnary('atan', nodeOf(x)))
export const sinh: FloatFunction = (x) => fromNode(ops.floatUnary('sinh', nodeOf(x)))
export const cosh: FloatFunction = (x) => fromNode(ops.floatUnary('cosh', nodeOf(x)))
export const tanh: FloatFunction = (x) => fromNode(ops.floatUnary('tanh', nodeOf(x)))
export const asinh: FloatFunction = (x) => fromNode(ops.floatUnary('asinh', nodeOf(x)))
export const acosh: FloatFunction = (x) => fromNode(ops.floatUnary('acosh', nodeOf(x)))
export const atanh: FloatFunction = (x) => fromNode(ops.floatUnary('atanh', nodeOf(x)))
/** The error function. */
export const erf: FloatFunction = (x) => fromNode(ops.floatUnary('erf', nodeOf(x)))
/** The inverse of erf on (-1, 1). */
export const erfinv: FloatFunction = (x) => fromNode(ops.floatUnary('erfinv', nodeOf(x)))
/** 1 / (1 + exp(-x)). */
export const sigmoid: FloatFunction = (x) => fromNode(ops.floatUnary('sigmoid', nodeOf(x)))
export const isNan: Predicate = (x) => fromNode(ops.classify('isNan', nodeOf(x)))
export const isInf: Predicate = (x) => fromNode(ops.classify('isInf', nodeOf(x)))
const finite: Predicate = (x) => fromNode(ops.classify('isFinite', nodeOf(x)))

// The name shadows a global here, so it is given on the way out.
export { finite as isFinite }
export const logicalNot: Predicate = (x) => fromNode(ops.logicalNot(nodeOf(x)))
export const bitwiseNot = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, ComputeOf<D>> =>
  fromNode(ops.bitwiseNot(nodeOf(x)))

export const add = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'add'>,
): Tensor<Spread<A, B, 'add'>, ArithOf<Common<A, B>>> => fromNode(ops.add(operandOf(a), operandOf(b)))
export const sub = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'sub'>,
): Tensor<Spread<A, B, 'sub'>, ArithOf<Common<A, B>>> => fromNode(ops.sub(operandOf(a), operandOf(b)))
export const mul = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'mul'>,
): Tensor<Spread<A, B, 'mul'>, ArithOf<Common<A, B>>> => fromNode(ops.mul(operandOf(a), operandOf(b)))
/** True division: integers give float32. */
export const div = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'div'>,
): Tensor<Spread<A, B, 'div'>, FloatOf<Common<A, B>>> => fromNode(ops.div(operandOf(a), operandOf(b)))
/** The quotient rounded down, as Python's `//`. */
export const floorDiv = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'floorDiv'>,
): Tensor<Spread<A, B, 'floorDiv'>, ArithOf<Common<A, B>>> => fromNode(ops.floorDiv(operandOf(a), operandOf(b)))
/** The remainder with the sign of the divisor, as Python's `%`. */
export const remainder = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'remainder'>,
): Tensor<Spread<A, B, 'remainder'>, ArithOf<Common<A, B>>> => fromNode(ops.remainder(operandOf(a), operandOf(b)))
/** The remainder with the sign of the dividend, as JavaScript's `%`. */
export const fmod = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'fmod'>,
): Tensor<Spread<A, B, 'fmod'>, ArithOf<Common<A, B>>> => fromNode(ops.fmod(operandOf(a), operandOf(b)))
/** The power; integers stay integers for whole exponents that are numbers. */
export const pow = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'pow'>,
): Tensor<Spread<A, B, 'pow'>, A extends number ? FloatOf<Common<A, B>> : PowerOf<DTypeOf<A>, B>> =>
  fromNode(ops.pow(operandOf(a), operandOf(b)))
/** The angle of the point (b, a). */
export const atan2 = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'atan2'>,
): Tensor<Spread<A, B, 'atan2'>, FloatOf<Common<A, B>>> => fromNode(ops.atan2(operandOf(a), operandOf(b)))
/** The larger of two elements; NaN wins. */
export const maximum = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'maximum'>,
): Tensor<Spread<A, B, 'maximum'>, ComputeOf<Common<A, B>>> => fromNode(ops.maximum(operandOf(a), operandOf(b)))
/** The smaller of two elements; NaN wins. */
export const minimum = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'minimum'>,
): Tensor<Spread<A, B, 'minimum'>, ComputeOf<Common<A, B>>> => fromNode(ops.minimum(operandOf(a), operandOf(b)))
export const eq = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'eq'>,
): Tensor<Spread<A, B, 'eq'>, 'bool'> => fromNode(ops.compare('eq', operandOf(a), operandOf(b)))
export const ne = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'ne'>,
): Tensor<Spread<A, B, 'ne'>, 'bool'> => fromNode(ops.compare('ne', operandOf(a), operandOf(b)))
export const lt = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'lt'>,
): Tensor<Spread<A, B, 'lt'>, 'bool'> => fromNode(ops.compare('lt', operandOf(a), operandOf(b)))
export const le = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'le'>,
): Tensor<Spread<A, B, 'le'>, 'bool'> => fromNode(ops.compare('le', operandOf(a), operandOf(b)))
export const gt = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'gt'>,
): Tensor<Spread<A, B, 'gt'>, 'bool'> => fromNode(ops.compare('gt', operandOf(a), operandOf(b)))
export const ge = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'ge'>,
): Tensor<Spread<A, B, 'ge'>, 'bool'> => fromNode(ops.compare('ge', operandOf(a), operandOf(b)))
/** Logic on truth values: what is not zero is true. */
export const logicalAnd = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'logicalAnd'>,
): Tensor<Spread<A, B, 'logicalAnd'>, 'bool'> => fromNode(ops.logical('logicalAnd', 'and', operandOf(a), operandOf(b)))
export const logicalOr = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'logicalOr'>,
): Tensor<Spread<A, B, 'logicalOr'>, 'bool'> => fromNode(ops.logical('logicalOr', 'or', operandOf(a), operandOf(b)))
export const logicalXor = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'logicalXor'>,
): Tensor<Spread<A, B, 'logicalXor'>, 'bool'> => fromNode(ops.logical('logicalXor', 'xor', operandOf(a), operandOf(b)))
/** Bits of integers; logic on bool. */
export const bitwiseAnd = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'bitwiseAnd'>,
): Tensor<Spread<A, B, 'bitwiseAnd'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.bitwise('bitwiseAnd', 'and', operandOf(a), operandOf(b)))
export const bitwiseOr = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'bitwiseOr'>,
): Tensor<Spread<A, B, 'bitwiseOr'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.bitwise('bitwiseOr', 'or', operandOf(a), operandOf(b)))
export const bitwiseXor = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'bitwiseXor'>,
): Tensor<Spread<A, B, 'bitwiseXor'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.bitwise('bitwiseXor', 'xor', operandOf(a), operandOf(b)))
/** Bits moved up. */
export const leftShift = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'leftShift'>,
): Tensor<Spread<A, B, 'leftShift'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.shift('leftShift', 'shl', operandOf(a), operandOf(b)))
/** Bits moved down; the sign of int32 stays. */
export const rightShift = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'rightShift'>,
): Tensor<Spread<A, B, 'rightShift'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.shift('rightShift', 'shr', operandOf(a), operandOf(b)))

/** `a` where the condition holds (is not zero), `b` elsewhere; all three broadcast. */
export const where = <C extends Tensor, const A extends Operand, const B extends Operand>(
  condition: C,
  a: A,
  b: Beside<A, B, 'where'>,
): Tensor<Ok<Broadcast3<ShapeOf<C>, ShapeOf<A>, ShapeOf<B>, 'where'>>, Common<A, B>> =>
  fromNode(ops.where(nodeOf(condition), operandOf(a), operandOf(b)))

/** Elements cut to [min, max]; bounds are numbers or tensors, `undefined` for none. At a bound the gradient is x's. */
export const clip = <
  S extends Shape,
  D extends DType,
  const B extends Operand = number,
  const C extends Operand = number,
>(
  x: Tensor<S, D>,
  min?: B | undefined,
  max?: C | undefined,
): Between<S, D, B, C> => {
  const bound = (b: Operand | undefined) => (b === undefined ? undefined : operandOf(b))
  return fromNode(ops.clip(nodeOf(x), bound(min), bound(max)))
}

/** a + weight (b - a). */
export const lerp = <A extends Tensor, const B extends Operand, const W extends Operand>(
  a: A,
  b: Beside<A, B, 'lerp'>,
  weight: W,
): Tensor<Ok<Broadcast3<ShapeOf<A>, ShapeOf<B>, ShapeOf<W>, 'lerp'>>, FloatOf<Common<A, B>>> =>
  fromNode(ops.lerp(nodeOf(a), operandOf(b), operandOf(weight)))

/** Numbers in place of NaN (0) and the infinities (the largest numbers of the dtype). */
export const nanToNum = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options?: ops.NanToNumOptions,
): Tensor<S, RoundOf<D>> => fromNode(ops.nanToNum(nodeOf(x), options))

/** `value` where the mask holds; the mask broadcasts to x. */
export const maskedFill = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mask: Tensor,
  value: number,
): Tensor<S, D> => fromNode(ops.maskedFill(nodeOf(x), nodeOf(mask), value))

/** How far apart two numbers may be: |a - b| <= atol + rtol |b|. */
export interface CloseOptions {
  /** 1e-5 unless given. */
  readonly rtol?: number | undefined
  /** 1e-8 unless given. */
  readonly atol?: number | undefined
  /** Whether NaN is close to NaN; not unless given. */
  readonly equalNan?: boolean | undefined
}
const closeness = (options: CloseOptions) =>
  [options.rtol ?? 1e-5, options.atol ?? 1e-8, options.equalNan ?? false] as const

/** Whether elements are nearly equal. */
export const isClose = <A extends Tensor, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'isClose'>,
  options: CloseOptions = {},
): Tensor<Spread<A, B, 'isClose'>, 'bool'> => fromNode(ops.isClose(nodeOf(a), operandOf(b), ...closeness(options)))
/** Whether all elements are nearly equal. */
export const allClose = <A extends Tensor, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'isClose'>,
  options: CloseOptions = {},
): Tensor<[], 'bool'> =>
  fromNode(anyAll('all', ops.isClose(nodeOf(a), operandOf(b), ...closeness(options)), undefined, false))
