import { build, checkOptions, type Dims, type Node, OpError } from '@tessella/ir'
import { take } from './indexing.ts'
import { asFloat } from './promotion.ts'
import { type PerDim, perDim } from './window.ts'

const linearNames = ['linear', 'bilinear', 'trilinear'] as const
/** The nearest element, or straight lines between neighbours; the names of the latter say how many dimensions there are. */
export type InterpolateMode = 'nearest' | (typeof linearNames)[number]

export interface InterpolateOptions {
  /** Sizes of the result. Give these or `scaleFactor`. */
  readonly size?: PerDim | undefined
  /** What sizes are multiplied by, rounded down. */
  readonly scaleFactor?: PerDim | undefined
  /** Default 'nearest'. */
  readonly mode?: InterpolateMode | undefined
  /** First and last elements stay where they are (linear modes). Default false: the outer edges of elements do. */
  readonly alignCorners?: boolean | undefined
}

interface Axis {
  readonly from: number
  readonly to: number
  /** Elements of the input per element of the result. */
  readonly step: number
}

const op = 'interpolate'

function axesOf(x: Node, { size, scaleFactor }: InterpolateOptions): readonly Axis[] {
  const input = x.shape.slice(2)
  if ((size === undefined) === (scaleFactor === undefined))
    throw new OpError(op, 'needs either size or scaleFactor', { hint: 'interpolate(x, { scaleFactor: 2 }).' })
  if (size !== undefined)
    return perDim(op, 'size', size, input.length, 1).map((to, i) => {
      const from = input[i] as number
      return { from, to, step: from / to }
    })
  const factors = typeof scaleFactor === 'number' ? input.map(() => scaleFactor) : (scaleFactor as readonly number[])
  if (factors.length !== input.length || !factors.every((f) => f > 0 && Number.isFinite(f)))
    throw new OpError(op, `scaleFactor [${factors.join(', ')}] must be ${input.length} positive numbers`)
  return factors.map((factor, i) => {
    const from = input[i] as number
    const to = Math.floor(from * factor)
    if (to < 1) throw new OpError(op, `scaleFactor ${factor} leaves nothing of size ${from}`, { shapes: [x.shape] })
    return { from, to, step: 1 / factor }
  })
}

const places = ({ to }: Axis): Node => build.iota([to], 0, 'float32')
/** Whole numbers of at most the last place of the input. */
const within = (at: Node, { from }: Axis): Node => {
  const index = build.cast(build.unary('floor', at), 'int32')
  return build.binary('min', index, build.full(index.shape, from - 1, 'int32'))
}

// Places are computed in float32, as PyTorch does, so that ties fall on the same element.
function nearest(x: Node, axis: Axis, at: number): Node {
  return take(op, x, within(build.scale(places(axis), axis.step), axis), at)
}

function linear(x: Node, axis: Axis, at: number, alignCorners: boolean): Node {
  const { from, to, step } = axis
  const half = build.shift(build.scale(build.shift(places(axis), 0.5), step), -0.5)
  const place = alignCorners
    ? build.scale(places(axis), to > 1 ? (from - 1) / (to - 1) : 0)
    : build.binary('max', half, build.zerosLike(half))
  const low = within(place, axis)
  const high = within(build.shift(place, 1), axis)
  const shape: Dims = x.shape.map((_, d) => (d === at ? to : 1))
  const share = build.reshape(build.cast(build.sub(place, build.cast(low, 'float32')), x.dtype), shape)
  const [a, b] = [take(op, x, low, at), take(op, x, high, at)]
  // An element alone is itself: beside an infinity, a share of 0 would give NaN.
  const alone = build.binary('eq', share, build.zerosLike(share))
  return build.select(alone, a, build.add(a, build.mul(share, build.sub(b, a))))
}

/** torch.nn.functional.interpolate over the dimensions after [N, C]. */
export function interpolate(x: Node, options: InterpolateOptions): Node {
  checkOptions(op, options, ['size', 'scaleFactor', 'mode', 'alignCorners'])
  const spatial = x.shape.length - 2
  if (spatial < 1 || spatial > 3)
    throw new OpError(op, 'the input must be [N, C, L], [N, C, H, W] or [N, C, D, H, W]', { shapes: [x.shape] })
  const { mode = 'nearest', alignCorners = false } = options
  const expected = linearNames[spatial - 1] as string
  if (mode !== 'nearest' && mode !== expected)
    throw new OpError(op, `mode '${String(mode)}' is not for ${spatial} spatial dimensions`, {
      shapes: [x.shape],
      hint: `Use 'nearest' or '${expected}'.`,
    })
  if (mode === 'nearest' && alignCorners)
    throw new OpError(op, "alignCorners is for linear modes, not for 'nearest'", { hint: `Use mode '${expected}'.` })
  const axes = axesOf(x, options)
  if (mode === 'nearest') return axes.reduce((y, axis, i) => nearest(y, axis, i + 2), x)
  return axes.reduce((y, axis, i) => linear(y, axis, i + 2, alignCorners), asFloat(x))
}
