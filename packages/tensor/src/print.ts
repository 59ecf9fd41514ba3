import { checkOptions, type DType, type HostArray, isFloat, sizeOf, stridesOf } from '@tessella/ir'
import { fromHalf } from './half.ts'

/** Nested arrays of elements; a scalar is its element. */
export type Nested = number | boolean | Nested[]

/** How {@link formatElements} shortens and rounds. */
export interface FormatOptions {
  /** Digits after the point; 4 unless given. */
  readonly precision?: number | undefined
  /** With more elements than this only the edges are shown; 1000 unless given. */
  readonly threshold?: number | undefined
  /** Elements shown at each edge; 3 unless given. */
  readonly edgeItems?: number | undefined
  /** Characters of a line before it breaks; 80 unless given. */
  readonly lineWidth?: number | undefined
}

/** An element as a number: float16 is decoded. */
export const numberAt = (data: HostArray, dtype: DType, index: number): number =>
  dtype === 'float16' ? fromHalf(data[index] as number) : (data[index] as number)

/** Row-major elements as nested arrays. */
export function nest(data: HostArray, dtype: DType, shape: readonly number[]): Nested {
  const strides = stridesOf(shape)
  const build = (axis: number, offset: number): Nested => {
    if (axis === shape.length) {
      const value = numberAt(data, dtype, offset)
      return dtype === 'bool' ? value !== 0 : value
    }
    return Array.from({ length: shape[axis] as number }, (_, i) =>
      build(axis + 1, offset + i * (strides[axis] as number)),
    )
  }
  return build(0, 0)
}

const show = (value: number, text: (finite: number) => string): string =>
  Number.isNaN(value) ? 'nan' : Number.isFinite(value) ? text(value) : value > 0 ? 'inf' : '-inf'

function exponential(value: number, precision: number): string {
  const [digits = '', power = '+0'] = value.toExponential(precision).split('e')
  return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`
}

/** PyTorch's choice: whole numbers as `2.`, wide ranges in powers of ten, the rest with fixed digits. */
function floatText(values: readonly number[], precision: number): (value: number) => string {
  const sizes = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs)
  const most = sizes.reduce((a, b) => Math.max(a, b), 0)
  const least = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const whole = sizes.every(Number.isInteger)
  const spread = sizes.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4)
  if (whole ? most >= 1e8 : spread) return (v) => show(v, (x) => exponential(x, precision))
  if (whole) return (v) => show(v, (x) => `${x.toFixed(0)}.`)
  return (v) => show(v, (x) => x.toFixed(precision))
}

function textOf(values: readonly number[], dtype: DType, precision: number): (value: number) => string {
  if (dtype === 'bool') return (v) => (v === 0 ? 'false' : 'true')
  return isFloat(dtype) ? floatText(values, precision) : String
}

/** Places of a dimension to show; -1 stands for what is left out. */
function places(n: number, edge: number | undefined): number[] {
  if (edge === undefined || n <= 2 * edge) return Array.from({ length: n }, (_, i) => i)
  const head = Array.from({ length: edge }, (_, i) => i)
  return [...head, -1, ...head.map((i) => n - edge + i)]
}

/** Elements as text in the manner of PyTorch. Needs no tensor: it formats what was read. */
export function formatElements(
  data: HostArray,
  dtype: DType,
  shape: readonly number[],
  options: FormatOptions = {},
): string {
  checkOptions('format', options, ['threshold', 'edgeItems', 'precision', 'lineWidth'])
  const suffix = dtype === 'float32' || dtype === 'bool' ? ')' : `, dtype=${dtype})`
  const size = sizeOf(shape)
  if (size === 0) return `tensor([]${shape.length === 1 ? '' : `, size=[${shape.join(', ')}]`}${suffix}`
  const edge = size > (options.threshold ?? 1000) ? (options.edgeItems ?? 3) : undefined
  const strides = stridesOf(shape)
  const shown: number[] = []
  const collect = (axis: number, offset: number): void => {
    if (axis === shape.length) shown.push(numberAt(data, dtype, offset))
    else
      for (const i of places(shape[axis] as number, edge))
        if (i >= 0) collect(axis + 1, offset + i * (strides[axis] as number))
  }
  collect(0, 0)
  const text = textOf(shown, dtype, options.precision ?? 4)
  const width = shape.length === 0 ? 0 : shown.reduce((w, v) => Math.max(w, text(v).length), 0)
  const perLine = (indent: number): number =>
    Math.max(1, Math.floor(((options.lineWidth ?? 80) - indent) / (width + 2)))
  const render = (axis: number, offset: number, indent: number): string => {
    if (axis === shape.length) return text(numberAt(data, dtype, offset)).padStart(width)
    const parts = places(shape[axis] as number, edge).map((i) =>
      i < 0 ? '...' : render(axis + 1, offset + i * (strides[axis] as number), indent + 1),
    )
    const pad = ' '.repeat(indent + 1)
    if (axis < shape.length - 1) {
      const gap = '\n'.repeat(shape.length - 1 - axis)
      return `[${parts.join(`,${gap}${pad}`)}]`
    }
    const lines: string[] = []
    const n = perLine(indent)
    for (let i = 0; i < parts.length; i += n) lines.push(parts.slice(i, i + n).join(', '))
    return `[${lines.join(`,\n${pad}`)}]`
  }
  return `tensor(${render(0, 0, 'tensor('.length)}${suffix}`
}
