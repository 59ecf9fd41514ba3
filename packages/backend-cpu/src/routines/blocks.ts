import type { Dims } from '@tessella/ir'
import type { Block, Column } from './tile.ts'
import { dimensionOf } from './window.ts'

/** Most rows of a register tile: 6 x 2 accumulators, 2 vectors and a splat are V8's 15 vector registers. */
export const mostRows = 6

/** Most accumulators per row by the number of rows, for 8 to 12 in all. */
const columnsByRows = [12, 12, 6, 3, 2, 2, 2] as const

/**
 * How vectors share registers. An engine that merges neighbours (V8 with `--experimental-wasm-revectorize`) keeps two
 * in one register; then tiles must not need more than 15 registers either way, because it loses halves of spilled ones.
 */
export interface Registers {
  /** Vectors of four floats per register. */
  readonly unit: 1 | 2
  /** Registers that a row of a tile may take. */
  readonly columns: number
}

export function registersFor(rows: number, wide: boolean): Registers {
  return { unit: wide ? 2 : 1, columns: columnsByRows[rows] as number }
}

/** Positions [z, y, x] that tiles cover; vectors run along x. */
export interface Positions {
  readonly output: Dims
  /** Bytes of the vector operand per step along z and y; 4 along x. */
  readonly outputStep: readonly [z: number, y: number]
  readonly spatial: number
  /**
   * The last vector of a row overlaps the one before it, so that it need not end outside (rows shorter than a vector
   * have elements after them); or it reads its own elements only and zeros after them.
   */
  readonly tail: 'overlap' | 'exact'
  readonly wide: boolean
}

/** Tiles over the output positions: as many vectors of as many rows at once as there are registers. */
export function positionBlocks(c: Positions, rows: number): Block[] {
  const [depth = 1, height = 1, width = 1] = c.output
  const [zStep, yStep] = c.outputStep
  const rank = 2 + c.spatial
  const [zDim, yDim, xDim] = [0, 1, 2].map((axis) => dimensionOf(axis, c.spatial)) as [number, number, number]
  const full = Math.floor(width / 4)
  const { unit, columns } = registersFor(rows, c.wide)
  const pairs = Math.floor(full / unit)
  // Without merging, the rest of a row can be in a tile with whole vectors.
  const rest = Math.ceil(width / 4) - pairs * unit
  const shape = tileShape(rows, columns, height, c.wide ? pairs : pairs + rest)
  const column = (y: number, v: number): Column => {
    const partial = v >= full
    const lanes = partial ? width - 4 * full : 4
    const overlap = partial && c.tail === 'overlap'
    const x = overlap ? Math.max(0, width - 4) : 4 * v
    const shifts = new Array<number>(rank).fill(0)
    shifts[xDim] = x
    if (y > 0) shifts[yDim] = y
    const first = overlap && width >= 4 ? 4 - lanes : 0
    return { offset: y * yStep + 4 * x, shifts, first, lanes, readable: overlap ? 4 : lanes }
  }
  const tile = (y: number, ty: number, v: number, tx: number): Block => ({
    columns: Array.from({ length: ty * tx }, (_, i) => column(y + Math.floor(i / tx), v + (i % tx))),
  })
  const strip = (y: number, ty: number): Block[] => {
    const tx = shape.tx * unit
    const count = Math.floor((pairs * unit) / tx)
    const blocks: Block[] = []
    if (count > 0) blocks.push({ count, step: 16 * tx, dimension: xDim, amount: 4 * tx, body: [tile(y, ty, 0, tx)] })
    const left = pairs * unit - count * tx
    if (!c.wide) {
      if (left + rest > 0) blocks.push(tile(y, ty, count * tx, left + rest))
      return blocks
    }
    if (left > 0) blocks.push(tile(y, ty, count * tx, left))
    const rowsAtOnce = Math.max(1, Math.floor(columns / rest))
    for (let i = 0; i < ty && rest > 0; i += rowsAtOnce)
      blocks.push(tile(y + i, Math.min(rowsAtOnce, ty - i), pairs * unit, rest))
    return blocks
  }
  const { ty } = shape
  const strips = Math.floor(height / ty)
  const body: Block[] = [{ count: strips, step: ty * yStep, dimension: yDim, amount: ty, body: strip(0, ty) }]
  if (height % ty > 0) body.push(...strip(strips * ty, height % ty))
  return [{ count: depth, step: zStep, dimension: zDim, amount: 1, body }]
}

/** Rows and registers of a tile of output positions, for the fewest multiply-adds and loads. */
function tileShape(rows: number, most: number, height: number, vectors: number): { ty: number; tx: number } {
  if (vectors === 0) return { ty: Math.min(height, most), tx: 1 }
  let best = { ty: 1, tx: Math.min(most, vectors) }
  let least = Number.POSITIVE_INFINITY
  /** Fewer than 8 accumulators wait for each other. */
  const cost = (columns: number): number => (columns === 0 ? 0 : Math.max(8, rows * columns) + 0.5 * (rows + columns))
  for (let tx = Math.min(most, vectors); tx >= 1; tx--) {
    const ty = Math.min(height, Math.floor(most / tx))
    const strip = (t: number): number => Math.floor(vectors / tx) * cost(t * tx) + cost(t * (vectors % tx))
    const total = Math.floor(height / ty) * strip(ty) + strip(height % ty)
    if (total < least) {
      least = total
      best = { ty, tx }
    }
  }
  return best
}
