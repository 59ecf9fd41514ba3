import type { Tensor } from '@tessella/tensor'
import * as of from '@tessella/tensor'
import { checkCount } from './checks.ts'
import { constant } from './init.ts'
import { defineLayer } from './layer.ts'
import { parameter } from './recipe.ts'
import type { ChannelsSpec, FunctionSpec, LayerCall, SameSpec } from './types/index.ts'

/** A layer that computes each element by itself, or each row, and has no parameters. */
export type Activation<N extends string> = LayerCall<SameSpec<N>>

const elementwise = <const N extends string>(name: N, forward: (x: Tensor) => Tensor): Activation<N> =>
  defineLayer({ spec: { kind: 'same', name }, modal: false, parts: {}, forward })

/** max(x, 0). */
export const relu = () => elementwise('relu', of.relu)
/** min(max(x, 0), 6). */
export const relu6 = () => elementwise('relu6', of.relu6)
/** x for x > 0, negativeSlope x below (0.01 unless given). */
export const leakyRelu = (negativeSlope = 0.01) => elementwise('leakyRelu', (x) => of.leakyRelu(x, negativeSlope))
/** x for x > 0, alpha (exp(x) - 1) below. */
export const elu = (alpha = 1) => elementwise('elu', (x) => of.elu(x, alpha))
/** x for x > 0, alpha (exp(x / alpha) - 1) below. */
export const celu = (alpha = 1) => elementwise('celu', (x) => of.celu(x, alpha))
/** 1.0507 elu(x, 1.6733): with `lecunNormal` weights mean 0 and variance 1 are kept through deep nets (Klambauer et al., 2017). */
export const selu = () => elementwise('selu', of.selu)
/** x times the normal distribution's cumulative function (Hendrycks and Gimpel, 2016): exact, or by tanh. */
export const gelu = (approximate: 'none' | 'tanh' = 'none') => elementwise('gelu', (x) => of.gelu(x, approximate))
/** x sigmoid(x), also called swish. */
export const silu = () => elementwise('silu', of.silu)
/** x tanh(softplus(x)). */
export const mish = () => elementwise('mish', of.mish)
/** log(1 + exp(beta x)) / beta; x itself where beta x exceeds the threshold (20 unless given). */
export const softplus = (options: { readonly beta?: number; readonly threshold?: number } = {}) =>
  elementwise('softplus', (x) => of.softplus(x, options))
/** x / (1 + |x|). */
export const softsign = () => elementwise('softsign', of.softsign)
/** 1 / (1 + exp(-x)). */
export const sigmoid = () => elementwise('sigmoid', of.sigmoid)
/** 2 sigmoid(2 x) - 1. */
export const tanh = () => elementwise('tanh', of.tanh)
/** x cut to [min, max], [-1, 1] unless given. */
export const hardtanh = (min = -1, max = 1) => elementwise('hardtanh', (x) => of.hardtanh(x, min, max))
/** x relu6(x + 3) / 6. */
export const hardswish = () => elementwise('hardswish', of.hardswish)
/** relu6(x + 3) / 6. */
export const hardsigmoid = () => elementwise('hardsigmoid', of.hardsigmoid)
/** log(sigmoid(x)) without overflow. */
export const logSigmoid = () => elementwise('logSigmoid', of.logSigmoid)
/** exp(x) / sum(exp(x)) along an axis, the last unless given. */
export const softmax = (axis = -1) => elementwise('softmax', (x) => of.softmax(x, axis))
/** log(softmax(x)) without overflow, along the last axis unless given. */
export const logSoftmax = (axis = -1) => elementwise('logSoftmax', (x) => of.logSoftmax(x, axis))
/** x - tanh(x). */
export const tanhshrink = () => elementwise('tanhshrink', of.tanhshrink)
/** x moved towards 0 by lambda, 0 within. */
export const softshrink = (lambda = 0.5) => elementwise('softshrink', (x) => of.softshrink(x, lambda))
/** -1, 0 or 1: no gradient. The lectures' decision unit. */
export const sign = () => elementwise('sign', of.sign)
/** 1 for x >= 0 and 0 below: no gradient. */
export const step = () => elementwise('step', (x) => x.ge(0).cast(x.dtype === 'float64' ? 'float64' : 'float32'))
/** The input itself. */
export const identity = () => elementwise('identity', (x) => x)

/** The first half of an axis times the sigmoid of the second; the axis is the last unless given and ends half as long. */
export const glu = (axis = -1): LayerCall<FunctionSpec<'glu', of.Shape, of.Shape>> =>
  defineLayer({
    spec: { kind: 'function', name: 'glu', in: [], out: [] },
    modal: false,
    parts: {},
    forward: (x) => of.glu(x, axis),
  })

/** A layer with a learned slope below 0. */
export type Prelu<C extends number> = LayerCall<C extends 1 ? SameSpec<'prelu'> : ChannelsSpec<'prelu', C>> & {
  readonly weight: of.Variable<[C], 'float32'>
}

/**
 * x for x > 0, weight x below with a learned weight (He et al., 2015): one for all, or one for each of `count`
 * channels on axis 1. It starts at 0.25 unless `init` says otherwise.
 */
export function prelu<const C extends number = 1>(count?: C, options: { readonly init?: number } = {}): Prelu<C> {
  const channels = count ?? 1
  checkCount('prelu', 'count', channels)
  const { variable, recipe } = parameter('weight', [channels], constant(options.init ?? 0.25), {
    role: 'other',
    seed: 0,
  })
  const spec = channels === 1 ? { kind: 'same', name: 'prelu' } : { kind: 'channels', name: 'prelu', channels }
  return defineLayer({
    spec,
    modal: false,
    parts: { weight: variable },
    recipes: [recipe],
    forward: (x) => of.prelu(x, variable.value),
  }) as unknown as Prelu<C>
}
