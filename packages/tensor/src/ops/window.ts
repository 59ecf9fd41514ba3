import {
  build,
  type ConvAttrs,
  checkOptions,
  checkWhole,
  type Dims,
  type Node,
  OpError,
  promote,
  type WindowAttrs,
} from '@tessella/ir'
import { floatDType } from './promotion.ts'

/** One number for every spatial dimension, or one each. */
export type PerDim = number | readonly number[]
export interface WindowOptions {
  readonly stride?: PerDim | undefined
  /** Zeros on both sides; `'same'` gives ceil(size / stride) outputs, `'valid'` pads nothing. */
  readonly padding?: PerDim | 'same' | 'valid' | undefined
  readonly dilation?: PerDim | undefined
}

export function perDim(op: string, name: string, value: PerDim, spatial: number, least: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(spatial).fill(value) : [...value]
  if (list.length !== spatial)
    throw new OpError(op, `${name} [${list.join(', ')}] needs ${spatial} entries`, {
      hint: `Give one number, or one for each of the ${spatial} spatial dimensions.`,
    })
  checkWhole(op, name, list, least)
  return list
}

export function checkInput(op: string, x: Node, spatial: number): void {
  if (x.shape.length !== spatial + 2)
    throw new OpError(op, `the input must be [N, C, ${['L', 'H, W', 'D, H, W'][spatial - 1]}]`, {
      shapes: [x.shape],
      hint:
        x.shape.length === spatial + 1
          ? 'Add a batch dimension: x.unsqueeze(0).'
          : `It needs ${spatial + 2} dimensions.`,
    })
}

/** Geometry in full: one entry for each spatial dimension. */
export function windowAttrs(
  op: string,
  input: Dims,
  kernel: Dims,
  stride: PerDim,
  options: WindowOptions,
): WindowAttrs {
  const spatial = input.length
  const strides = perDim(op, 'stride', stride, spatial, 1)
  const dilation = perDim(op, 'dilation', options.dilation ?? 1, spatial, 1)
  const { padding = 0 } = options
  if (padding === 'same') {
    const pairs = input.map((n, i): readonly [number, number] => {
      const s = strides[i] as number
      const reach = (dilation[i] as number) * ((kernel[i] as number) - 1) + 1
      const total = Math.max(0, (Math.ceil(n / s) - 1) * s + reach - n)
      return [Math.floor(total / 2), Math.ceil(total / 2)]
    })
    return { stride: strides, padding: pairs, dilation }
  }
  if (typeof padding === 'string' && padding !== 'valid')
    throw new OpError(op, `'${String(padding)}' is not a padding`, { hint: "Use numbers, 'same' or 'valid'." })
  const widths = perDim(op, 'padding', padding === 'valid' ? 0 : padding, spatial, 0)
  return { stride: strides, padding: widths.map((p) => [p, p] as const), dilation }
}

/** Refuses kernels that have no place in the padded input. */
export function checkFits(op: string, x: Node, kernel: Dims, { padding, dilation }: WindowAttrs): void {
  const input = x.shape.slice(2)
  const fits = input.every((n, i) => {
    const [lo, hi] = padding[i] as readonly [number, number]
    return n + lo + hi > (dilation[i] as number) * ((kernel[i] as number) - 1)
  })
  if (!fits)
    throw new OpError(op, `a kernel of [${kernel.join(', ')}] does not fit the padded input`, {
      shapes: [x.shape],
      hint: 'Use a smaller kernel or more padding.',
    })
}

function floats(op: string, x: Node, weight: Node, spatial: number): readonly [Node, Node] {
  checkInput(op, x, spatial)
  if (weight.shape.length !== spatial + 2)
    throw new OpError(op, `the weight must have ${spatial + 2} dimensions`, { shapes: [x.shape, weight.shape] })
  const dtype = floatDType(promote(x.dtype, weight.dtype))
  return [build.cast(x, dtype), build.cast(weight, dtype)]
}

function addBias(op: string, y: Node, bias: Node | undefined): Node {
  if (bias === undefined) return y
  const channels = y.shape[1] as number
  if (bias.shape.length !== 1 || bias.shape[0] !== channels)
    throw new OpError(op, `the bias must be [${channels}], one number for each output channel`, {
      shapes: [bias.shape],
    })
  const column = build.reshape(build.cast(bias, y.dtype), [channels, ...y.shape.slice(2).map(() => 1)])
  return build.add(y, column)
}

export interface ConvOptions extends WindowOptions {
  readonly groups?: number | undefined
}

/** Cross-correlation of x [N, C, ...in] with weight [O, C/groups, ...k]. */
export function conv(
  op: string,
  spatial: number,
  x: Node,
  weight: Node,
  bias: Node | undefined,
  options: ConvOptions,
): Node {
  checkOptions(op, options, ['stride', 'padding', 'dilation', 'groups', 'bias'])
  const [a, w] = floats(op, x, weight, spatial)
  const window = windowAttrs(op, a.shape.slice(2), w.shape.slice(2), options.stride ?? 1, options)
  checkFits(op, a, w.shape.slice(2), window)
  return addBias(op, build.conv(a, w, { ...window, groups: options.groups ?? 1 }), bias)
}

export interface ConvTransposeOptions {
  readonly stride?: PerDim | undefined
  readonly padding?: PerDim | undefined
  /** Added to one side of the output, to choose among the sizes that a strided convolution maps to the input's. */
  readonly outputPadding?: PerDim | undefined
  readonly dilation?: PerDim | undefined
  readonly groups?: number | undefined
}

/** The gradient of a convolution by its input as a layer: x [N, I, ...in], weight [I, O/groups, ...k]. */
export function convTranspose(
  op: string,
  spatial: number,
  x: Node,
  weight: Node,
  bias: Node | undefined,
  options: ConvTransposeOptions,
): Node {
  checkOptions(op, options, ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'bias'])
  const [a, w] = floats(op, x, weight, spatial)
  const kernel = w.shape.slice(2)
  const window = windowAttrs(op, a.shape.slice(2), kernel, options.stride ?? 1, { ...options })
  const extra = perDim(op, 'outputPadding', options.outputPadding ?? 0, spatial, 0)
  if (extra.some((n, i) => n >= (window.stride[i] as number)))
    throw new OpError(
      op,
      `outputPadding [${extra.join(', ')}] must be smaller than the stride [${window.stride.join(', ')}]`,
    )
  const groups = options.groups ?? 1
  if (a.shape[1] !== w.shape[0])
    throw new OpError(op, `the weight takes ${w.shape[0]} channels, the input has ${a.shape[1]}`, {
      shapes: [x.shape, weight.shape],
      hint: 'The weight of a transposed convolution is [in, out / groups, ...kernel].',
    })
  const inputSize = a.shape.slice(2).map((n, i) => {
    const [lo, hi] = window.padding[i] as readonly [number, number]
    const reach = (window.dilation[i] as number) * ((kernel[i] as number) - 1) + 1
    return (n - 1) * (window.stride[i] as number) - lo - hi + reach + (extra[i] as number)
  })
  if (inputSize.some((n) => n < 1))
    throw new OpError(op, 'the padding leaves nothing of the output', {
      shapes: [x.shape, weight.shape],
      hint: 'Pad less.',
    })
  const attrs: ConvAttrs = { ...window, groups }
  return addBias(op, build.convGradInput(a, w, attrs, inputSize), bias)
}
