import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { mostRows } from './blocks.ts'
import { callByHeight, forUnits, pushOperand, rowOf } from './calls.ts'
import { addScaled, type Epilogue } from './epilogue.ts'
import { blocksOf, tileStep } from './matmulColumns.ts'
import { matrixBytes, ownBatch, scratchBytes } from './matmulPacking.ts'
import type { Plan } from './matmulPlan.ts'
import { SumsOfPieces } from './matmulSums.ts'
import { unitsOf } from './matmulUnits.ts'
import { emitTilePack } from './pack.ts'
import type { Sink } from './sink.ts'
import { rangeOf, releaseIndices, takeDigit, takeIndices } from './split.ts'
import { type Block, emitTiles } from './tile.ts'
import { workspace } from './workspace.ts'

interface ByHeight {
  readonly large: FunctionRef | undefined
  readonly small: FunctionRef | undefined
}

/** The code for one piece of K, or for all pieces but the first and the last. */
interface Piece {
  readonly sink: Sink
  /** Whether the epilogue's running addresses are arguments, behind those of the sums. */
  readonly ends: boolean
  readonly gather: ByHeight | undefined
  readonly strip: ByHeight | undefined
  /** What is left of the lanes after whole strips. */
  readonly rest: ByHeight | undefined
}

/** Units: see `Units`, of each matrix of the batch. */
export function multiplication(context: KernelContext, plan: Plan, epilogue: Epilogue): KernelCode {
  const { batch, k, splat, vector, rowSplit, packed, tiled, rows, lanes, width } = plan
  const units = unitsOf(plan)
  const { blocks, rowTiles, strips, tiles, parts, perPart, pieces, size } = units
  const perTile = 4 * width
  const stripLanes = tiles * perTile
  const restLanes = lanes - strips * stripLanes
  const tileBytes = size * mostRows * 4
  const gathered = tiled ? rowTiles * tileBytes : 0
  // A row of sums has room for vectors that overlap (see `SumsOfPieces`), and is not a multiple of a page.
  const sumRow = 4 * (perPart * stripLanes + Math.max(restLanes, perTile)) + 64
  const { shared, own } = workspace(
    context,
    packed ? scratchBytes(plan) : 0,
    gathered + (pieces > 1 ? rowTiles * mostRows * sumRow : 0),
  )

  const byHeight = (make: (height: number) => FunctionRef): ByHeight => ({
    large: rowSplit.large > 0 ? make(rowSplit.small + 1) : undefined,
    small: rowSplit.large < rowSplit.pieces ? make(rowSplit.small) : undefined,
  })
  const piece = (length: number, sink: Sink, ends: boolean): Piece => {
    const over = (list: readonly Block[]): ByHeight | undefined =>
      list.length === 0
        ? undefined
        : byHeight((height) =>
            emitTiles(context, sink, {
              rows: height,
              rowStep: tiled ? 4 : splat.own * 4,
              rowDimension: plan.rowDimension,
              laneDimension: plan.laneDimension,
              loops: [
                {
                  count: length,
                  splat: tiled ? height * 4 : splat.k * 4,
                  vector: packed ? 16 * width : vector.k * 4,
                },
              ],
              taps: length > 0 ? [{ splat: 0, vector: 0 }] : [],
              blocks: list,
            }),
          )
    return {
      sink,
      ends,
      gather: tiled ? byHeight((height) => emitTilePack(context, length, splat.k * 4, height)) : undefined,
      strip: strips > 0 ? over(blocksOf(plan, tiles, 0)) : undefined,
      rest: over(blocksOf(plan, Math.floor(restLanes / perTile), restLanes % perTile)),
    }
  }
  const steps = new Array<number>(plan.rank).fill(0)
  steps[plan.rowDimension] = sumRow
  steps[plan.laneDimension] = 4
  const first = pieces === 1 ? piece(k, epilogue, true) : piece(size, new SumsOfPieces(steps, false), false)
  const middle = pieces > 2 ? piece(size, new SumsOfPieces(steps, true), false) : undefined
  const last = pieces > 1 ? piece(units.last, new SumsOfPieces(steps, true, epilogue), true) : undefined

  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const matrix = f.local('i32')
    forUnits(f, begin as Local, end as Local, (unit) => {
      const block = takeDigit(f, unit, blocks)
      const part = takeDigit(f, unit, parts)
      const indices = takeIndices(f, unit, batch)
      if (packed) {
        shared(f)
        const sizes = ownBatch(plan)
        for (const [d, index] of indices.entries())
          if (vector.batch[d] !== 0) addScaled(f, index, matrixBytes(plan) * sizeOf(sizes.slice(d + 1)))
      } else pushOperand(f, context, vector, indices)
      f.set(matrix)
      /** Runs the body for the unit's row tiles: their numbers in the unit and in the matrix, and their first rows. */
      const eachRowTile = (body: (i: Local | number, tile: Local | number, row: Local | number) => void): void => {
        if (rowTiles === 1) {
          const row = rowOf(f, rowSplit, block)
          body(0, block, row)
          releaseIndices(f, row === block ? [] : [row])
          return
        }
        const i = f.local('i32')
        const tile = f.local('i32')
        f.i32(0)
        f.tee(i)
        addScaled(f, block, rowTiles)
        f.set(tile)
        f.loop((again) => {
          const row = rowOf(f, rowSplit, tile)
          body(i, tile, row)
          releaseIndices(f, [row])
          f.bump(tile, 1)
          f.bump(i, 1)
          f.push(i, rowTiles, 'i32.lt_u', tile, rowSplit.pieces, 'i32.lt_u', 'i32.and')
          f.brIf(again)
        })
        f.release(i)
        f.release(tile)
      }
      /** All of the unit, for the piece of K that starts at `start`. */
      const run = ({ sink, ends, gather, strip, rest }: Piece, start: Local | number): void => {
        const pushRows = (row: Local | number): void => {
          pushOperand(f, context, splat, indices)
          addScaled(f, row, splat.own * 4)
          addScaled(f, start, splat.k * 4)
        }
        if (gather)
          eachRowTile((i, tile, row) => {
            pushRows(row)
            own(f)
            addScaled(f, i, tileBytes)
            callByHeight(f, 2, tile, rowSplit, gather)
          })
        const go = (callees: ByHeight, strip: Local | number): void => {
          const lane = f.local('i32')
          f.i32(0)
          addScaled(f, strip, stripLanes)
          f.set(lane)
          eachRowTile((i, tile, row) => {
            if (gather) {
              own(f)
              addScaled(f, i, tileBytes)
            } else pushRows(row)
            f.get(matrix)
            addScaled(f, strip, tiles * tileStep(plan))
            addScaled(f, start, packed ? 16 * width : vector.k * 4)
            if (pieces > 1) {
              own(f)
              addScaled(f, 1, gathered)
              addScaled(f, i, mostRows * sumRow)
              addScaled(f, lane, 4)
              addScaled(f, part, -4 * perPart * stripLanes)
            }
            const point: (Local | number)[] = [...indices, 0, 0]
            point[plan.rowDimension] = row
            point[plan.laneDimension] = strip === 0 ? 0 : lane
            if (ends) epilogue.pushBases(f, point)
            callByHeight(f, 2 + sink.params.length, tile, rowSplit, callees)
          })
          f.release(lane)
        }
        if (strip) eachStrip(f, part, units, (number) => go(strip, number))
        if (!rest) return
        if (parts === 1) go(rest, strips)
        else {
          f.push(part as Local, parts - 1, 'i32.eq')
          f.if(() => go(rest, strips))
        }
      }
      run(first, 0)
      const start = f.local('i32')
      if (middle) {
        f.i32(size)
        f.set(start)
        f.doWhileBelow(start, size * (pieces - 1), size, () => run(middle, start))
      }
      if (last) run(last, size * (pieces - 1))
      f.release(start)
      releaseIndices(f, [block, part, ...indices])
    })
  })
  const work = (rows / blocks) * (lanes / parts) * (k / 8 + 1)
  return { f, units: blocks * parts * sizeOf(batch), grain: grainFor(work) }
}

/** Runs the body for the numbers of the whole strips of a part. */
function eachStrip(
  f: FunctionBuilder,
  part: Local | number,
  { strips, parts, perPart }: { readonly strips: number; readonly parts: number; readonly perPart: number },
  body: (strip: Local) => void,
): void {
  if (parts === 1) {
    f.times(strips, body)
    return
  }
  const strip = f.local('i32')
  const end = f.local('i32')
  rangeOf(f, part, perPart, strips, [strip, end])
  f.whileBelow(strip, end, 1, () => body(strip))
  f.release(strip)
  f.release(end)
}
