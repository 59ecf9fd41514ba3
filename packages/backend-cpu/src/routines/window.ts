import type { Affine } from '@tessella/compiler'
import type { ConvAttrs, Dims, WindowAttrs } from '@tessella/ir'

/** One spatial dimension of a window. */
export interface Axis {
  readonly input: number
  readonly kernel: number
  readonly output: number
  readonly stride: number
  readonly lo: number
  readonly dilation: number
}
export type Axes = readonly [z: Axis, y: Axis, x: Axis]

const point: Axis = { input: 1, kernel: 1, output: 1, stride: 1, lo: 0, dilation: 1 }

/** Three axes, with points in front of the ones there are. */
export function axesOf(input: Dims, kernel: Dims, output: Dims, attrs: WindowAttrs): Axes {
  const axes = input.map(
    (n, i): Axis => ({
      input: n,
      kernel: kernel[i] as number,
      output: output[i] as number,
      stride: attrs.stride[i] as number,
      lo: attrs.padding[i]?.[0] as number,
      dilation: attrs.dilation[i] as number,
    }),
  )
  return padAxes(axes)
}

function padAxes(axes: readonly Axis[]): Axes {
  const [z = point, y = point, x = point] = [...new Array<Axis>(3 - axes.length).fill(point), ...axes]
  return [z, y, x]
}

/** A convolution x [n, channels, ...] with w [outputs, channels / groups, ...], y [n, outputs, ...]. */
export interface ConvShape {
  readonly n: number
  readonly groups: number
  /** Input channels of a group. */
  readonly channels: number
  /** Output channels of a group. */
  readonly outputs: number
  readonly axes: Axes
  /** Elements of a kernel, an input plane and an output plane. */
  readonly taps: number
  readonly inputPlane: number
  readonly outputPlane: number
}

export function convShapeOf(x: Dims, w: Dims, y: Dims, attrs: ConvAttrs): ConvShape {
  const axes = axesOf(x.slice(2), w.slice(2), y.slice(2), attrs)
  return withAxes(
    {
      n: x[0] as number,
      groups: attrs.groups,
      channels: w[1] as number,
      outputs: (w[0] as number) / attrs.groups,
    },
    axes,
  )
}

function withAxes(shape: Pick<ConvShape, 'n' | 'groups' | 'channels' | 'outputs'>, axes: Axes): ConvShape {
  const product = (of: (a: Axis) => number): number => axes.reduce((n, a) => n * of(a), 1)
  return {
    ...shape,
    axes,
    taps: product((a) => a.kernel),
    inputPlane: product((a) => a.input),
    outputPlane: product((a) => a.output),
  }
}

const isPlain = (a: Axis): boolean => a.kernel === 1 && a.stride === 1 && a.lo === 0 && a.input === a.output

/** A convolution with 1x1 kernels over rows that are contiguous everywhere is one with a single long row. */
export function flattened(shape: ConvShape, spatial: number, forms: readonly Affine[]): ConvShape {
  if (!shape.axes.every(isPlain)) return shape
  for (let d = 3; d < 2 + spatial; d++) {
    const size = shape.axes[d + 1 - spatial]?.output as number
    const even = forms.every(({ strides }) => strides[d - 1] === (strides[d] as number) * size)
    if (!even) return shape
  }
  return withAxes(shape, [point, point, { ...point, input: shape.inputPlane, output: shape.outputPlane }])
}

/** The domain dimension of axis 0, 1 or 2 of three; some dimension where the axis is a point. */
export const dimensionOf = (axis: number, spatial: number): number => Math.max(0, axis - 1 + spatial)
