import type { DType } from '@tessella/ir'
import type { ArithOf, FloatOf, RoundOf } from '../dtypes.ts'
import { nodeIn, operandIn } from '../operand.ts'
import * as ops from '../ops/numeric.ts'
import type { Beside, Common, Operand, Spread } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Shape } from '../types/index.ts'

/** The logarithm to base 10. */
export const log10 = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatOf<D>> =>
  fromNode(ops.log10(nodeIn('log10', x)))
/** x - trunc(x): what is behind the point, with the sign of x. */
export const frac = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, RoundOf<D>> =>
  fromNode(ops.frac(nodeIn('frac', x)))
/** log(x / (1 - x)), the inverse of sigmoid; with `eps`, of x cut to [eps, 1 - eps]. */
export const logit = <S extends Shape, D extends DType>(x: Tensor<S, D>, eps?: number): Tensor<S, FloatOf<D>> =>
  fromNode(ops.logit(nodeIn('logit', x), eps))
/** sqrt(a^2 + b^2) without overflow; the gradient at (0, 0) is 0. */
export const hypot = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'hypot'>,
): Tensor<Spread<A, B, 'hypot'>, FloatOf<Common<A, B>>> =>
  fromNode(ops.hypot(operandIn('hypot', a), operandIn('hypot', b)))
/** |a| with the sign of b, that of -0 too. */
export const copysign = <const A extends Operand, const B extends Operand>(
  a: A,
  b: Beside<A, B, 'copysign'>,
): Tensor<Spread<A, B, 'copysign'>, FloatOf<Common<A, B>>> =>
  fromNode(ops.copysign(operandIn('copysign', a), operandIn('copysign', b)))
/** The step function: 0 below zero, 1 above, `at` at zero. */
export const heaviside = <const A extends Operand, const B extends Operand>(
  x: A,
  at: Beside<A, B, 'heaviside'>,
): Tensor<Spread<A, B, 'heaviside'>, ArithOf<Common<A, B>>> =>
  fromNode(ops.heaviside(operandIn('heaviside', x), operandIn('heaviside', at)))
