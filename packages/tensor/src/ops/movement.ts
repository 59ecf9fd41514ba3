import { build, checkWhole, type Dims, type Node, normalizeAxes, normalizeAxis, OpError, sizeOf } from '@tessella/ir'

/** Sizes, axes and repetitions come in an array, not one by one. */
function checkArray(op: string, what: string, list: unknown): void {
  if (!Array.isArray(list))
    throw new OpError(op, `${what} come in an array, got ${typeof list === 'number' ? list : typeof list}`, {
      hint: `Write ${op}([${typeof list === 'number' ? `${list}, ...` : '...'}]).`,
    })
}

/** Resolves one -1 in `to` and checks the number of elements. */
export function reshape(x: Node, to: Dims): Node {
  checkArray('reshape', 'sizes', to)
  const open = to.filter((n) => n === -1).length
  const bad = to.find((n) => !Number.isInteger(n) || n < -1)
  if (open > 1 || bad !== undefined)
    throw new OpError('reshape', bad === undefined ? 'only one size may be -1' : `${bad} is not a size`, {
      shapes: [x.shape, to],
      hint: 'Use whole sizes of at least 0, and -1 at most once.',
    })
  const have = sizeOf(x.shape)
  const known = sizeOf(to.filter((n) => n !== -1))
  if (open === 0 ? known !== have : known === 0 || have % known !== 0)
    throw new OpError('reshape', `${have} elements do not fill the new shape`, {
      shapes: [x.shape, to],
      hint:
        open === 1
          ? `${have} must be a multiple of ${known}.`
          : 'Let -1 stand for the size that follows from the others.',
    })
  return build.reshape(
    x,
    to.map((n) => (n === -1 ? have / known : n)),
  )
}

export function flatten(x: Node, start: number, end: number): Node {
  const rank = x.shape.length
  if (rank === 0) return build.reshape(x, [1])
  const from = normalizeAxis('flatten', start, rank)
  const to = normalizeAxis('flatten', end, rank)
  if (from > to)
    throw new OpError('flatten', `start ${start} lies after end ${end}`, { shapes: [x.shape], hint: 'Exchange them.' })
  const merged = sizeOf(x.shape.slice(from, to + 1))
  return build.reshape(x, [...x.shape.slice(0, from), merged, ...x.shape.slice(to + 1)])
}

export function permute(x: Node, axes: Dims): Node {
  checkArray('permute', 'axes', axes)
  const rank = x.shape.length
  if (axes.length !== rank)
    throw new OpError('permute', `${axes.length} axes for ${rank} dimensions`, {
      shapes: [x.shape],
      hint: 'Name every axis once.',
    })
  const perm = axes.map((a) => normalizeAxis('permute', a, rank))
  if (new Set(perm).size !== rank)
    throw new OpError('permute', `axes [${axes.join(', ')}] repeat an axis`, {
      shapes: [x.shape],
      hint: 'Name every axis once.',
    })
  return build.permute(x, perm)
}

export function transpose(x: Node, a: number, b: number): Node {
  const rank = x.shape.length
  const i = normalizeAxis('transpose', a, rank)
  const j = normalizeAxis('transpose', b, rank)
  return build.permute(
    x,
    x.shape.map((_, k) => (k === i ? j : k === j ? i : k)),
  )
}

/** Moves one axis to another place and keeps the order of the others. */
export function moveAxis(x: Node, from: number, to: number): Node {
  const rank = x.shape.length
  const source = normalizeAxis('moveAxis', from, rank)
  const perm = x.shape.map((_, i) => i).filter((i) => i !== source)
  perm.splice(normalizeAxis('moveAxis', to, rank), 0, source)
  return build.permute(x, perm)
}

export function squeeze(x: Node, axis: number | Dims | undefined): Node {
  if (axis === undefined)
    return build.reshape(
      x,
      x.shape.filter((n) => n !== 1),
    )
  const axes = normalizeAxes('squeeze', axis, x.shape.length)
  for (const a of axes)
    if (x.shape[a] !== 1)
      throw new OpError('squeeze', `axis ${a} has size ${x.shape[a]}, not 1`, {
        shapes: [x.shape],
        hint: 'Only sizes of 1 can be dropped; use at(axis, i) to pick one of several.',
      })
  return build.reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  )
}

export function unsqueeze(x: Node, axis: number): Node {
  const at = normalizeAxis('unsqueeze', axis, x.shape.length + 1)
  return build.reshape(x, x.shape.toSpliced(at, 0, 1))
}

/** Grows sizes of 1, and adds leading dimensions; -1 keeps a size. */
export function expand(op: string, x: Node, to: Dims): Node {
  checkArray(op, 'sizes', to)
  const lead = to.length - x.shape.length
  const shape = to.map((n, i) => (n === -1 && i >= lead ? (x.shape[i - lead] as number) : n))
  const fits =
    lead >= 0 &&
    shape.every((n) => Number.isInteger(n) && n >= 0) &&
    x.shape.every((n, i) => n === 1 || n === shape[i + lead])
  if (!fits)
    throw new OpError(op, 'only sizes of 1 can grow, and dimensions can only be added in front', {
      shapes: [x.shape, to],
      hint: 'Unsqueeze where the new dimension belongs first.',
    })
  return build.broadcastTo(x, shape)
}

export const flip = (x: Node, axes: number | Dims | undefined): Node =>
  build.flip(x, normalizeAxes('flip', axes, x.shape.length))

/** Elements that leave at one end come back at the other. */
export function roll(x: Node, shift: number, axis: number | undefined): Node {
  if (!Number.isInteger(shift))
    throw new OpError('roll', `shift ${shift} is not an integer`, { hint: 'Use a whole number of places.' })
  if (axis === undefined) return build.reshape(roll(build.reshape(x, [sizeOf(x.shape)]), shift, 0), x.shape)
  const at = normalizeAxis('roll', axis, x.shape.length)
  const n = x.shape[at] as number
  const by = n === 0 ? 0 : ((shift % n) + n) % n
  if (by === 0) return x
  return build.concat([build.narrow(x, at, n - by, by), build.narrow(x, at, 0, n - by)], at)
}

/** The whole tensor side by side, `reps` times along each dimension. */
export function tile(op: string, x: Node, reps: Dims): Node {
  checkArray(op, 'repetitions', reps)
  checkWhole(op, 'repetitions', reps, 0)
  const rank = Math.max(reps.length, x.shape.length)
  const shape = [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape]
  const times = [...new Array<number>(rank - reps.length).fill(1), ...reps]
  const split = shape.flatMap((n) => [1, n])
  const grown = shape.flatMap((n, i) => [times[i] as number, n])
  return build.reshape(
    build.expand(build.reshape(x, split), grown),
    shape.map((n, i) => n * (times[i] as number)),
  )
}

/** Each element `times` times in a row along an axis, or of the flattened tensor. */
export function repeatInterleave(x: Node, times: number, axis: number | undefined): Node {
  checkWhole('repeatInterleave', 'repetitions', times, 0)
  const y = axis === undefined ? build.reshape(x, [sizeOf(x.shape)]) : x
  const at = axis === undefined ? 0 : normalizeAxis('repeatInterleave', axis, y.shape.length)
  const split = build.reshape(y, y.shape.toSpliced(at + 1, 0, 1))
  const grown = build.expand(split, y.shape.toSpliced(at + 1, 0, times))
  return build.reshape(
    grown,
    y.shape.map((n, i) => (i === at ? n * times : n)),
  )
}

function triangle(op: string, x: Node, diagonal: number, keep: 'ge' | 'le'): Node {
  if (x.shape.length < 2)
    throw new OpError(op, 'needs at least two dimensions', { shapes: [x.shape], hint: 'Unsqueeze a vector first.' })
  const matrix = x.shape.slice(-2)
  const row = build.shift(build.iota(matrix, 0), diagonal)
  return build.select(build.binary(keep, row, build.iota(matrix, 1)), x, build.zerosLike(x))
}
/** The elements on and below a diagonal; the others become 0. */
export const tril = (x: Node, diagonal: number): Node => triangle('tril', x, diagonal, 'ge')
/** The elements on and above a diagonal; the others become 0. */
export const triu = (x: Node, diagonal: number): Node => triangle('triu', x, diagonal, 'le')

/** The diagonal of the last two dimensions: every (columns + 1)-th element of the flattened matrix. */
export function diagonal(op: string, x: Node, offset: number): Node {
  if (x.shape.length < 2) throw new OpError(op, 'needs at least two dimensions', { shapes: [x.shape] })
  const lead = x.shape.slice(0, -2)
  const [rows = 0, columns = 0] = x.shape.slice(-2)
  const length = Math.max(0, Math.min(rows - Math.max(-offset, 0), columns - Math.max(offset, 0)))
  const start = length === 0 ? 0 : offset >= 0 ? offset : -offset * columns
  const zeros = lead.map(() => 0)
  const ones = lead.map(() => 1)
  const flat = build.reshape(x, [...lead, rows * columns])
  return build.slice(flat, [...zeros, start], [...lead, length], [...ones, columns + 1])
}

/** A vector on the diagonal of a matrix of zeros, or the diagonal of a matrix. */
export function diag(x: Node, offset: number): Node {
  if (x.shape.length === 2) return diagonal('diag', x, offset)
  if (x.shape.length !== 1)
    throw new OpError('diag', 'needs a vector or a matrix', {
      shapes: [x.shape],
      hint: 'Use diagonal for stacks of matrices.',
    })
  const n = x.shape[0] as number
  if (n === 0) return build.full([Math.abs(offset), Math.abs(offset)], 0, x.dtype)
  const square = build.reshape(build.pad(x, [0], [0], 0, [n]), [n, n])
  return build.pad(square, [Math.max(-offset, 0), Math.max(offset, 0)], [Math.max(offset, 0), Math.max(-offset, 0)])
}
