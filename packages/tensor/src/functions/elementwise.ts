import { build, checkOptions, type DType } from '@tessella/ir'
import type { ArithOf, ComputeOf, FloatOf, RoundOf } from '../dtypes.ts'
import { nodeIn, operandIn } from '../operand.ts'
import * as ops from '../ops/elementwise.ts'
import { anyAll } from '../ops/reduce.ts'
import type { Beside, Between, Common, DTypeOf, Operand, PowerOf, Spread } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Broadcast3, Ok, Shape, ShapeOf } from '../types/index.ts'

type FloatFunction = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>
type ArithFunction = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, ArithOf<D>>
type RoundFunction = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, RoundOf<D>>
type Predicate = <S extends Shape>(x: Tensor<S>) => Tensor<S, 'bool'>

/** The same values in another dtype. */
export const cast = <S extends Shape, const D extends DType>(x: Tensor<S>, dtype: D): Tensor<S, D> =>
  fromNode(build.cast(nodeIn('cast', x), dtype))
/** The same values, which the gradient takes for constants. */
export const stopGradient = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> =>
  fromNode(build.stopGradient(nodeIn('stopGradient', x)))

export const neg: ArithFunction = (x) => fromNode(ops.arithUnary('neg', nodeIn('neg', x)))
export const abs: ArithFunction = (x) => fromNode(ops.arithUnary('abs', nodeIn('abs', x)))
export const sign: ArithFunction = (x) => fromNode(ops.arithUnary('sign', nodeIn('sign', x)))
export const square: ArithFunction = (x) => fromNode(ops.square(nodeIn('square', x)))
export const floor: RoundFunction = (x) => fromNode(ops.roundUnary('floor', nodeIn('floor', x)))
export const ceil: RoundFunction = (x) => fromNode(ops.roundUnary('ceil', nodeIn('ceil', x)))
/** Halves go to the even neighbour. */
export const round: RoundFunction = (x) => fromNode(ops.roundUnary('round', nodeIn('round', x)))
export const trunc: RoundFunction = (x) => fromNode(ops.roundUnary('trunc', nodeIn('trunc', x)))
export const exp: FloatFunction = (x) => fromNode(ops.floatUnary('exp', nodeIn('exp', x)))
/** exp(x) - 1, exact near 0. */
export const expm1: FloatFunction = (x) => fromNode(ops.floatUnary('expm1', nodeIn('expm1', x)))
/** 2^x. */
export const exp2: FloatFunction = (x) => fromNode(ops.floatUnary('exp2', nodeIn('exp2', x)))
export const log: FloatFunction = (x) => fromNode(ops.floatUnary('log', nodeIn('log', x)))
/** log(1 + x), exact near 0. */
export const log1p: FloatFunction = (x) => fromNode(ops.floatUnary('log1p', nodeIn('log1p', x)))
export const log2: FloatFunction = (x) => fromNode(ops.floatUnary('log2', nodeIn('log2', x)))
export const sqrt: FloatFunction = (x) => fromNode(ops.floatUnary('sqrt', nodeIn('sqrt', x)))
/** 1 / sqrt(x). */
export const rsqrt: FloatFunction = (x) => fromNode(ops.floatUnary('rsqrt', nodeIn('rsqrt', x)))
/** 1 / x. */
export const reciprocal: FloatFunction = (x) => fromNode(ops.floatUnary('reciprocal', nodeIn('reciprocal', x)))
export const sin: FloatFunction = (x) => fromNode(ops.floatUnary('sin', nodeIn('sin', x)))
export const cos: FloatFunction = (x) => fromNode(ops.floatUnary('cos', nodeIn('cos', x)))
export const tan: FloatFunction = (x) => fromNode(ops.floatUnary('tan', nodeIn('tan', x)))
export const asin: FloatFunction = (x) => fromNode(ops.floatUnary('asin', nodeIn('asin', x)))
export const acos: FloatFunction = (x) => fromNode(ops.floatUnary('acos', nodeIn('acos', x)))
export const atan: FloatFunction = (x) => fromNode(ops.floatUnary('atan', nodeIn('atan', x)))
export const sinh: FloatFunction = (x) => fromNode(ops.floatUnary('sinh', nodeIn('sinh', x)))
export const cosh: FloatFunction = (x) => fromNode(ops.floatUnary('cosh', nodeIn('cosh', x)))
export const tanh: FloatFunction = (x) => fromNode(ops.floatUnary('tanh', nodeIn('tanh', x)))
export const asinh: FloatFunction = (x) => fromNode(ops.floatUnary('asinh', nodeIn('asinh', x)))
export const acosh: FloatFunction = (x) => fromNode(ops.floatUnary('acosh', nodeIn('acosh', x)))
export const atanh: FloatFunction = (x) => fromNode(ops.floatUnary('atanh', nodeIn('atanh', x)))
/** The error function. */
export const erf: FloatFunction = (x) => fromNode(ops.floatUnary('erf', nodeIn('erf', x)))
/** The inverse of erf on (-1, 1). */
export const erfinv: FloatFunction = (x) => fromNode(ops.floatUnary('erfinv', nodeIn('erfinv', x)))
/** 1 / (1 + exp(-x)). */
export const sigmoid: FloatFunction = (x) => fromNode(ops.floatUnary('sigmoid', nodeIn('sigmoid', x)))
export const isNan: Predicate = (x) => fromNode(ops.classify('isNan', nodeIn('isNan', x)))
export const isInf: Predicate = (x) => fromNode(ops.classify('isInf', nodeIn('isInf', x)))
const finite: Predicate = (x) => fromNode(ops.classify('isFinite', nodeIn('isFinite', x)))

// The name shadows a global here, so it is given on the way out.
export { finite as isFinite }
export const logicalNot: Predicate = (x) => fromNode(ops.logicalNot(nodeIn('logicalNot', x)))
export const bitwiseNot = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, ComputeOf<D>> =>
  fromNode(ops.bitwiseNot(nodeIn('bitwiseNot', x)))

export const add = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'add'>,
): Tensor<Spread<A, B, 'add'>, ArithOf<Common<A, B>>> => fromNode(ops.add(operandIn('add', a), operandIn('add', b)))
export const sub = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'sub'>,
): Tensor<Spread<A, B, 'sub'>, ArithOf<Common<A, B>>> => fromNode(ops.sub(operandIn('sub', a), operandIn('sub', b)))
export const mul = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'mul'>,
): Tensor<Spread<A, B, 'mul'>, ArithOf<Common<A, B>>> => fromNode(ops.mul(operandIn('mul', a), operandIn('mul', b)))
/** True division: integers give float32. */
export const div = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'div'>,
): Tensor<Spread<A, B, 'div'>, FloatOf<Common<A, B>>> => fromNode(ops.div(operandIn('div', a), operandIn('div', b)))
/** The quotient rounded down, as Python's `//`. */
export const floorDiv = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'floorDiv'>,
): Tensor<Spread<A, B, 'floorDiv'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.floorDiv(operandIn('floorDiv', a), operandIn('floorDiv', b)))
/** The remainder with the sign of the divisor, as Python's `%`. */
export const remainder = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'remainder'>,
): Tensor<Spread<A, B, 'remainder'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.remainder(operandIn('remainder', a), operandIn('remainder', b)))
/** The remainder with the sign of the dividend, as JavaScript's `%`. */
export const fmod = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'fmod'>,
): Tensor<Spread<A, B, 'fmod'>, ArithOf<Common<A, B>>> => fromNode(ops.fmod(operandIn('fmod', a), operandIn('fmod', b)))
/** The power; integers stay integers for whole exponents that are numbers. */
export const pow = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'pow'>,
): Tensor<Spread<A, B, 'pow'>, A extends number ? FloatOf<Common<A, B>> : PowerOf<DTypeOf<A>, B>> =>
  fromNode(ops.pow(operandIn('pow', a), operandIn('pow', b)))
/** The angle of the point (b, a). */
export const atan2 = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'atan2'>,
): Tensor<Spread<A, B, 'atan2'>, FloatOf<Common<A, B>>> =>
  fromNode(ops.atan2(operandIn('atan2', a), operandIn('atan2', b)))
/** The larger of two elements; NaN wins. */
export const maximum = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'maximum'>,
): Tensor<Spread<A, B, 'maximum'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.maximum(operandIn('maximum', a), operandIn('maximum', b)))
/** The smaller of two elements; NaN wins. */
export const minimum = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'minimum'>,
): Tensor<Spread<A, B, 'minimum'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.minimum(operandIn('minimum', a), operandIn('minimum', b)))
export const eq = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'eq'>,
): Tensor<Spread<A, B, 'eq'>, 'bool'> => fromNode(ops.compare('eq', operandIn('eq', a), operandIn('eq', b)))
export const ne = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'ne'>,
): Tensor<Spread<A, B, 'ne'>, 'bool'> => fromNode(ops.compare('ne', operandIn('ne', a), operandIn('ne', b)))
export const lt = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'lt'>,
): Tensor<Spread<A, B, 'lt'>, 'bool'> => fromNode(ops.compare('lt', operandIn('lt', a), operandIn('lt', b)))
export const le = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'le'>,
): Tensor<Spread<A, B, 'le'>, 'bool'> => fromNode(ops.compare('le', operandIn('le', a), operandIn('le', b)))
export const gt = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'gt'>,
): Tensor<Spread<A, B, 'gt'>, 'bool'> => fromNode(ops.compare('gt', operandIn('gt', a), operandIn('gt', b)))
export const ge = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'ge'>,
): Tensor<Spread<A, B, 'ge'>, 'bool'> => fromNode(ops.compare('ge', operandIn('ge', a), operandIn('ge', b)))
/** Logic on truth values: what is not zero is true. */
export const logicalAnd = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'logicalAnd'>,
): Tensor<Spread<A, B, 'logicalAnd'>, 'bool'> =>
  fromNode(ops.logical('logicalAnd', 'and', operandIn('logicalAnd', a), operandIn('logicalAnd', b)))
export const logicalOr = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'logicalOr'>,
): Tensor<Spread<A, B, 'logicalOr'>, 'bool'> =>
  fromNode(ops.logical('logicalOr', 'or', operandIn('logicalOr', a), operandIn('logicalOr', b)))
export const logicalXor = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'logicalXor'>,
): Tensor<Spread<A, B, 'logicalXor'>, 'bool'> =>
  fromNode(ops.logical('logicalXor', 'xor', operandIn('logicalXor', a), operandIn('logicalXor', b)))
/** Bits of integers; logic on bool. */
export const bitwiseAnd = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'bitwiseAnd'>,
): Tensor<Spread<A, B, 'bitwiseAnd'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.bitwise('bitwiseAnd', 'and', operandIn('bitwiseAnd', a), operandIn('bitwiseAnd', b)))
export const bitwiseOr = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'bitwiseOr'>,
): Tensor<Spread<A, B, 'bitwiseOr'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.bitwise('bitwiseOr', 'or', operandIn('bitwiseOr', a), operandIn('bitwiseOr', b)))
export const bitwiseXor = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'bitwiseXor'>,
): Tensor<Spread<A, B, 'bitwiseXor'>, ComputeOf<Common<A, B>>> =>
  fromNode(ops.bitwise('bitwiseXor', 'xor', operandIn('bitwiseXor', a), operandIn('bitwiseXor', b)))
/** Bits moved up. */
export const leftShift = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'leftShift'>,
): Tensor<Spread<A, B, 'leftShift'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.shift('leftShift', 'shl', operandIn('leftShift', a), operandIn('leftShift', b)))
/** Bits moved down; the sign of int32 stays. */
export const rightShift = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'rightShift'>,
): Tensor<Spread<A, B, 'rightShift'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.shift('rightShift', 'shr', operandIn('rightShift', a), operandIn('rightShift', b)))

/** `a` where the condition holds (is not zero), `b` elsewhere; all three broadcast. */
export const where = <C extends Tensor, const A extends Operand, const B extends Operand>(
  condition: C,
  a: A,
  b: Beside<A, B, 'where'>,
): Tensor<Ok<Broadcast3<ShapeOf<C>, ShapeOf<A>, ShapeOf<B>, 'where'>>, Common<A, B>> =>
  fromNode(ops.where(nodeIn('where', condition), operandIn('where', a), operandIn('where', b)))

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
  const bound = (b: Operand | undefined) => (b === undefined ? undefined : operandIn('clip', b))
  return fromNode(ops.clip(nodeIn('clip', x), bound(min), bound(max)))
}

/** a + weight (b - a). */
export const lerp = <A extends Tensor, const B extends Operand, const W extends Operand>(
  a: A,
  b: Beside<A, B, 'lerp'>,
  weight: W,
): Tensor<Ok<Broadcast3<ShapeOf<A>, ShapeOf<B>, ShapeOf<W>, 'lerp'>>, FloatOf<Common<A, B>>> =>
  fromNode(ops.lerp(nodeIn('lerp', a), operandIn('lerp', b), operandIn('lerp', weight)))

/** Numbers in place of NaN (0) and the infinities (the largest numbers of the dtype). */
export const nanToNum = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options?: ops.NanToNumOptions,
): Tensor<S, RoundOf<D>> => fromNode(ops.nanToNum(nodeIn('nanToNum', x), options))

/** `value` where the mask holds; the mask broadcasts to x. */
export const maskedFill = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mask: Tensor,
  value: number,
): Tensor<S, D> => fromNode(ops.maskedFill(nodeIn('maskedFill', x), nodeIn('maskedFill', mask), value))

/** How far apart two numbers may be: |a - b| <= atol + rtol |b|. */
export interface CloseOptions {
  /** 1e-5 unless given. */
  readonly rtol?: number | undefined
  /** 1e-8 unless given. */
  readonly atol?: number | undefined
  /** Whether NaN is close to NaN; not unless given. */
  readonly equalNan?: boolean | undefined
}
const closeness = (op: string, options: CloseOptions) => {
  checkOptions(op, options, ['rtol', 'atol', 'equalNan'])
  return [options.rtol ?? 1e-5, options.atol ?? 1e-8, options.equalNan ?? false] as const
}

/** Whether elements are nearly equal. */
export const isClose = <A extends Tensor, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'isClose'>,
  options: CloseOptions = {},
): Tensor<Spread<A, B, 'isClose'>, 'bool'> =>
  fromNode(ops.isClose(nodeIn('isClose', a), operandIn('isClose', b), ...closeness('isClose', options)))
/** Whether all elements are nearly equal. */
export const allClose = <A extends Tensor, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'isClose'>,
  options: CloseOptions = {},
): Tensor<[], 'bool'> =>
  fromNode(
    anyAll(
      'all',
      ops.isClose(nodeIn('allClose', a), operandIn('allClose', b), ...closeness('allClose', options)),
      undefined,
      false,
    ),
  )
