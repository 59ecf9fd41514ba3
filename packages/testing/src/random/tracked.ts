import { build, type Node } from '@tessella/ir'

const epsilon = 2 ** -23

/**
 * A node with what is known of its values, so that results can be compared without false alarms:
 * how large they get, how far rounding may move them, and whether they are exact in any order of evaluation.
 */
export interface Tracked {
  readonly node: Node
  /** No magnitude is larger. */
  readonly bound: number
  /** Values are multiples of 2^-grid and fit in 24 bits: every backend must agree exactly. */
  readonly grid: number | undefined
  /** Absolute error that a correct backend may make. 0 when there is a grid. */
  readonly error: number
}

/** A float result on a grid when it fits float32's 24 bits, else one with at least a few roundings of error. */
export function tracked(node: Node, bound: number, grid: number | undefined, error: number): Tracked {
  if (node.dtype !== 'float32') return { node, bound, grid: 0, error: 0 }
  if (grid !== undefined && bound * 2 ** grid <= 2 ** 24) return { node, bound, grid, error: 0 }
  return { node, bound, grid: undefined, error: error + 8 * epsilon * Math.max(bound, 1) }
}

/** The same elements (or some of them, or none but them) in another arrangement. */
export const moved = (x: Tracked, node: Node): Tracked => ({ ...x, node })

/** A function that is not on a grid, with its bound and Lipschitz constant. */
export const smooth = (x: Tracked, node: Node, bound: number, slope = 1): Tracked =>
  tracked(node, bound, undefined, slope * x.error)

const both = (a: Tracked, b: Tracked): number | undefined =>
  a.grid === undefined || b.grid === undefined ? undefined : Math.max(a.grid, b.grid)

export const sum = (a: Tracked, b: Tracked, node: Node): Tracked =>
  tracked(node, a.bound + b.bound, both(a, b), a.error + b.error)

/** Sums of `terms` products. */
export function product(a: Tracked, b: Tracked, node: Node, terms = 1): Tracked {
  const grid = a.grid === undefined || b.grid === undefined ? undefined : a.grid + b.grid
  const each = a.error * b.bound + b.error * a.bound
  const bound = a.bound * b.bound * terms
  return tracked(node, bound, grid, terms * each + 4 * epsilon * bound)
}

/** Sums of `terms` elements. */
export const total = (x: Tracked, node: Node, terms: number): Tracked =>
  tracked(node, x.bound * Math.max(terms, 1), x.grid, terms * x.error + 4 * epsilon * x.bound * terms)

/** Either of two: selections, maxima, concatenations. */
export const either = (a: Tracked, b: Tracked, node: Node): Tracked => ({
  node,
  bound: Math.max(a.bound, b.bound),
  grid: node.dtype === 'float32' ? both(a, b) : 0,
  error: Math.max(a.error, b.error),
})

/** Brings large values back into [-8, 8], where further operations stay meaningful; grids survive. */
export function tame(x: Tracked): Tracked {
  if (x.node.dtype !== 'float32' || x.bound <= 64) return x
  const low = build.constant(-8)
  const node = build.binary('max', build.binary('min', x.node, build.constant(8)), low)
  return { ...x, node, bound: 8 }
}
