import type { DType } from '@tessella/ir'
import type { ArithOf, FloatOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/activation.ts'
import type { PartOf } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Shape } from '../types/index.ts'

type Activation = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, FloatOf<D>>

/** max(x, 0); the gradient at 0 is 0. */
export const relu = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, ArithOf<D>> =>
  fromNode(ops.relu(nodeIn('relu', x)))
/** min(max(x, 0), 6). */
export const relu6: Activation = (x) => fromNode(ops.hardtanh('relu6', nodeIn('relu6', x), 0, 6))
/** x for x > 0, negativeSlope x below. */
export const leakyRelu = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  negativeSlope = 0.01,
): Tensor<S, FloatOf<D>> => fromNode(ops.leakyRelu(nodeIn('leakyRelu', x), negativeSlope))
/** x for x > 0, weight x below; the weight is one number, or one for each channel (dimension 1). */
export const prelu = <S extends Shape, D extends DType>(x: Tensor<S, D>, weight: Tensor): Tensor<S, FloatOf<D>> =>
  fromNode(ops.prelu(nodeIn('prelu', x), nodeIn('prelu', weight)))
/** x for x > 0, alpha (exp(x) - 1) below. */
export const elu = <S extends Shape, D extends DType>(x: Tensor<S, D>, alpha = 1): Tensor<S, FloatOf<D>> =>
  fromNode(ops.elu(nodeIn('elu', x), alpha))
/** x for x > 0, alpha (exp(x / alpha) - 1) below. */
export const celu = <S extends Shape, D extends DType>(x: Tensor<S, D>, alpha = 1): Tensor<S, FloatOf<D>> =>
  fromNode(ops.celu(nodeIn('celu', x), alpha))
/** The self-normalising unit of Klambauer et al. 2017, https://arxiv.org/abs/1706.02515. */
export const selu: Activation = (x) => fromNode(ops.selu(nodeIn('selu', x)))
/** x times the normal distribution's cumulative function (Hendrycks and Gimpel 2016): exact, or by tanh. */
export const gelu = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  approximate: 'none' | 'tanh' = 'none',
): Tensor<S, FloatOf<D>> => fromNode(ops.gelu(nodeIn('gelu', x), approximate))
/** x sigmoid(x), also called swish. */
export const silu: Activation = (x) => fromNode(ops.silu(nodeIn('silu', x)))
/** x tanh(softplus(x)). */
export const mish: Activation = (x) => fromNode(ops.mish(nodeIn('mish', x)))
/** log(1 + exp(beta x)) / beta; x itself where beta x exceeds the threshold. */
export const softplus = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { readonly beta?: number | undefined; readonly threshold?: number | undefined } = {},
): Tensor<S, FloatOf<D>> => fromNode(ops.softplusWith(nodeIn('softplus', x), options))
/** x / (1 + |x|). */
export const softsign: Activation = (x) => fromNode(ops.softsign(nodeIn('softsign', x)))
/** x cut to [min, max]. */
export const hardtanh = <S extends Shape, D extends DType>(x: Tensor<S, D>, min = -1, max = 1): Tensor<S, FloatOf<D>> =>
  fromNode(ops.hardtanh('hardtanh', nodeIn('hardtanh', x), min, max))
/** relu6(x + 3) / 6. */
export const hardsigmoid: Activation = (x) => fromNode(ops.hardsigmoid(nodeIn('hardsigmoid', x)))
/** x relu6(x + 3) / 6. */
export const hardswish: Activation = (x) => fromNode(ops.hardswish(nodeIn('hardswish', x)))
/** log(sigmoid(x)) without overflow. */
export const logSigmoid: Activation = (x) => fromNode(ops.logSigmoid(nodeIn('logSigmoid', x)))
/** x - tanh(x). */
export const tanhshrink: Activation = (x) => fromNode(ops.tanhshrink(nodeIn('tanhshrink', x)))
/** x moved towards 0 by lambda, 0 within. */
export const softshrink = <S extends Shape, D extends DType>(x: Tensor<S, D>, lambda = 0.5): Tensor<S, FloatOf<D>> =>
  fromNode(ops.softshrink(nodeIn('softshrink', x), lambda))
/** The first half of an axis times the sigmoid of the second. */
export const glu = <S extends Shape, D extends DType, const A extends number = -1>(
  x: Tensor<S, D>,
  axis?: A,
): Tensor<PartOf<S, A, number>, FloatOf<D>> => fromNode(ops.glu(nodeIn('glu', x), axis ?? -1))
/** exp(x) / sum(exp(x)) along an axis. */
export const softmax = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis: number): Tensor<S, FloatOf<D>> =>
  fromNode(ops.softmax(nodeIn('softmax', x), axis))
/** log(softmax(x)) without overflow. */
export const logSoftmax = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis: number): Tensor<S, FloatOf<D>> =>
  fromNode(ops.logSoftmax(nodeIn('logSoftmax', x), axis))
