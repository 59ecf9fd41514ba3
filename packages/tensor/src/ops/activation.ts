import { build, checkOptions, type Node, normalizeAxis, OpError } from '@tessella/ir'
import { asArith, asFloat } from './promotion.ts'

/*
 * Branches are selected on conditions that leave x through at NaN, and the unselected branch of a select
 * sees a harmless input: an infinity there would turn into NaN in the gradient.
 */

const like = (x: Node, value: number): Node => build.full(x.shape, value, x.dtype)
const gt = (x: Node, value: number): Node => build.binary('gt', x, like(x, value))
const ge = (x: Node, value: number): Node => build.binary('ge', x, like(x, value))
const lt = (x: Node, value: number): Node => build.binary('lt', x, like(x, value))
const le = (x: Node, value: number): Node => build.binary('le', x, like(x, value))

/** max(x, 0); the gradient at 0 is 0 and NaN stays. */
export function relu(x: Node): Node {
  const y = asArith(x)
  return build.select(le(y, 0), like(y, 0), y)
}

export function leakyRelu(x: Node, slope: number): Node {
  const y = asFloat(x)
  return build.select(gt(y, 0), y, build.scale(y, slope))
}

/** x for x > 0, weight x below; one weight, or one for each channel (dimension 1). */
export function prelu(x: Node, weight: Node): Node {
  const y = asFloat(x)
  const channels = y.shape.length > 1 ? y.shape[1] : 1
  if (weight.shape.length > 1 || (weight.shape.length === 1 && weight.shape[0] !== 1 && weight.shape[0] !== channels))
    throw new OpError('prelu', `the weight must be one number or [${channels}]`, {
      shapes: [y.shape, weight.shape],
      hint: 'Give one weight, or one for each channel.',
    })
  const perChannel = weight.shape.length === 1 && y.shape.length > 1
  const grown = perChannel
    ? build.reshape(weight, [weight.shape[0] as number, ...y.shape.slice(2).map(() => 1)])
    : weight
  return build.select(gt(y, 0), y, build.mul(build.cast(grown, y.dtype), y))
}

export function elu(x: Node, alpha: number): Node {
  const y = asFloat(x)
  const positive = gt(y, 0)
  const below = build.unary('expm1', build.select(positive, like(y, 0), y))
  return build.select(positive, y, build.scale(below, alpha))
}

export function celu(x: Node, alpha: number): Node {
  const y = asFloat(x)
  const positive = gt(y, 0)
  const below = build.unary('expm1', build.scale(build.select(positive, like(y, 0), y), 1 / alpha))
  return build.select(positive, y, build.scale(below, alpha))
}

// Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805
export const selu = (x: Node): Node => build.scale(elu(x, SELU_ALPHA), SELU_SCALE)

/** x times the normal distribution's cumulative function, exact or by tanh. */
export function gelu(x: Node, approximate: 'none' | 'tanh'): Node {
  const y = asFloat(x)
  const half = build.scale(y, 0.5)
  if (approximate === 'none') return build.mul(half, build.shift(build.unary('erf', build.scale(y, Math.SQRT1_2)), 1))
  const cube = build.mul(build.mul(y, y), y)
  const inner = build.scale(build.add(y, build.scale(cube, 0.044715)), Math.sqrt(2 / Math.PI))
  return build.mul(half, build.shift(build.unary('tanh', inner), 1))
}

export function silu(x: Node): Node {
  const y = asFloat(x)
  return build.mul(y, build.unary('sigmoid', y))
}

/** log(1 + exp(beta x)) / beta; x itself where beta x exceeds the threshold. */
export function softplus(x: Node, beta: number, threshold: number): Node {
  const y = asFloat(x)
  const z = beta === 1 ? y : build.scale(y, beta)
  const large = gt(z, threshold)
  const soft = build.unary('log1p', build.unary('exp', build.select(large, like(z, 0), z)))
  return build.select(large, y, beta === 1 ? soft : build.scale(soft, 1 / beta))
}

/** {@link softplus} with PyTorch's defaults. */
export function softplusWith(
  x: Node,
  options: { readonly beta?: number | undefined; readonly threshold?: number | undefined },
): Node {
  checkOptions('softplus', options, ['beta', 'threshold'])
  return softplus(x, options.beta ?? 1, options.threshold ?? 20)
}

/** Beyond this, exp does not overflow yet and softplus equals x in float64. */
const EXACT_THRESHOLD = 40
export const logSigmoid = (x: Node): Node => build.neg(softplus(build.neg(asFloat(x)), 1, EXACT_THRESHOLD))

export function mish(x: Node): Node {
  const y = asFloat(x)
  return build.mul(y, build.unary('tanh', softplus(y, 1, EXACT_THRESHOLD)))
}

export function softsign(x: Node): Node {
  const y = asFloat(x)
  return build.div(y, build.shift(build.unary('abs', y), 1))
}

/** x cut to [lo, hi]; no gradient at or beyond the bounds. */
export function hardtanh(op: string, x: Node, lo: number, hi: number): Node {
  if (!(lo < hi)) throw new OpError(op, `minimum ${lo} is not below maximum ${hi}`, { hint: 'Exchange them.' })
  const y = asFloat(x)
  return build.select(le(y, lo), like(y, lo), build.select(ge(y, hi), like(y, hi), y))
}

/** relu6(x + 3) / 6. */
export function hardsigmoid(x: Node): Node {
  const y = asFloat(x)
  const line = build.shift(build.scale(y, 1 / 6), 0.5)
  return build.select(le(y, -3), like(y, 0), build.select(ge(y, 3), like(y, 1), line))
}

/** x hardsigmoid(x); at -3 and 3 the gradient is the curve's, as in PyTorch. */
export function hardswish(x: Node): Node {
  const y = asFloat(x)
  const curve = build.mul(y, build.shift(build.scale(y, 1 / 6), 0.5))
  return build.select(lt(y, -3), like(y, 0), build.select(gt(y, 3), y, curve))
}

export function tanhshrink(x: Node): Node {
  const y = asFloat(x)
  return build.sub(y, build.unary('tanh', y))
}

export function softshrink(x: Node, lambda: number): Node {
  if (!(lambda >= 0))
    throw new OpError('softshrink', `lambda ${lambda} is negative`, { hint: 'Use a number of at least 0.' })
  const y = asFloat(x)
  const above = build.shift(y, -lambda)
  const below = build.shift(y, lambda)
  const inner = build.select(lt(y, -lambda), below, build.mul(y, like(y, 0)))
  return build.select(gt(y, lambda), above, inner)
}

/** The first half of an axis times the sigmoid of the second. */
export function glu(x: Node, axis: number): Node {
  const y = asFloat(x)
  const at = normalizeAxis('glu', axis, y.shape.length)
  const n = y.shape[at] as number
  if (n % 2 !== 0)
    throw new OpError('glu', `axis ${at} has the odd size ${n}`, { shapes: [y.shape], hint: 'The size must be even.' })
  const gate = build.unary('sigmoid', build.narrow(y, at, n / 2, n / 2))
  return build.mul(build.narrow(y, at, 0, n / 2), gate)
}

/** x less its largest element along the axis: exp of it does not overflow, and the shift has no gradient. */
function shifted(op: string, x: Node, axis: number): { readonly y: Node; readonly at: number } {
  const float = asFloat(x)
  const at = normalizeAxis(op, axis, float.shape.length)
  const top = build.stopGradient(build.reduceKeep('max', float, [at]))
  return { y: build.sub(float, top), at }
}

export function softmax(x: Node, axis: number): Node {
  const { y, at } = shifted('softmax', x, axis)
  const e = build.unary('exp', y)
  return build.div(e, build.reduceKeep('sum', e, [at]))
}

export function logSoftmax(x: Node, axis: number): Node {
  const { y, at } = shifted('logSoftmax', x, axis)
  return build.sub(y, build.unary('log', build.reduceKeep('sum', build.unary('exp', y), [at])))
}
