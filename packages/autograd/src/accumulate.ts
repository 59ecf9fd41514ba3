import { build, type Node, type NodeOf } from '@tessella/ir'

/** A cotangent that is zero but for a range of one axis. */
interface Piece {
  readonly axis: number
  readonly start: number
  readonly end: number
  readonly inner: Node
}

function pieceOf(g: Node): Piece | undefined {
  if (g.op !== 'pad') return undefined
  const { lo, hi, interior, value } = (g as NodeOf<'pad'>).attrs
  if (value !== 0 || interior.some((n) => n !== 0)) return undefined
  const padded = lo.flatMap((n, i) => (n !== 0 || hi[i] !== 0 ? [i] : []))
  const axis = padded[0]
  if (axis === undefined || padded.length > 1) return undefined
  const inner = (g as NodeOf<'pad'>).src[0]
  const start = lo[axis] as number
  return { axis, start, end: start + (inner.shape[axis] as number), inner }
}

/** The pieces in order along one axis, when they do not overlap. */
function disjoint(gs: readonly Node[]): Piece[] | undefined {
  const pieces = gs.map(pieceOf)
  const first = pieces[0]
  const sorted = pieces.filter((p) => p !== undefined && p.axis === first?.axis) as Piece[]
  if (sorted.length !== gs.length) return undefined
  sorted.sort((p, q) => p.start - q.start)
  return sorted.every((p, i) => i === 0 || (sorted[i - 1] as Piece).end <= p.start) ? sorted : undefined
}

/** Pieces side by side, with zeros in the gaps. */
function joined(pieces: readonly Piece[], like: Node): Node {
  const { axis } = pieces[0] as Piece
  const gap = (size: number): Node[] =>
    size === 0
      ? []
      : [
          build.full(
            like.shape.map((n, i) => (i === axis ? size : n)),
            0,
            like.dtype,
          ),
        ]
  let at = 0
  const parts: Node[] = []
  for (const { start, end, inner } of pieces) {
    parts.push(...gap(start - at), inner)
    at = end
  }
  return build.concat([...parts, ...gap((like.shape[axis] as number) - at)], axis)
}

/**
 * The sum of the cotangents of one value. What comes back from the parts of a value (split, chunk, the steps of a
 * sequence) is put side by side instead of padded to full size and added, which would be quadratic in the parts.
 */
export function sumOf(gs: readonly Node[]): Node {
  const first = gs[0] as Node
  if (gs.length === 1) return first
  const pads = gs.filter((g) => pieceOf(g) !== undefined)
  const pieces = pads.length > 1 ? disjoint(pads) : undefined
  if (pieces === undefined) return gs.reduce(build.add)
  const whole = joined(pieces, first)
  return gs.filter((g) => pieceOf(g) === undefined).reduce(build.add, whole)
}
