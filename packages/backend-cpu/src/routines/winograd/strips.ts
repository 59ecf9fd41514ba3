import type { FunctionBuilder, Local } from '../../wasm/assembler.ts'
import { addScaled } from '../epilogue.ts'
import { limit } from '../split.ts'
import { oddLines } from './area.ts'
import { paddedChannels } from './channels.ts'
import { type Correlation, tilesOf } from './choice.ts'
import type { TileLayout } from './patches.ts'
import type { Scheme } from './scheme.ts'

/**
 * Tiles that are transformed and multiplied together. Few and large strips read the transformed weights less often, and
 * memory in long runs; what they take themselves still fits a third-level cache.
 */
const [fewestTiles, mostTiles] = [48, 200]
const stripBytes = 4 * 1024 * 1024
/** Transformed weights of this many bytes are read again for one more tile of a strip, if there are to be many strips. */
const tileWeightBytes = 128 * 1024
const leastTiles = 16

/** Rows of tiles of all images, a few at a time. */
export interface Strips {
  /** Rows of tiles of an image, and tiles of a row. */
  readonly height: number
  readonly width: number
  /** Rows of tiles of all images. */
  readonly total: number
  /** Rows of tiles of a strip. */
  readonly rows: number
  /** Tiles of a strip. */
  readonly tiles: number
}

/** Strips of which there are `parts` at least, if there are as many rows of tiles. */
export function stripsOf({ n, rows: results, channels, y, x }: Correlation, scheme: Scheme, parts: number): Strips {
  const [height, width] = [tilesOf(y, scheme), tilesOf(x, scheme)]
  const total = n * height
  const fitting = Math.floor(stripBytes / (4 * scheme.products * (results + channels)))
  const wanted = Math.max(fewestTiles, Math.min(mostTiles, fitting))
  const worth = (4 * scheme.products * results * channels) / tileWeightBytes
  const least = Math.max(leastTiles, Math.min(fewestTiles, worth))
  const most = Math.max(
    1,
    Math.min(Math.round(wanted / width), Math.ceil(Math.max(total / parts, least / width)), total),
  )
  // Strips of one size, and a few of them in even numbers, suit two threads.
  const few = Math.ceil(total / most)
  const count = few > 1 && few < parts ? few + (few % 2) : few
  const rows = Math.ceil(total / count)
  return { height, width, total, rows, tiles: rows * width }
}

/** Bytes between tiles: not such that the same channels of all tiles share a few sets of the first-level cache. */
export function layoutOf(channels: number, tiles: number): TileLayout {
  const bytes = 4 * paddedChannels(channels)
  const tileBytes = bytes % 512 === 0 ? bytes + 64 : bytes
  return { tileBytes, planeBytes: oddLines(tiles * tileBytes) }
}

/** Goes over the strips from `strip` on: `body` gets the rows of tiles [first, last) of each. */
export function forStrips(
  f: FunctionBuilder,
  { rows, total }: Strips,
  strip: Local,
  end: Local,
  body: (first: Local, last: Local) => void,
): void {
  const [first, last] = [f.local('i32'), f.local('i32')]
  f.whileBelow(strip, end, 1, () => {
    f.i32(0)
    addScaled(f, strip, rows)
    f.tee(first)
    f.i32(rows)
    f.op('i32.add')
    f.set(last)
    limit(f, last, total)
    body(first, last)
  })
}

/** Rows of tiles of one image: from `row` to `end`, which are the strip's from `number` on. */
export interface Run {
  readonly image: Local
  readonly row: Local
  readonly end: Local
  readonly number: Local
}

/** Calls `body` for each image of which the rows of tiles [first, end) take some. */
export function forRuns(
  f: FunctionBuilder,
  { height }: Strips,
  first: Local,
  end: Local,
  body: (run: Run) => void,
): void {
  const run = { image: f.local('i32'), row: f.local('i32'), end: f.local('i32'), number: f.local('i32') }
  const at = f.local('i32')
  f.get(first)
  f.set(at)
  f.whileBelow(at, end, 0, () => {
    f.get(at)
    f.get(first)
    f.op('i32.sub')
    f.set(run.number)
    f.get(at)
    f.i32(height)
    f.op('i32.div_u')
    f.set(run.image)
    f.get(at)
    f.i32(height)
    f.op('i32.rem_u')
    f.set(run.row)
    f.get(run.row)
    f.get(end)
    f.get(at)
    f.op('i32.sub')
    f.op('i32.add')
    f.set(run.end)
    limit(f, run.end, height)
    f.get(at)
    f.get(run.end)
    f.op('i32.add')
    f.get(run.row)
    f.op('i32.sub')
    f.set(at)
    body(run)
  })
  for (const local of [...Object.values(run), at]) f.release(local)
}
