import { build, type Node, normalizeAxis, OpError } from '@tessella/ir'

/**
 * What to take of one dimension: `null` all of it, a number one element (the dimension goes away),
 * `[start, stop, step]` a range as Python's `start:stop:step`; missing or `null` ends reach to the border.
 */
export type RangeArgument = null | number | readonly [start?: number | null, stop?: number | null, step?: number]

interface Range {
  readonly start: number
  readonly size: number
  readonly step: number
  readonly drop: boolean
}

function pick(op: string, index: number, n: number, axis: number): Range {
  const at = index < 0 ? index + n : index
  if (!Number.isInteger(at) || at < 0 || at >= n)
    throw new OpError(op, `index ${index} is out of range for dimension ${axis} of size ${n}`, {
      hint: n === 0 ? 'The dimension is empty.' : `Use an integer from ${-n} to ${n - 1}.`,
    })
  return { start: at, size: 1, step: 1, drop: true }
}

/** Python's slice rules: ends outside are cut off, negative ends count from the end. */
function resolve(op: string, range: RangeArgument, n: number, axis: number): Range {
  if (range === null) return { start: 0, size: n, step: 1, drop: false }
  if (typeof range === 'number') return pick(op, range, n, axis)
  const [from, to, step = 1] = range
  if (!Number.isInteger(step) || step === 0)
    throw new OpError(op, `step ${step} of dimension ${axis} is not a whole number other than 0`)
  for (const end of [from, to])
    if (end !== undefined && end !== null && !Number.isInteger(end))
      throw new OpError(op, `end ${end} of dimension ${axis} is not an integer`)
  const low = step > 0 ? 0 : -1
  const high = step > 0 ? n : n - 1
  const clamp = (end: number): number => Math.min(Math.max(end < 0 ? end + n : end, low), high)
  const start = from === undefined || from === null ? (step > 0 ? 0 : n - 1) : clamp(from)
  const stop = to === undefined || to === null ? (step > 0 ? n : -1) : clamp(to)
  return { start, size: Math.max(0, Math.ceil((stop - start) / step)), step, drop: false }
}

export function slice(x: Node, ranges: readonly RangeArgument[]): Node {
  if (ranges.length > x.shape.length)
    throw new OpError('slice', `${ranges.length} ranges for ${x.shape.length} dimensions`, {
      shapes: [x.shape],
      hint: 'Give at most one range for each dimension.',
    })
  const all = x.shape.map((n, i) => resolve('slice', ranges[i] ?? null, n, i))
  // A negative step runs over the reversed dimension.
  const reversed = all.flatMap((r, i) => (r.step < 0 ? [i] : []))
  const start = all.map((r, i) => {
    if (r.size === 0) return 0
    return r.step < 0 ? (x.shape[i] as number) - 1 - r.start : r.start
  })
  const part = build.slice(
    build.flip(x, reversed),
    start,
    all.map((r) => r.size),
    all.map((r) => Math.abs(r.step)),
  )
  return build.reshape(
    part,
    all.flatMap((r) => (r.drop ? [] : [r.size])),
  )
}

/** One element of a dimension, which goes away. */
export function select(op: string, x: Node, axis: number, index: number): Node {
  const at = normalizeAxis(op, axis, x.shape.length)
  const { start } = pick(op, index, x.shape[at] as number, at)
  return build.reshape(build.narrow(x, at, start, 1), x.shape.toSpliced(at, 1))
}

/** `length` elements of a dimension from `start` on; nothing is cut off. */
export function narrow(x: Node, axis: number, start: number, length: number): Node {
  const at = normalizeAxis('narrow', axis, x.shape.length)
  const n = x.shape[at] as number
  const from = start < 0 ? start + n : start
  if (!Number.isInteger(from) || !Number.isInteger(length) || from < 0 || length < 0 || from + length > n)
    throw new OpError('narrow', `start ${start} and length ${length} leave dimension ${at} of size ${n}`, {
      shapes: [x.shape],
      hint: 'start + length may not exceed the size.',
    })
  return build.narrow(x, at, from, length)
}
