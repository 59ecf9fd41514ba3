import { build, checkWhole, type DType, type Node, normalizeAxis, OpError, promote, sameShape } from '@tessella/ir'
import { unsqueeze } from './movement.ts'
import { select } from './slicing.ts'

function alike(op: string, parts: readonly Node[]): Node[] {
  const first = parts[0]
  if (first === undefined) throw new OpError(op, 'no tensors to join', { hint: 'Give at least one tensor.' })
  const dtype = parts.reduce<DType>((d, x) => promote(d, x.dtype), first.dtype)
  return parts.map((x) => build.cast(x, dtype))
}

export function concat(parts: readonly Node[], axis: number): Node {
  const cast = alike('concat', parts)
  const first = cast[0] as Node
  const at = normalizeAxis('concat', axis, first.shape.length)
  for (const x of cast)
    if (x.shape.length !== first.shape.length || x.shape.some((n, i) => i !== at && n !== first.shape[i]))
      throw new OpError('concat', `sizes must agree but for axis ${at}`, {
        shapes: [first.shape, x.shape],
        hint: 'Reshape or slice one of them.',
      })
  return build.concat(cast, at)
}

export function stack(parts: readonly Node[], axis: number): Node {
  const cast = alike('stack', parts)
  const first = cast[0] as Node
  for (const x of cast)
    if (!sameShape(x.shape, first.shape))
      throw new OpError('stack', 'shapes differ', {
        shapes: [first.shape, x.shape],
        hint: 'All tensors need one shape.',
      })
  const at = normalizeAxis('stack', axis, first.shape.length + 1)
  return build.concat(
    cast.map((x) => unsqueeze(x, at)),
    at,
  )
}

/** Parts of given sizes, or of one size with a smaller last part. */
export function split(x: Node, sizes: number | readonly number[], axis: number): Node[] {
  const at = normalizeAxis('split', axis, x.shape.length)
  const n = x.shape[at] as number
  const list = typeof sizes === 'number' ? evenly(n, sizes) : sizes
  if (list.some((s) => !Number.isInteger(s) || s < 0) || list.reduce((a, b) => a + b, 0) !== n)
    throw new OpError('split', `sizes [${list.join(', ')}] do not add up to ${n}`, {
      shapes: [x.shape],
      hint: `They must be whole and sum to the size of axis ${at}.`,
    })
  let start = 0
  return list.map((s) => {
    const part = build.narrow(x, at, start, s)
    start += s
    return part
  })
}

function evenly(n: number, size: number): number[] {
  checkWhole('split', 'the size', size, 1)
  const parts = Math.max(1, Math.ceil(n / size))
  return Array.from({ length: parts }, (_, i) => Math.min(size, n - i * size))
}

/** At most `count` parts of one size; the last may be smaller, as torch.chunk. */
export function chunk(x: Node, count: number, axis: number): Node[] {
  const at = normalizeAxis('chunk', axis, x.shape.length)
  checkWhole('chunk', 'the number of parts', count, 1)
  const n = x.shape[at] as number
  return n === 0 ? Array.from({ length: count }, () => x) : split(x, Math.ceil(n / count), at)
}

/** The slices of an axis, which goes away. */
export function unbind(x: Node, axis: number): Node[] {
  const at = normalizeAxis('unbind', axis, x.shape.length)
  return Array.from({ length: x.shape[at] as number }, (_, i) => select('unbind', x, at, i))
}
