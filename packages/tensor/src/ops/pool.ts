import { build, checkOptions, type Dims, type Node, OpError } from '@tessella/ir'
import { asFloat } from './promotion.ts'
import { checkFits, checkInput, type PerDim, perDim, windowAttrs } from './window.ts'

export interface PoolOptions {
  /** The kernel unless given: windows that do not overlap. */
  readonly stride?: PerDim | undefined
  readonly padding?: PerDim | undefined
  readonly dilation?: PerDim | undefined
  /** Lets the last window reach beyond the border instead of dropping what is left. */
  readonly ceilMode?: boolean | undefined
}
export interface AvgPoolOptions {
  readonly stride?: PerDim | undefined
  readonly padding?: PerDim | undefined
  readonly ceilMode?: boolean | undefined
  /** Whether padding counts as zeros (as in PyTorch, unless given) or not at all. */
  readonly countIncludePad?: boolean | undefined
}

interface Geometry {
  readonly kernel: Dims
  readonly stride: Dims
  readonly dilation: Dims
  /** As asked for. */
  readonly padding: readonly (readonly [number, number])[]
  /** With what `ceilMode` adds behind. */
  readonly reach: readonly (readonly [number, number])[]
}

function geometry(op: string, spatial: number, x: Node, size: PerDim, options: PoolOptions): Geometry {
  checkInput(op, x, spatial)
  const kernel = perDim(op, 'kernel', size, spatial, 1)
  const input = x.shape.slice(2)
  const window = windowAttrs(op, input, kernel, options.stride ?? kernel, options)
  const { stride, padding, dilation } = window
  for (const [i, [p]] of padding.entries())
    if (p > Math.floor((kernel[i] as number) / 2))
      throw new OpError(op, `padding ${p} is more than half of the kernel ${kernel[i]}`, {
        shapes: [x.shape],
        hint: 'A window in the corner must see more than padding.',
      })
  if (!options.ceilMode) {
    checkFits(op, x, kernel, window)
    return { kernel, stride, padding, dilation, reach: padding }
  }
  const reach = padding.map(([lo, hi], i): readonly [number, number] => {
    const n = input[i] as number
    const s = stride[i] as number
    const span = (dilation[i] as number) * ((kernel[i] as number) - 1) + 1
    let places = Math.ceil((n + lo + hi - span) / s) + 1
    // A window that starts behind the input and its left padding is dropped.
    if ((places - 1) * s >= n + lo) places--
    return [lo, Math.max(hi, (places - 1) * s + span - n - lo)]
  })
  return { kernel, stride, padding, dilation, reach }
}

export function maxPool(op: string, spatial: number, x: Node, kernel: PerDim, options: PoolOptions): Node {
  checkOptions(op, options, ['stride', 'padding', 'dilation', 'ceilMode'])
  const { reach, ...window } = geometry(op, spatial, x, kernel, options)
  return build.maxPool(asFloat(x), { ...window, padding: reach })
}

/** Windows side by side that cover the input: a reshape and a mean over the new dimensions. */
function tiledMean(x: Node, kernel: Dims): Node {
  const [n = 0, c = 0, ...spatial] = x.shape
  const split = spatial.flatMap((size, i) => [size / (kernel[i] as number), kernel[i] as number])
  const axes = spatial.map((_, i) => 3 + 2 * i)
  const total = build.reduce('sum', build.reshape(x, [n, c, ...split]), axes)
  return build.div(
    total,
    build.constant(
      kernel.reduce((a, b) => a * b, 1),
      x.dtype,
    ),
  )
}

/** How many elements count for each place along one dimension. */
function counts(x: Node, n: number, places: number, axis: number, g: Geometry, includePad: boolean): Node {
  const s = g.stride[axis] as number
  const [lo, hi] = g.padding[axis] as readonly [number, number]
  const start = build.shift(build.scale(build.iota([places], 0), s), -lo)
  const end = build.shift(start, g.kernel[axis] as number)
  const bound = (v: Node, fn: 'max' | 'min', by: number) => build.binary(fn, v, build.constant(by, 'int32'))
  const count = includePad
    ? build.sub(bound(end, 'min', n + hi), start)
    : build.sub(bound(end, 'min', n), bound(start, 'max', 0))
  const shape = g.kernel.map((_, i) => (i === axis ? places : 1))
  return build.cast(build.reshape(count, shape), x.dtype)
}

export function avgPool(op: string, spatial: number, x: Node, size: PerDim, options: AvgPoolOptions): Node {
  checkOptions(op, options, ['stride', 'padding', 'ceilMode', 'countIncludePad'])
  const g = geometry(op, spatial, x, size, options)
  const y = asFloat(x)
  const [n = 0, c = 0, ...input] = y.shape
  const unpadded = g.reach.every(([lo, hi]) => lo === 0 && hi === 0)
  const side = g.kernel.every((k, i) => k === g.stride[i])
  if (unpadded && side) {
    const whole = input.map((m, i) => m - (m % (g.kernel[i] as number)))
    if (whole.every((m) => m > 0))
      return tiledMean(
        build.slice(
          y,
          y.shape.map(() => 0),
          [n, c, ...whole],
        ),
        g.kernel,
      )
  }
  // Channels join the batch: one filter of ones serves them all.
  const ones = build.full([1, 1, ...g.kernel], 1, y.dtype)
  const planes = build.reshape(y, [n * c, 1, ...input])
  const attrs = { stride: g.stride, padding: g.reach, dilation: g.dilation, groups: 1 }
  const summed = build.conv(planes, ones, attrs)
  const places = summed.shape.slice(2)
  const total = build.reshape(summed, [n, c, ...places])
  const everywhere = g.kernel.reduce((a, b) => a * b, 1)
  const includePad = options.countIncludePad ?? true
  if (unpadded || (includePad && g.reach === g.padding)) return build.div(total, build.constant(everywhere, y.dtype))
  const count = input
    .map((m, i) => counts(y, m, places[i] as number, i, g, includePad))
    .reduce((a, b) => build.mul(a, b))
  return build.div(total, count)
}

/** Reduces each of `places` bins of a dimension; bin i covers floor(i n / places) to ceil((i + 1) n / places). */
function bins(x: Node, axis: number, places: number, reduce: (part: Node, axis: number) => Node): Node {
  const n = x.shape[axis] as number
  if (places === n) return x
  const parts = Array.from({ length: places }, (_, i) => {
    const start = Math.floor((i * n) / places)
    return reduce(build.narrow(x, axis, start, Math.ceil(((i + 1) * n) / places) - start), axis)
  })
  return build.concat(parts, axis)
}

export function adaptivePool(op: string, spatial: number, x: Node, size: PerDim, fn: 'mean' | 'max'): Node {
  checkInput(op, x, spatial)
  const out = perDim(op, 'outputSize', size, spatial, 1)
  const input = x.shape.slice(2)
  const y = asFloat(x)
  if (out.every((n, i) => (input[i] as number) % n === 0)) {
    const kernel = out.map((n, i) => (input[i] as number) / n)
    return fn === 'mean' ? tiledMean(y, kernel) : maxPool(op, spatial, y, kernel, {})
  }
  const reduce = (part: Node, axis: number): Node =>
    fn === 'max'
      ? build.reduceKeep('max', part, [axis])
      : build.div(build.reduceKeep('sum', part, [axis]), build.constant(part.shape[axis] as number, part.dtype))
  return out.reduce((node, n, i) => bins(node, i + 2, n, reduce), y)
}
