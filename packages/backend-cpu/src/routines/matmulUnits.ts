import { sizeOf } from '@tessella/ir'
import { mostRows } from './blocks.ts'
import type { Plan } from './matmulPlan.ts'

/**
 * How a product is cut. A unit is a block of row tiles times a part of the lanes, and goes over all of K. Strips are what
 * row tiles go over: vector tiles that stay in the cache while the row tiles of a unit use them.
 */
export interface Units {
  /** Blocks of at most `rowTiles` row tiles. */
  readonly blocks: number
  readonly rowTiles: number
  /** Whole strips, of `tiles` vector tiles each; what is left of the lanes comes after them. */
  readonly strips: number
  readonly tiles: number
  /** Parts of at most `perPart` strips; the last one has what is left of the lanes too. */
  readonly parts: number
  readonly perPart: number
  /** K goes in pieces of `size`, the last of `last`, with sums in memory in between. */
  readonly pieces: number
  readonly size: number
  readonly last: number
}

/** Bytes of the vector operand, or of a unit's rows, that a second-level cache of 1 MiB keeps. */
const cachedBytes = 384 * 1024
/** The same for rows beside a vector operand that is not packed: more lines come with its own than are asked for. */
const unpackedBytes = 144 * 1024
const stripBytes = 128 * 1024
/** Smaller units balance threads no better. */
const fewestRowTiles = 6
/** Shorter pieces of K move the sums too often; with longer ones fewer rows fit, and tiles are slower. */
const pieceLength = 512

/** The cut whose moves between the second-level caches and what lies behind them, and idle threads, cost the least. */
export function unitsOf(plan: Plan): Units {
  const { k, lanes, width, rowSplit } = plan
  const full = Math.floor(lanes / (4 * width))
  const tileBytes = k * width * 16
  if (tileBytes * full <= cachedBytes || stripTiles(tileBytes) >= full) {
    const one = { rowTiles: 1, strips: 0, tiles: 0, parts: 1, perPart: 0, pieces: 1 }
    return { ...one, blocks: rowSplit.pieces, size: k, last: k }
  }
  const cost = (cut: Units): number => movedBytes(plan, cut) + idleBytes(plan, cut)
  return cutsOf(plan, full).reduce((best, cut) => (cost(cut) < cost(best) ? cut : best))
}

function cutsOf({ k, width, packed, rowSplit }: Plan, full: number): Units[] {
  const cuts: Units[] = []
  const inPieces = packed ? Math.max(1, Math.round(k / pieceLength)) : 1
  for (const pieces of new Set([1, inPieces])) {
    const size = Math.ceil(k / pieces)
    const tiles = stripTiles(size * width * 16)
    const strips = Math.floor(full / tiles)
    const tallest = Math.min(fittingRowTiles(size, packed ? cachedBytes : unpackedBytes), rowSplit.pieces)
    // Pieces of K are there for taller blocks, so that the vector operand is read less often.
    const lowest = pieces > 1 ? fittingRowTiles(k, cachedBytes) + 1 : Math.min(tallest, fewestRowTiles)
    for (const most of halvings(tallest, lowest)) {
      const blocks = Math.ceil(rowSplit.pieces / most)
      const rowTiles = Math.ceil(rowSplit.pieces / blocks)
      for (const perPart of halvings(strips, 1)) {
        const parts = Math.ceil(strips / perPart)
        cuts.push({ blocks, rowTiles, strips, tiles, parts, perPart, pieces, size, last: k - (pieces - 1) * size })
      }
    }
  }
  return cuts
}

/** most, most / 2, ..., down to `least`. */
function halvings(most: number, least: number): number[] {
  const list: number[] = []
  for (let n = most; n >= least; n = n === 1 ? 0 : Math.ceil(n / 2)) list.push(n)
  return list
}

/** Row tiles whose operands stay in the cache. */
const fittingRowTiles = (length: number, bytes: number): number =>
  Math.max(1, Math.floor(bytes / (length * mostRows * 4)))
const stripTiles = (tileBytes: number): number => Math.max(1, Math.floor(stripBytes / Math.max(1, tileBytes)))

function movedBytes({ k, rows, lanes, width, tiled }: Plan, { blocks, parts, perPart, tiles, pieces }: Units): number {
  // Units of one part follow each other, so most of a small part of the vector operand is still there for the next one.
  const reads = perPart * tiles * k * width * 16 <= cachedBytes ? 1 + (blocks - 1) / 4 : blocks
  // Copies of row tiles read a line of the cache for six numbers; sums are read and written, and waited for.
  return 4 * (reads * k * lanes + (tiled ? 8 : 1) * parts * rows * k + 4 * (pieces - 1) * rows * lanes)
}

/** What two threads could have moved while one of them waits, for a unit maybe: a byte in the time of ten operations. */
function idleBytes({ k, rows, lanes, batch }: Plan, { blocks, parts }: Units): number {
  const units = blocks * parts * sizeOf(batch)
  return ((rows * lanes * k) / 5) * sizeOf(batch) * (Math.ceil(units / 2) / units - 0.5 + 1 / units)
}
