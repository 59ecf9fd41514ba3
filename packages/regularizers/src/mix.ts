import {
  arange,
  argmax,
  checkOptions,
  foldIn,
  type Key,
  OpError,
  permutation,
  type Shape,
  scalar,
  type Tensor,
  take,
  uniform,
} from '@tessella/tensor'

/** Settings of {@link mixup} and {@link cutmix}. */
export interface MixOptions {
  /** Fixes the partners and the shares; a new one for every batch: `generator.next()`. */
  readonly key: Key
  /** Shares are drawn from Beta(alpha, alpha), alpha in (0, 2]: small ones mix little. Default 1: evenly. */
  readonly alpha?: number
  /** The share of the first example, instead of drawing it. */
  readonly share?: number | Tensor<[]>
}

/** A batch and its targets mixed. */
export interface Mixed<X extends Shape, Y extends Shape> {
  readonly x: Tensor<X, 'float32'>
  readonly y: Tensor<Y, 'float32'>
  /** The share of the examples in their own places. */
  readonly share: Tensor<[], 'float32'>
}

// For alpha up to 2 a trial succeeds with probability 1/6 or more, so that all fail once in 10^10.
const TRIALS = 128

/**
 * A number from Beta(alpha, alpha) for alpha in (0, 2], inside the graph: the first success of Jöhnk's trials (1964),
 * u^(1/alpha) / (u^(1/alpha) + v^(1/alpha)) where the sum is at most 1, in logarithms.
 */
export function symmetricBeta(key: Key, alpha: number): Tensor<[], 'float32'> {
  if (!(alpha > 0 && alpha <= 2))
    throw new OpError('symmetricBeta', `alpha must be above 0 and at most 2, got ${alpha}`)
  const logOf = (part: number): Tensor =>
    uniform(foldIn(key, part), [TRIALS], { low: 2 ** -25, high: 1 })
      .log()
      .div(alpha) as Tensor
  const [a, b] = [logOf(0), logOf(1)]
  const apart = a.sub(b) as Tensor
  const logSum = a.add(b).add(apart.abs()).div(2).add(apart.abs().neg().exp().log1p()) as Tensor
  const place = argmax(logSum.le(0).cast('int32') as Tensor, 0)
  return take(apart.sigmoid() as Tensor, place.reshape([1]) as Tensor).reshape([]) as unknown as Tensor<[], 'float32'>
}

function prepare(op: string, x: Tensor, y: Tensor, options: MixOptions) {
  const n = x.shape[0]
  if (n === undefined || n !== y.shape[0] || y.ndim < 2)
    throw new OpError(op, 'expects examples [n, ...] and targets [n, classes]', {
      shapes: [x.shape, y.shape],
      hint: 'Make targets of class numbers by oneHot(labels, classes).',
    })
  checkOptions(op, options, ['key', 'alpha', 'share'])
  const { key, alpha = 1, share } = options
  const drawn = share ?? symmetricBeta(foldIn(key, 0), alpha)
  const partners = permutation(foldIn(key, 1), n) as unknown as Tensor
  const scale = (typeof drawn === 'number' ? scalar(drawn) : drawn) as unknown as Tensor
  const partnerOf = (t: Tensor): Tensor => take(t, partners) as Tensor
  return { share: scale, partnerOf, key }
}

const blend = (a: Tensor, b: Tensor, share: Tensor): Tensor => b.add(a.sub(b).mul(share)) as Tensor

/**
 * Mixes every example with another of the batch, and their targets likewise: s a + (1 - s) b with a share s for the batch
 * (Zhang et al., 2018). Use it with a loss that takes probabilities, as `crossEntropy` does.
 * @example const { x, y } = mixup(images, oneHot(labels, 10), { key: generator.next(), alpha: 0.2 })
 */
export function mixup<X extends Shape, Y extends Shape>(x: Tensor<X>, y: Tensor<Y>, options: MixOptions): Mixed<X, Y> {
  const [examples, targets] = [x.cast('float32'), y.cast('float32')] as unknown as [Tensor, Tensor]
  const { share, partnerOf } = prepare('mixup', examples, targets, options)
  const mixed = { x: blend(examples, partnerOf(examples), share), y: blend(targets, partnerOf(targets), share), share }
  return mixed as unknown as Mixed<X, Y>
}

/** Where a line of `size` places lies in a window of the given length around a random centre, cut at the ends. */
function span(key: Key, size: number, length: Tensor): Tensor {
  const centre = uniform(key, []).mul(size).floor() as Tensor
  const half = length.mul(size).div(2) as Tensor
  const at = arange(size).cast('float32') as Tensor
  return at
    .ge(centre.sub(half).add(0.5).floor() as Tensor)
    .logicalAnd(at.lt(centre.add(half).add(0.5).floor() as Tensor) as Tensor) as Tensor
}

/**
 * Puts a box of another image of the batch into every image [n, channels, height, width], of the area 1 - s and around a
 * random place, cut at the borders; targets mix by the area that is really left (Yun et al., 2019).
 * @example const { x, y } = cutmix(images, oneHot(labels, 10), { key: generator.next() })
 */
export function cutmix<X extends Shape, Y extends Shape>(x: Tensor<X>, y: Tensor<Y>, options: MixOptions): Mixed<X, Y> {
  const [examples, targets] = [x.cast('float32'), y.cast('float32')] as unknown as [Tensor, Tensor]
  if (examples.ndim !== 4)
    throw new OpError('cutmix', 'expects images [n, channels, height, width]', { shapes: [x.shape] })
  const { share: wanted, partnerOf, key } = prepare('cutmix', examples, targets, options)
  const [height, width] = [examples.shape[2] as number, examples.shape[3] as number]
  const edge = wanted.neg().add(1).clip(0, 1).sqrt() as Tensor
  const rows = span(foldIn(key, 2), height, edge).reshape([height, 1])
  const columns = span(foldIn(key, 3), width, edge).reshape([1, width])
  const box = rows.logicalAnd(columns as never).cast('float32') as Tensor
  const outside = box.neg().add(1) as Tensor
  const share = outside.mean() as Tensor
  const mixed = {
    x: blend(examples, partnerOf(examples), outside),
    y: blend(targets, partnerOf(targets), share),
    share,
  }
  return mixed as unknown as Mixed<X, Y>
}
