import { type Affine, type Kernel, type MatrixOperand, mapLeaves } from '@tessella/compiler'
import type { Dims } from '@tessella/ir'
import { mostRows, registersFor } from './blocks.ts'
import { type Split, splitEvenly } from './split.ts'

export type MatmulKernel = Extract<Kernel, { kind: 'matmul' }>

/** One operand seen from the result: strides in elements along K, its own result dimension, and the batch. */
export interface Side {
  readonly buffer: number
  readonly offset: number
  readonly batch: Dims
  readonly k: number
  /** Stride along rows (splat side) or lanes (vector side). */
  readonly own: number
}

/** A product with its roles decided: `rows` of the splat operand times `lanes` of the vector operand. */
export interface Plan {
  readonly batch: Dims
  readonly k: number
  readonly rows: number
  readonly lanes: number
  readonly splat: Side
  readonly vector: Side
  readonly rowDimension: number
  readonly laneDimension: number
  readonly rank: number
  readonly rowSplit: Split
  /** Vectors per tile, and per register. */
  readonly width: number
  readonly unit: 1 | 2
  readonly packed: boolean
  /** The last pair of vectors overlaps the one before it, so that it is whole: its results are stored twice. */
  readonly overlap: boolean
  /** Both operands are contiguous along K and there are few rows: dot products need no packing. */
  readonly dots: boolean
  /** Whether each row tile is copied to [K][rows] first. */
  readonly tiled: boolean
}

/** With more rows than this, packing the vector operand once costs less than adding up lanes everywhere. */
const mostDotRows = 12

/**
 * Rows of all matrices of a batch dimension become rows of one matrix, where the right operand is the same for them.
 * The dimension stays, with size 1: its index is always 0, and rows count through.
 */
export function mergedRows(kernel: MatmulKernel, forms: readonly Affine[]): MatmulKernel {
  const { domain, a, b } = kernel
  const sizes = [...domain]
  const row = domain.length - 2
  for (let d = row - 1; d >= 0; d--) {
    const rows = sizes[row] as number
    const even = a.batchStrides[d] === rows * a.rowStride && b.batchStrides[d] === 0
    if (!even || forms.some(({ strides }) => strides[d] !== rows * (strides[row] as number))) break
    sizes[row] = rows * (sizes[d] as number)
    sizes[d] = 1
  }
  return { ...kernel, domain: sizes }
}

/** The same numbers as b^T a^T. */
export function transposed(kernel: MatmulKernel): MatmulKernel {
  const turn = <T>(list: readonly T[]): T[] => [...list.slice(0, -2), list.at(-1) as T, list.at(-2) as T]
  const side = (o: MatrixOperand): MatrixOperand => ({ ...o, rowStride: o.colStride, colStride: o.rowStride })
  const moved = (at: Affine): Affine => ({ ...at, strides: turn(at.strides) })
  const move = mapLeaves((leaf) => ({ ...leaf, at: moved(leaf.at) }))
  return {
    ...kernel,
    domain: turn(kernel.domain),
    a: side(kernel.b),
    b: side(kernel.a),
    writes: kernel.writes.map((w) => ({ ...w, at: moved(w.at), value: move(w.value) })),
  }
}

/** What the epilogue prefers, by domain dimension. */
export interface Preferences {
  /** Whether lanes along it may be merged (see {@link Registers}). */
  mergeable(dimension: number): boolean
  /** Loads and stores whose elements are apart when lanes run along it. */
  apart(dimension: number): number
  /** Whether results may be stored twice. */
  readonly repeatable: boolean
}

/**
 * Whether lanes run along M instead of N: by about how many cycles the products, packing the vector operand, and an
 * epilogue that goes from lane to lane take.
 */
function isSwapped({ domain, k, a, b }: MatmulKernel, { apart, mergeable }: Preferences): boolean {
  const row = domain.length - 2
  const m = domain[row] as number
  const n = domain[row + 1] as number
  const dots = a.colStride === 1 && b.rowStride === 1 && a.rowStride !== 1 && b.colStride !== 1
  if (dots && Math.min(m, n) <= mostDotRows) return n < m
  const cost = (rows: number, lanes: number, contiguous: boolean, dimension: number): number =>
    (Math.ceil(lanes / 4) * rows * k) / (mergeable(dimension) ? 4 : 2) +
    (contiguous ? 0 : k * lanes) +
    apart(dimension) * rows * lanes
  return cost(n, m, a.rowStride === 1, row) < cost(m, n, b.colStride === 1, row + 1)
}

export function planOf(kernel: MatmulKernel, preferences: Preferences): Plan {
  const { domain, k, a, b } = kernel
  const rank = domain.length
  const m = domain[rank - 2] as number
  const n = domain[rank - 1] as number
  const left = (o: MatrixOperand): Side => ({ ...common(o), k: o.colStride, own: o.rowStride })
  const right = (o: MatrixOperand): Side => ({ ...common(o), k: o.rowStride, own: o.colStride })
  const swapped = isSwapped(kernel, preferences)
  const [rows, lanes] = swapped ? [n, m] : [m, n]
  const vector = swapped ? left(a) : right(b)
  const rowSplit = splitEvenly(rows, mostRows)
  const tallest = rowSplit.large > 0 ? rowSplit.small + 1 : rowSplit.small
  const splat = swapped ? right(b) : left(a)
  const laneDimension = swapped ? rank - 2 : rank - 1
  const { unit, columns } = registersFor(tallest, preferences.mergeable(laneDimension))
  const dots = vector.k === 1 && vector.own !== 1 && splat.k === 1 && k >= 8 && rows <= mostDotRows
  return {
    batch: domain.slice(0, -2),
    k,
    rows,
    lanes,
    splat,
    vector,
    rowDimension: swapped ? rank - 1 : rank - 2,
    laneDimension,
    rank,
    rowSplit,
    width: lanes <= 4 ? 1 : Math.min(unit * columns, unit * Math.ceil(lanes / (4 * unit))),
    unit,
    overlap: unit === 2 && lanes > 8 && lanes % 8 !== 0 && preferences.repeatable,
    dots,
    packed: !dots && lanes > 1 && (vector.own !== 1 || packPays(vector.k * 4, k, rows)),
    // A cache line per step of K, for a few floats of it, is only worth it when it is read once or twice.
    tiled: !dots && splat.own === 1 && splat.k >= 16 && lanes >= 32,
  }
}

/** Rows of the vector operand that are far apart come slowly: many rows of the other operand pay for packing them. */
const packPays = (stride: number, k: number, rows: number): boolean =>
  (stride % 4096 === 0 && rows >= 48) || (stride * k > 512 * 1024 && rows >= 128)

const common = ({ buffer, offset, batchStrides }: MatrixOperand) => ({ buffer, offset, batch: batchStrides })
