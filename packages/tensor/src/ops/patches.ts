import { build, checkOptions, type Dims, type Node, OpError, sizeOf, type WindowAttrs } from '@tessella/ir'
import { add } from './elementwise.ts'
import { asFloat } from './promotion.ts'
import { checkFits, checkInput, type PerDim, perDim, windowAttrs } from './window.ts'

export interface PatchOptions {
  readonly stride?: PerDim | undefined
  /** Zeros on both sides. */
  readonly padding?: number | readonly number[] | undefined
  readonly dilation?: PerDim | undefined
}

const names = ['stride', 'padding', 'dilation']
const at = (list: readonly number[], i: number): number => list[i] as number
const low = (w: WindowAttrs): number[] => w.padding.map(([lo]) => lo)
const high = (w: WindowAttrs): number[] => w.padding.map(([, hi]) => hi)

/** Every offset within a window, the last dimension fastest. */
function offsetsOf(kernel: Dims, dilation: readonly number[]): number[][] {
  let found: number[][] = [[]]
  for (const [d, k] of kernel.entries())
    found = found.flatMap((o) => Array.from({ length: k }, (_, i) => [...o, i * at(dilation, d)]))
  return found
}

/** How many windows fit, by dimension. */
function windowsOf(input: Dims, kernel: Dims, w: WindowAttrs): number[] {
  return input.map((n, i) => {
    const [lo, hi] = w.padding[i] as readonly [number, number]
    return Math.floor((n + lo + hi - at(w.dilation, i) * (at(kernel, i) - 1) - 1) / at(w.stride, i)) + 1
  })
}

/** Windows of x [N, C, ...in] as columns: [N, C * |kernel|, windows] (torch.nn.Unfold, of 1 to 3 dimensions). */
export function unfold(x: Node, kernelSize: PerDim, options: PatchOptions): Node {
  checkOptions('unfold', options, names)
  const spatial = x.shape.length - 2
  checkInput('unfold', x, Math.min(3, Math.max(1, spatial)))
  const kernel = perDim('unfold', 'kernel', kernelSize, spatial, 1)
  const window = windowAttrs('unfold', x.shape.slice(2), kernel, options.stride ?? 1, options)
  checkFits('unfold', x, kernel, window)
  const out = windowsOf(x.shape.slice(2), kernel, window)
  const padded = build.pad(x, [0, 0, ...low(window)], [0, 0, ...high(window)])
  const [n, c] = x.shape as readonly [number, number]
  const parts = offsetsOf(kernel, [...window.dilation]).map((offset) =>
    build.reshape(build.slice(padded, [0, 0, ...offset], [n, c, ...out], [1, 1, ...window.stride]), [n, c, 1, ...out]),
  )
  return build.reshape(build.concat(parts, 2), [n, c * parts.length, sizeOf(out)])
}

/** The sum of columns [N, C * |kernel|, windows] back in their places: the transpose of unfold (torch.nn.Fold). */
export function fold(x: Node, outputSize: Dims, kernelSize: PerDim, options: PatchOptions): Node {
  checkOptions('fold', options, names)
  const spatial = outputSize.length
  if (spatial < 1 || spatial > 3 || !outputSize.every((n) => Number.isInteger(n) && n > 0))
    throw new OpError('fold', `the output size [${outputSize.join(', ')}] must be 1 to 3 positive whole numbers`)
  const kernel = perDim('fold', 'kernel', kernelSize, spatial, 1)
  const window = windowAttrs('fold', outputSize, kernel, options.stride ?? 1, options)
  const out = windowsOf(outputSize, kernel, window)
  const [taps, count] = [sizeOf(kernel), sizeOf(out)]
  if (x.shape.length !== 3 || at(x.shape, 1) % taps !== 0 || x.shape[2] !== count || out.some((n) => n < 1))
    throw new OpError('fold', `the input must be [N, C * ${taps}, ${out.some((n) => n < 1) ? 0 : count}]`, {
      shapes: [x.shape],
      hint: 'The second size counts channels and places of the kernel, the third the windows that fit.',
    })
  const [n, c] = [at(x.shape, 0), at(x.shape, 1) / taps]
  const columns = build.reshape(asFloat(x), [n, c, taps, ...out])
  const whole = outputSize.map((size, i) => size + at(low(window), i) + at(high(window), i))
  const spread = offsetsOf(kernel, [...window.dilation]).map((offset, i) => {
    const part = build.reshape(build.narrow(columns, 2, i, 1), [n, c, ...out])
    const after = whole.map((size, d) => size - at(offset, d) - (at(out, d) - 1) * at(window.stride, d) - 1)
    const gaps = window.stride.map((s) => s - 1)
    return build.pad(part, [0, 0, ...offset], [0, 0, ...after], 0, [0, 0, ...gaps])
  })
  return build.slice(
    spread.reduce((a, b) => add(a, b)),
    [0, 0, ...low(window)],
    [n, c, ...outputSize],
  )
}

function factorOf(op: string, x: Node, factor: number): readonly [number, number, number, number] {
  if (x.shape.length !== 4) throw new OpError(op, 'the input must be [N, C, H, W]', { shapes: [x.shape] })
  if (!Number.isInteger(factor) || factor < 1)
    throw new OpError(op, `the factor ${factor} is not a positive whole number`)
  return x.shape as unknown as readonly [number, number, number, number]
}

/** [N, C r^2, H, W] to [N, C, H r, W r]: channels become the pixels of r x r blocks (Shi et al., 2016). */
export function pixelShuffle(x: Node, r: number): Node {
  const [n, channels, h, w] = factorOf('pixelShuffle', x, r)
  if (channels % (r * r) !== 0)
    throw new OpError('pixelShuffle', `${channels} channels are no multiple of ${r} x ${r}`, { shapes: [x.shape] })
  const c = channels / (r * r)
  const blocks = build.permute(build.reshape(x, [n, c, r, r, h, w]), [0, 1, 4, 2, 5, 3])
  return build.reshape(blocks, [n, c, h * r, w * r])
}

/** [N, C, H r, W r] to [N, C r^2, H, W], the inverse of pixelShuffle. */
export function pixelUnshuffle(x: Node, r: number): Node {
  const [n, c, h, w] = factorOf('pixelUnshuffle', x, r)
  if (h % r !== 0 || w % r !== 0)
    throw new OpError('pixelUnshuffle', `${h} x ${w} pixels are no blocks of ${r} x ${r}`, { shapes: [x.shape] })
  const blocks = build.permute(build.reshape(x, [n, c, h / r, r, w / r, r]), [0, 1, 3, 5, 2, 4])
  return build.reshape(blocks, [n, c * r * r, h / r, w / r])
}
