import { build, type Dims, type DType, type Node, normalizeAxis, OpError, sizeOf } from '@tessella/ir'
import { checkShape } from '../ops/create.ts'
import { topk } from '../ops/indexing.ts'
import { moveAxis } from '../ops/movement.ts'
import { asFloat, floatDType } from '../ops/promotion.ts'
import { hostLeaf } from '../runtime/index.ts'
import { bits, checkKey, fraction24, openUnit, tagged, unit } from './bits.ts'

/** Tags that keep derived keys apart from each other and from samples; the letters "spli" and "fold". */
const SPLIT = 0x73706c69
const FOLD = 0x666f6c64

/** Two words of a seed: whole numbers up to 2^53. */
export function key(seed: number): Node {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new OpError('key', `the seed ${seed} is not a whole number from 0 to 2^53 - 1`, {
      hint: 'Use a small integer such as 0.',
    })
  return hostLeaf(new Uint32Array([Math.floor(seed / 2 ** 32), seed % 2 ** 32]), [2], 'uint32')
}

export function split(parent: Node, count: number): Node {
  if (!Number.isInteger(count) || count < 1)
    throw new OpError('split', `${count} is not a number of keys`, { hint: 'Use a whole number of at least 1.' })
  const derived = tagged(checkKey('split', parent), SPLIT, build.constant(0, 'uint32'))
  return build.randomBits(derived, [count, 2])
}

export function foldIn(parent: Node, data: Node | number): Node {
  if (typeof data === 'number' && (!Number.isInteger(data) || data < 0 || data >= 2 ** 32))
    throw new OpError('foldIn', `${data} is not a uint32`, { hint: 'Use a whole number from 0 to 2^32 - 1.' })
  if (typeof data !== 'number' && sizeOf(data.shape) !== 1)
    throw new OpError('foldIn', 'the data must be one number', { shapes: [data.shape] })
  const word = typeof data === 'number' ? build.constant(data, 'uint32') : build.cast(data, 'uint32')
  return build.randomBits(tagged(checkKey('foldIn', parent), FOLD, word), [2])
}

function floatOnly(op: string, dtype: DType): DType {
  if (dtype === 'float32' || dtype === 'float64') return dtype
  throw new OpError(op, `samples are float32 or float64, not ${dtype}`, { dtypes: [dtype], hint: 'Cast the result.' })
}

const spread = (u: Node, low: number, high: number): Node =>
  low === 0 && high === 1 ? u : build.shift(build.scale(u, high - low), low)

export function uniform(k: Node, shape: Dims, low: number, high: number, dtype: DType): Node {
  if (!(low <= high)) throw new OpError('uniform', `low ${low} is above high ${high}`, { hint: 'Exchange them.' })
  return spread(unit('uniform', k, shape, floatOnly('uniform', dtype)), low, high)
}

/** Box and Muller 1958: sqrt(-2 log(1 - u)) cos(2 pi v). */
function standardNormal(op: string, k: Node, shape: Dims, dtype: DType): Node {
  checkShape(op, shape)
  const pair = unit(op, k, [2, ...shape], floatOnly(op, dtype))
  const half = (i: number) => build.reshape(build.narrow(pair, 0, i, 1), shape)
  const radius = build.unary('sqrt', build.scale(build.unary('log1p', build.neg(half(0))), -2))
  return build.mul(radius, build.unary('cos', build.scale(half(1), 2 * Math.PI)))
}

function checkStd(op: string, std: number): void {
  if (!(std >= 0)) throw new OpError(op, `std ${std} is negative`, { hint: 'Use a number of at least 0.' })
}

export function normal(k: Node, shape: Dims, mean: number, std: number, dtype: DType): Node {
  checkStd('normal', std)
  const z = standardNormal('normal', k, shape, dtype)
  const scaled = std === 1 ? z : build.scale(z, std)
  return mean === 0 ? scaled : build.shift(scaled, mean)
}

/** The quantile function of a uniform number between the ends' probabilities; ends in standard deviations. */
export function truncatedNormal(
  k: Node,
  shape: Dims,
  mean: number,
  std: number,
  low: number,
  high: number,
  dtype: DType,
): Node {
  checkStd('truncatedNormal', std)
  if (!(low < high))
    throw new OpError('truncatedNormal', `low ${low} is not below high ${high}`, { hint: 'Exchange them.' })
  const target = floatOnly('truncatedNormal', dtype)
  const erfAt = (z: number) => build.unary('erf', build.constant(z * Math.SQRT1_2, target))
  const [a, b] = [erfAt(low), erfAt(high)]
  const u = unit('truncatedNormal', k, shape, target)
  const z = build.scale(build.unary('erfinv', build.add(a, build.mul(u, build.sub(b, a)))), Math.SQRT2)
  // Rounding at the ends could step outside.
  const least = build.binary('max', z, build.constant(low, target))
  const inside = build.binary('min', least, build.constant(high, target))
  return build.shift(build.scale(inside, std), mean)
}

export function bernoulli(k: Node, shape: Dims, p: number | Node): Node {
  if (typeof p === 'number') {
    if (!(p >= 0 && p <= 1))
      throw new OpError('bernoulli', `p ${p} is not a probability`, { hint: 'Use a number from 0 to 1.' })
    // The 24 bits of a float32 sample, compared as integers.
    return build.binary('lt', fraction24('bernoulli', k, shape), build.constant(Math.ceil(p * 2 ** 24), 'uint32'))
  }
  const limit = asFloat(p)
  const grown = build.broadcastTo(limit, shape)
  return build.binary('lt', unit('bernoulli', k, shape, limit.dtype), grown)
}

export function randint(k: Node, shape: Dims, low: number, high: number): Node {
  const whole = Number.isInteger(low) && Number.isInteger(high)
  if (!whole || low >= high || low < -(2 ** 31) || high > 2 ** 31)
    throw new OpError('randint', `[${low}, ${high}) is not a range of int32`, {
      hint: 'Use whole numbers with low < high.',
    })
  const within = build.binary('rem', bits('randint', k, shape), build.constant(high - low, 'uint32'))
  return build.shift(build.cast(within, 'int32'), low)
}

/** 0 ... n - 1 in the order of random words; equal words keep their order. */
export function permutation(k: Node, n: number): Node {
  checkShape('permutation', [n])
  return build.argsort(bits('permutation', k, [n]), 0)
}

export function exponential(k: Node, shape: Dims, rate: number, dtype: DType): Node {
  if (!(rate > 0)) throw new OpError('exponential', `rate ${rate} is not positive`)
  const u = unit('exponential', k, shape, floatOnly('exponential', dtype))
  return build.scale(build.unary('log1p', build.neg(u)), -1 / rate)
}

/** -log(-log(u)). */
export function gumbel(k: Node, shape: Dims, dtype: DType): Node {
  const u = openUnit('gumbel', k, shape, floatOnly('gumbel', dtype))
  return build.neg(build.unary('log', build.neg(build.unary('log', u))))
}

/** `count` indices along the last axis by weights that need not sum to 1, each once unless replaced. */
export function multinomial(k: Node, weights: Node, count: number, replacement: boolean): Node {
  const x = asFloat(weights)
  const n = x.shape.at(-1)
  if (n === undefined || n === 0)
    throw new OpError('multinomial', 'needs weights along the last axis', { shapes: [weights.shape] })
  if (!Number.isInteger(count) || count < 1 || (!replacement && count > n))
    throw new OpError('multinomial', `cannot draw ${count} of ${n}`, {
      shapes: [weights.shape],
      hint: replacement ? 'Draw at least one.' : 'Draw fewer, or pass { replacement: true }.',
    })
  const logits = build.unary('log', x)
  if (replacement) return moveAxis(categorical(k, logits, -1, [count]), 0, -1)
  // The largest of logits plus Gumbel noise are a sample without replacement (Efraimidis and Spirakis, 2006).
  return topk(build.add(logits, gumbel(k, x.shape, x.dtype)), count, -1, true).indices
}

/** The index of the largest of logits plus Gumbel noise: a sample from softmax(logits). */
export function categorical(k: Node, logits: Node, axis: number, samples: Dims): Node {
  const x = asFloat(logits)
  const at = normalizeAxis('categorical', axis, x.shape.length)
  checkShape('categorical', samples)
  const shape = [...samples, ...x.shape]
  const noise = gumbel(k, shape, floatDType(x.dtype))
  return build.argReduce('max', build.add(build.broadcastTo(x, shape), noise), samples.length + at)
}
