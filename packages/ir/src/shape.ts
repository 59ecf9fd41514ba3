import { OpError } from './errors.ts'

export type Dims = readonly number[]

export const sameShape = (a: Dims, b: Dims): boolean => a.length === b.length && a.every((n, i) => n === b[i])

/** Number of elements. */
export function sizeOf(shape: Dims): number {
  let n = 1
  for (const d of shape) n *= d
  return n
}

/** Row-major strides in elements. */
export function stridesOf(shape: Dims): number[] {
  const strides = new Array<number>(shape.length)
  let n = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = n
    n *= shape[i] as number
  }
  return strides
}

export const showShape = (shape: Dims): string => `[${shape.join(', ')}]`

function notAnAxis(op: string, given: unknown, wanted: string): OpError {
  if (given === undefined) return new OpError(op, `needs ${wanted}`, { hint: 'Axes are integers; -1 is the last.' })
  const isRecord = typeof given === 'object' && given !== null && !Array.isArray(given)
  return new OpError(op, `needs ${wanted}, got ${isRecord ? 'an object' : `'${String(given)}'`}`, {
    hint: isRecord
      ? 'Options come after the axis; undefined stands for all axes.'
      : 'Axes are integers; -1 is the last.',
  })
}

/** `axis` in `[0, rank)`, counting from the end when negative. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (typeof axis !== 'number') throw notAnAxis(op, axis, 'an axis')
  const a = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(a) || a < 0 || a >= rank)
    throw new OpError(op, `axis ${axis} is out of range for ${rank} dimension${rank === 1 ? '' : 's'}`, {
      hint: rank === 0 ? 'A scalar has no axes.' : `Use an integer from ${-rank} to ${rank - 1}.`,
    })
  return a
}

/** Sorted, distinct, non-negative axes; `undefined` means all of them. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i)
  if (typeof axes !== 'number' && !Array.isArray(axes)) throw notAnAxis(op, axes, 'an axis, or an array of axes')
  const list = (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(op, a, rank))
  if (new Set(list).size !== list.length) throw new OpError(op, `axes [${list.join(', ')}] repeat an axis`)
  return list.sort((a, b) => a - b)
}

/** The shape both operands broadcast to (NumPy's rule), or an error that names both. */
export function broadcastShapes(op: string, a: Dims, b: Dims): number[] {
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1)
      throw new OpError(op, `sizes ${x} and ${y} at dimension ${i - rank} do not broadcast`, {
        shapes: [a, b],
        hint: 'Sizes must be equal or 1, counted from the last dimension.',
      })
    out[i] = x === 1 ? y : x
  }
  return out
}

/** floor((size + lo + hi - dilation * (kernel - 1) - 1) / stride) + 1; may be 0 or negative when nothing fits. */
export function windowSize(
  size: number,
  kernel: number,
  stride: number,
  lo: number,
  hi: number,
  dilation: number,
): number {
  return Math.floor((size + lo + hi - dilation * (kernel - 1) - 1) / stride) + 1
}
