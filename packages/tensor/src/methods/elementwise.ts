import { build, type DType } from '@tessella/ir'
import type { ArithOf, ComputeOf, FloatOf, RoundOf } from '../dtypes.ts'
import { Handle, nodeOf } from '../handle.ts'
import { nodeIn, operandIn } from '../operand.ts'
import { logSoftmax, relu, softmax } from '../ops/activation.ts'
import * as ops from '../ops/elementwise.ts'
import type { BesideOn, Between, CommonOn, Operand, PowerOf, SpreadOn } from '../signatures.ts'
import type { Tensor } from '../tensor.ts'
import type { Shape } from '../types/index.ts'

/*
 * `this` is typed per method, so that no method mentions S and D of the class: a tensor of known shape
 * is then a tensor of unknown shape by plain covariance.
 */

/** Functions of one element, or of two at a time with broadcasting. Numbers adopt the tensor's dtype. */
export abstract class ElementwiseMethods<S extends Shape, D extends DType> extends Handle<S, D> {
  /** The same values in another dtype. Floats become integers by truncation, anything becomes bool by `!= 0`. */
  cast<S extends Shape, const E extends DType>(this: Tensor<S>, dtype: E): Tensor<S, E> {
    return this.wrap(build.cast(nodeOf(this), dtype))
  }
  /** The same values cut off from the gradient. */
  detach<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D> {
    return this.wrap(build.stopGradient(nodeOf(this)))
  }

  add<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'add'>,
  ): Tensor<SpreadOn<S, B, 'add'>, ArithOf<CommonOn<D, B>>> {
    return this.wrap(ops.add(nodeOf(this), operandIn('add', other)))
  }
  sub<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'sub'>,
  ): Tensor<SpreadOn<S, B, 'sub'>, ArithOf<CommonOn<D, B>>> {
    return this.wrap(ops.sub(nodeOf(this), operandIn('sub', other)))
  }
  mul<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'mul'>,
  ): Tensor<SpreadOn<S, B, 'mul'>, ArithOf<CommonOn<D, B>>> {
    return this.wrap(ops.mul(nodeOf(this), operandIn('mul', other)))
  }
  /** True division: integers give float32. */
  div<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'div'>,
  ): Tensor<SpreadOn<S, B, 'div'>, FloatOf<CommonOn<D, B>>> {
    return this.wrap(ops.div(nodeOf(this), operandIn('div', other)))
  }
  /** The quotient rounded down, as Python's `//`. */
  floorDiv<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'floorDiv'>,
  ): Tensor<SpreadOn<S, B, 'floorDiv'>, ArithOf<CommonOn<D, B>>> {
    return this.wrap(ops.floorDiv(nodeOf(this), operandIn('floorDiv', other)))
  }
  /** The remainder with the sign of the divisor, as Python's `%`. */
  remainder<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'remainder'>,
  ): Tensor<SpreadOn<S, B, 'remainder'>, ArithOf<CommonOn<D, B>>> {
    return this.wrap(ops.remainder(nodeOf(this), operandIn('remainder', other)))
  }
  /** The remainder with the sign of the dividend, as JavaScript's `%`. */
  fmod<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'fmod'>,
  ): Tensor<SpreadOn<S, B, 'fmod'>, ArithOf<CommonOn<D, B>>> {
    return this.wrap(ops.fmod(nodeOf(this), operandIn('fmod', other)))
  }
  /** The power; integers stay integers for whole exponents that are numbers. */
  pow<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'pow'>,
  ): Tensor<SpreadOn<S, B, 'pow'>, PowerOf<D, B>> {
    return this.wrap(ops.pow(nodeOf(this), operandIn('pow', other)))
  }
  /** The larger of two elements; NaN wins. */
  maximum<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'maximum'>,
  ): Tensor<SpreadOn<S, B, 'maximum'>, ComputeOf<CommonOn<D, B>>> {
    return this.wrap(ops.maximum(nodeOf(this), operandIn('maximum', other)))
  }
  /** The smaller of two elements; NaN wins. */
  minimum<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'minimum'>,
  ): Tensor<SpreadOn<S, B, 'minimum'>, ComputeOf<CommonOn<D, B>>> {
    return this.wrap(ops.minimum(nodeOf(this), operandIn('minimum', other)))
  }
  eq<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'eq'>,
  ): Tensor<SpreadOn<S, B, 'eq'>, 'bool'> {
    return this.wrap(ops.compare('eq', nodeOf(this), operandIn('eq', other)))
  }
  ne<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'ne'>,
  ): Tensor<SpreadOn<S, B, 'ne'>, 'bool'> {
    return this.wrap(ops.compare('ne', nodeOf(this), operandIn('ne', other)))
  }
  lt<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'lt'>,
  ): Tensor<SpreadOn<S, B, 'lt'>, 'bool'> {
    return this.wrap(ops.compare('lt', nodeOf(this), operandIn('lt', other)))
  }
  le<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'le'>,
  ): Tensor<SpreadOn<S, B, 'le'>, 'bool'> {
    return this.wrap(ops.compare('le', nodeOf(this), operandIn('le', other)))
  }
  gt<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'gt'>,
  ): Tensor<SpreadOn<S, B, 'gt'>, 'bool'> {
    return this.wrap(ops.compare('gt', nodeOf(this), operandIn('gt', other)))
  }
  ge<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'ge'>,
  ): Tensor<SpreadOn<S, B, 'ge'>, 'bool'> {
    return this.wrap(ops.compare('ge', nodeOf(this), operandIn('ge', other)))
  }
  /** Logic on truth values: what is not zero is true. */
  logicalAnd<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'logicalAnd'>,
  ): Tensor<SpreadOn<S, B, 'logicalAnd'>, 'bool'> {
    return this.wrap(ops.logical('logicalAnd', 'and', nodeOf(this), operandIn('logicalAnd', other)))
  }
  logicalOr<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'logicalOr'>,
  ): Tensor<SpreadOn<S, B, 'logicalOr'>, 'bool'> {
    return this.wrap(ops.logical('logicalOr', 'or', nodeOf(this), operandIn('logicalOr', other)))
  }
  logicalXor<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'logicalXor'>,
  ): Tensor<SpreadOn<S, B, 'logicalXor'>, 'bool'> {
    return this.wrap(ops.logical('logicalXor', 'xor', nodeOf(this), operandIn('logicalXor', other)))
  }
  /** Bits of integers; logic on bool. */
  bitwiseAnd<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'bitwiseAnd'>,
  ): Tensor<SpreadOn<S, B, 'bitwiseAnd'>, ComputeOf<CommonOn<D, B>>> {
    return this.wrap(ops.bitwise('bitwiseAnd', 'and', nodeOf(this), operandIn('bitwiseAnd', other)))
  }
  bitwiseOr<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'bitwiseOr'>,
  ): Tensor<SpreadOn<S, B, 'bitwiseOr'>, ComputeOf<CommonOn<D, B>>> {
    return this.wrap(ops.bitwise('bitwiseOr', 'or', nodeOf(this), operandIn('bitwiseOr', other)))
  }
  bitwiseXor<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    other: BesideOn<S, B, 'bitwiseXor'>,
  ): Tensor<SpreadOn<S, B, 'bitwiseXor'>, ComputeOf<CommonOn<D, B>>> {
    return this.wrap(ops.bitwise('bitwiseXor', 'xor', nodeOf(this), operandIn('bitwiseXor', other)))
  }

  logicalNot<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'> {
    return this.wrap(ops.logicalNot(nodeOf(this)))
  }
  bitwiseNot<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, ComputeOf<D>> {
    return this.wrap(ops.bitwiseNot(nodeOf(this)))
  }
  neg<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, ArithOf<D>> {
    return this.wrap(ops.arithUnary('neg', nodeOf(this)))
  }
  abs<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, ArithOf<D>> {
    return this.wrap(ops.arithUnary('abs', nodeOf(this)))
  }
  sign<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, ArithOf<D>> {
    return this.wrap(ops.arithUnary('sign', nodeOf(this)))
  }
  floor<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, RoundOf<D>> {
    return this.wrap(ops.roundUnary('floor', nodeOf(this)))
  }
  ceil<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, RoundOf<D>> {
    return this.wrap(ops.roundUnary('ceil', nodeOf(this)))
  }
  /** Halves go to the even neighbour. */
  round<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, RoundOf<D>> {
    return this.wrap(ops.roundUnary('round', nodeOf(this)))
  }
  trunc<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, RoundOf<D>> {
    return this.wrap(ops.roundUnary('trunc', nodeOf(this)))
  }
  isNan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'> {
    return this.wrap(ops.classify('isNan', nodeOf(this)))
  }
  isInf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'> {
    return this.wrap(ops.classify('isInf', nodeOf(this)))
  }
  isFinite<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'> {
    return this.wrap(ops.classify('isFinite', nodeOf(this)))
  }
  exp<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('exp', nodeOf(this)))
  }
  expm1<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('expm1', nodeOf(this)))
  }
  exp2<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('exp2', nodeOf(this)))
  }
  log<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('log', nodeOf(this)))
  }
  log1p<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('log1p', nodeOf(this)))
  }
  log2<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('log2', nodeOf(this)))
  }
  sqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('sqrt', nodeOf(this)))
  }
  /** 1 / sqrt(x). */
  rsqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('rsqrt', nodeOf(this)))
  }
  reciprocal<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('reciprocal', nodeOf(this)))
  }
  sin<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('sin', nodeOf(this)))
  }
  cos<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('cos', nodeOf(this)))
  }
  tan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('tan', nodeOf(this)))
  }
  asin<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('asin', nodeOf(this)))
  }
  acos<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('acos', nodeOf(this)))
  }
  atan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('atan', nodeOf(this)))
  }
  sinh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('sinh', nodeOf(this)))
  }
  cosh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('cosh', nodeOf(this)))
  }
  tanh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('tanh', nodeOf(this)))
  }
  erf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('erf', nodeOf(this)))
  }
  sigmoid<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatOf<D>> {
    return this.wrap(ops.floatUnary('sigmoid', nodeOf(this)))
  }
  square<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, ArithOf<D>> {
    return this.wrap(ops.square(nodeOf(this)))
  }
  relu<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, ArithOf<D>> {
    return this.wrap(relu(nodeOf(this)))
  }

  /** Elements cut to [min, max]; bounds are numbers or tensors that broadcast, `undefined` for none. */
  clip<S extends Shape, D extends DType, const B extends Operand = number, const C extends Operand = number>(
    this: Tensor<S, D>,
    min?: B | undefined,
    max?: C | undefined,
  ): Between<S, D, B, C> {
    const bound = (b: Operand | undefined) => (b === undefined ? undefined : operandIn('clip', b))
    return this.wrap(ops.clip(nodeOf(this), bound(min), bound(max)))
  }
  /** These elements where the condition holds, the other's elsewhere. */
  where<S extends Shape, D extends DType, const B extends Operand>(
    this: Tensor<S, D>,
    condition: Tensor,
    other: BesideOn<S, B, 'where'>,
  ): Tensor<SpreadOn<S, B, 'where'>, CommonOn<D, B>> {
    return this.wrap(ops.where(nodeIn('where', condition), nodeOf(this), operandIn('where', other)))
  }
  /** A number where the mask holds. */
  maskedFill<S extends Shape, D extends DType>(this: Tensor<S, D>, mask: Tensor, value: number): Tensor<S, D> {
    return this.wrap(ops.maskedFill(nodeOf(this), nodeIn('maskedFill', mask), value))
  }
  /** exp(x) / sum(exp(x)) along an axis. */
  softmax<S extends Shape, D extends DType>(this: Tensor<S, D>, axis: number): Tensor<S, FloatOf<D>> {
    return this.wrap(softmax(nodeOf(this), axis))
  }
  /** log(softmax(x)), without overflow. */
  logSoftmax<S extends Shape, D extends DType>(this: Tensor<S, D>, axis: number): Tensor<S, FloatOf<D>> {
    return this.wrap(logSoftmax(nodeOf(this), axis))
  }
}
