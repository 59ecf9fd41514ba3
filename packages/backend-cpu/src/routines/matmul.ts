import { type Dims, sizeOf, stridesOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import { weightOf } from '../kernels/weight.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { mostRows } from './blocks.ts'
import { callByHeight, forUnits, pushOperand, rowOf } from './calls.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitFinish } from './finish.ts'
import { emitDotProducts } from './matmulDots.ts'
import { type MatmulKernel, mergedRows, type Plan, planOf, transposed } from './matmulPlan.ts'
import { emitThinProduct, isThin } from './matmulThin.ts'
import { emitPack, emitTilePack } from './pack.ts'
import { releaseIndices, takeDigit, takeIndices } from './split.ts'
import { type Block, type Column, emitTiles } from './tile.ts'
import { aligned, workspace } from './workspace.ts'

export function emitMatmul(context: KernelContext, kernel: MatmulKernel): readonly KernelCode[] {
  if (sizeOf(kernel.domain) === 0) return []
  const weight = weightOf(kernel.writes.map((w) => w.value))
  const epilogue = new Epilogue(context, kernel.writes)
  const thin = emitThin(context, kernel, epilogue)
  if (thin) return thin
  if (weight <= mostWeight || kernel.dtype !== 'float32') return emitProduct(context, kernel, epilogue)
  const columns = kernel.domain.length - 1
  // The finish goes along rows: those of the transposed product where the epilogue's elements lie that way.
  const turn = epilogue.apart(columns) > epilogue.apart(columns - 1)
  return withFinish(context, turn ? transposed(kernel) : kernel)
}

/** A product of a few rows, with its lanes along the last dimension. */
function emitThin(context: KernelContext, kernel: MatmulKernel, epilogue: Epilogue): readonly KernelCode[] | undefined {
  const plan = planFor(context, kernel, epilogue)
  if (!isThin(kernel, plan)) return undefined
  if (plan.laneDimension === plan.rank - 1) return emitThinProduct(context, kernel, plan)
  const turned = transposed(kernel)
  const other = planFor(context, turned, new Epilogue(context, turned.writes))
  return isThin(turned, other) && other.laneDimension === other.rank - 1
    ? emitThinProduct(context, turned, other)
    : undefined
}

/**
 * Epilogues heavier than this (an Adam update, GELU) run apart, over results that lie in scratch memory: beside the
 * accumulators of a tile they would not find enough registers. An update by SGD weighs 5.
 */
const mostWeight = 12

function withFinish(context: KernelContext, kernel: MatmulKernel): readonly KernelCode[] {
  const { domain } = kernel
  const results = -1
  const storing = (offset: number): MatmulKernel => ({
    ...kernel,
    writes: [
      {
        buffer: results,
        at: { offset: offset / 4, strides: stridesOf(domain) },
        value: { kind: 'result', dtype: 'float32', index: 0 },
      },
    ],
  })
  const inside = (bytes: number): KernelContext => ({
    ...context,
    dtypeOf: (buffer) => (buffer === results ? 'float32' : context.dtypeOf(buffer)),
    slot: (buffer) => (buffer === results ? context.scratch(bytes) : context.slot(buffer)),
  })
  const first = storing(0)
  const plan = planFor(context, first, new Epilogue(inside(0), first.writes))
  // Behind the panels, and with room for reading a whole vector at the end.
  const panels = plan.packed ? aligned(scratchBytes(plan)) : 0
  const bytes = panels + 4 * sizeOf(domain) + 16
  const product = storing(panels)
  const within = inside(bytes)
  const { shared } = workspace(context, bytes, 0)
  const address = (f: FunctionBuilder): void => {
    shared(f)
    addScaled(f, 1, panels)
  }
  return [
    ...emitProduct(within, product, new Epilogue(within, product.writes)),
    emitFinish(context, new Epilogue(context, kernel.writes), domain, { address, copies: 1, copyBytes: 0 }),
  ]
}

function planFor(context: KernelContext, kernel: MatmulKernel, epilogue: Epilogue): Plan {
  const wide = context.features.wide === true
  return planOf(mergedRows(kernel, epilogue.forms), {
    mergeable: (dimension) => wide && epilogue.mergeable(dimension),
    apart: (dimension) => epilogue.apart(dimension),
    repeatable: epilogue.repeatable,
  })
}

function emitProduct(context: KernelContext, kernel: MatmulKernel, epilogue: Epilogue): readonly KernelCode[] {
  const plan = planFor(context, kernel, epilogue)
  if (plan.dots) return [emitDotProducts(context, plan, epilogue)]
  const codes: KernelCode[] = []
  if (plan.packed) codes.push(packing(context, plan))
  codes.push(multiplication(context, plan, epilogue))
  return codes
}

const panelBytes = ({ k, width }: Plan): number => k * width * 16
const panelsOf = ({ lanes, width }: Plan): number => Math.ceil(lanes / (4 * width))
const matrixBytes = (plan: Plan): number => panelBytes(plan) * panelsOf(plan)

/** The batch dimensions along which the vector operand changes. */
const ownBatch = ({ batch, vector }: Plan): Dims => batch.map((n, d) => (vector.batch[d] === 0 ? 1 : n))

function scratchBytes(plan: Plan): number {
  return matrixBytes(plan) * sizeOf(ownBatch(plan))
}

/** Lanes that are packed at once: half a cache line or a quarter of each row of the panel. */
const packedLanes = ({ width }: Plan): number => (width % 2 === 0 ? 8 : 4)

/** Units: groups of lanes of every matrix. */
function packing(context: KernelContext, plan: Plan): KernelCode {
  const { k, lanes, vector, width } = plan
  const together = packedLanes(plan)
  const groups = Math.ceil(lanes / together)
  const pack = (count: number): FunctionRef =>
    emitPack(context, {
      k,
      kStride: vector.k * 4,
      laneStride: vector.own * 4,
      lanes: count,
      panelStride: width * 16,
    })
  const full = lanes >= together ? pack(together) : undefined
  const rest = lanes % together > 0 && !plan.overlap ? pack(lanes % together) : undefined
  const { shared } = workspace(context, scratchBytes(plan), 0)
  const sizes = ownBatch(plan)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    forUnits(f, begin as Local, end as Local, (unit) => {
      const group = takeDigit(f, unit, groups)
      const call = (callee: FunctionRef): void => {
        pushOperand(f, context, vector, indices)
        const first = plan.overlap ? firstLane(f, group as Local, together, lanes - together) : group
        addScaled(f, first, 4 * (plan.overlap ? 1 : together) * vector.own)
        releaseIndices(f, plan.overlap ? [first] : [])
        shared(f)
        addScaled(f, matrix, matrixBytes(plan))
        pushPanel(f, group, plan)
        f.call(callee)
      }
      const matrix = f.local('i32')
      f.get(unit)
      f.set(matrix)
      const indices = takeIndices(f, unit, sizes)
      if (full && rest) {
        f.get(group as Local)
        f.i32(groups - 1)
        f.op('i32.eq')
        f.if(
          () => call(rest),
          () => call(full),
        )
      } else call((full ?? rest) as FunctionRef)
      releaseIndices(f, [group, matrix, ...indices])
    })
  })
  return { f, units: groups * sizeOf(sizes), grain: grainFor(k * together) }
}

/** The first lane of a group of `together` lanes, the last of which starts early enough to be whole. */
function firstLane(f: FunctionBuilder, group: Local, together: number, last: number): Local {
  const lane = f.local('i32')
  f.get(group)
  f.i32(together)
  f.op('i32.mul')
  f.tee(lane)
  f.i32(last)
  f.get(lane)
  f.i32(last)
  f.op('i32.lt_u')
  f.select('i32')
  f.set(lane)
  return lane
}

/** Adds the place of a group of lanes in the panels to the address on the stack. */
function pushPanel(f: FunctionBuilder, group: Local | number, plan: Plan): void {
  if (group === 0 || typeof group === 'number') return
  const together = packedLanes(plan)
  const perPanel = (4 * plan.width) / together
  if (perPanel === 1) {
    addScaled(f, group, panelBytes(plan))
    return
  }
  const panel = f.local('i32')
  f.get(group)
  f.i32(perPanel)
  f.op('i32.div_u')
  f.set(panel)
  addScaled(f, panel, panelBytes(plan))
  f.get(group)
  f.i32(perPanel)
  f.op('i32.rem_u')
  f.i32(4 * together)
  f.op('i32.mul')
  f.op('i32.add')
  f.release(panel)
}

/** The columns of a tile of `lanes` lanes. */
function columnsOf(plan: Plan, lanes: number, startLane: number, startByte: number): Column[] {
  return Array.from({ length: Math.ceil(lanes / 4) }, (_, j) => {
    const count = Math.min(4, lanes - 4 * j)
    const shifts = Array.from({ length: plan.rank }, (_, d) => (d === plan.laneDimension ? startLane + 4 * j : 0))
    return { offset: startByte + 16 * j, shifts, first: 0, lanes: count, readable: plan.packed ? 4 : count }
  })
}

/** `full` tiles and then `rest` lanes, from the running point on. */
function blocksOf(plan: Plan, full: number, rest: number): Block[] {
  const perTile = 4 * plan.width
  const step = tileStep(plan)
  const blocks: Block[] = []
  if (full > 0) {
    const tile = { columns: columnsOf(plan, perTile, 0, 0) }
    blocks.push({ count: full, step, dimension: plan.laneDimension, amount: perTile, body: [tile] })
  }
  let left = rest
  let [lane, byte] = [full * perTile, full * step]
  if (plan.overlap && left > 0 && (plan.packed || lane + left >= 8)) {
    const columns = columnsOf(plan, Math.ceil(left / 8) * 8, lane, byte)
    const early = 4 * columns.length - left
    const moved = (c: Column): Column => ({ ...c, early, offset: plan.packed ? c.offset : c.offset - 4 * early })
    return [...blocks, { columns: columns.map((c, j) => (j < columns.length - 2 ? c : moved(c))) }]
  }
  if (plan.unit > 1 && left > 0) {
    // Pairs that can be merged, apart from the others: together they would need too many registers.
    const paired = left - (left % (4 * plan.unit))
    if (paired > 0) blocks.push({ columns: columnsOf(plan, paired, lane, byte) })
    left -= paired
    lane += paired
    byte += 4 * paired
  }
  if (left > 0) blocks.push({ columns: columnsOf(plan, left, lane, byte) })
  return blocks
}

/** Bytes from one tile of vectors to the next. */
const tileStep = (plan: Plan): number => (plan.packed ? panelBytes(plan) : 16 * plan.width)

/** What row tiles go over: vector tiles in strips that stay in the cache while a unit's row tiles use them. */
interface Strips {
  /** Strips of `tiles` whole tiles, then one with what is left. */
  readonly count: number
  readonly tiles: number
  readonly last: readonly Block[]
  /** Row tiles of a unit. */
  readonly rowTiles: number
}

/** Bytes of the vector operand, or of a unit's rows, that a second-level cache of 1 MiB keeps. */
const cachedBytes = 384 * 1024
const stripBytes = 128 * 1024
/** Units of a product that are worth more reads of the vector operand. */
const mostUnits = 16

function stripsOf(plan: Plan): Strips {
  const perTile = 4 * plan.width
  const full = Math.floor(plan.lanes / perTile)
  const rest = plan.lanes - full * perTile
  const bytes = plan.k * plan.width * 16
  const tiles = Math.max(1, Math.floor(stripBytes / Math.max(1, bytes)))
  const { pieces } = plan.rowSplit
  const fitting = Math.max(1, Math.min(16, Math.floor(cachedBytes / (plan.k * mostRows * 4))))
  // Threads share units, and every unit reads the vector operand: an even number, of four row tiles at least.
  const wanted = Math.min(Math.ceil(mostUnits / Math.max(1, sizeOf(plan.batch))), 2 * Math.floor(pieces / 8))
  const rowTiles = Math.ceil(pieces / Math.max(1, wanted, Math.ceil(pieces / fitting)))
  if (bytes * full <= cachedBytes || tiles >= full || rowTiles < 2)
    return { count: 0, tiles: 0, last: blocksOf(plan, full, rest), rowTiles: 1 }
  const count = Math.floor(full / tiles)
  return { count, tiles, last: blocksOf(plan, full - count * tiles, rest), rowTiles }
}

interface ByHeight {
  readonly large: FunctionRef | undefined
  readonly small: FunctionRef | undefined
}

/** Units: some row tiles of one matrix of the batch. */
function multiplication(context: KernelContext, plan: Plan, epilogue: Epilogue): KernelCode {
  const { batch, k, splat, vector, rowSplit, packed, tiled, rows, lanes } = plan
  const strips = stripsOf(plan)
  const tileBytes = k * mostRows * 4
  const panels = packed ? scratchBytes(plan) : 0
  const { shared, own } = workspace(context, panels, tiled ? strips.rowTiles * tileBytes : 0)
  const byHeight = (make: (height: number) => FunctionRef): ByHeight => ({
    large: rowSplit.large > 0 ? make(rowSplit.small + 1) : undefined,
    small: rowSplit.large < rowSplit.pieces ? make(rowSplit.small) : undefined,
  })
  const tiles = (blocks: readonly Block[]): ByHeight =>
    byHeight((height) =>
      emitTiles(context, epilogue, {
        rows: height,
        rowStep: tiled ? 4 : splat.own * 4,
        rowDimension: plan.rowDimension,
        laneDimension: plan.laneDimension,
        loops: [{ count: k, splat: tiled ? height * 4 : splat.k * 4, vector: packed ? 16 * plan.width : vector.k * 4 }],
        taps: k > 0 ? [{ splat: 0, vector: 0 }] : [],
        blocks,
      }),
    )
  const strip = strips.count > 0 ? tiles(blocksOf(plan, strips.tiles, 0)) : undefined
  const last = strips.last.length > 0 ? tiles(strips.last) : undefined
  const gather = tiled ? byHeight((height) => emitTilePack(context, k, splat.k * 4, height)) : undefined
  const blocks = Math.ceil(rowSplit.pieces / strips.rowTiles)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const matrix = f.local('i32')
    forUnits(f, begin as Local, end as Local, (unit) => {
      const block = takeDigit(f, unit, blocks)
      const indices = takeIndices(f, unit, batch)
      if (packed) {
        shared(f)
        const sizes = ownBatch(plan)
        for (const [d, index] of indices.entries())
          if (vector.batch[d] !== 0) addScaled(f, index, matrixBytes(plan) * sizeOf(sizes.slice(d + 1)))
      } else pushOperand(f, context, vector, indices)
      f.set(matrix)
      /** Runs the body for the unit's row tiles: their numbers in the unit and in the matrix, and their first rows. */
      const eachRowTile = (body: (i: Local | number, piece: Local | number, row: Local | number) => void): void => {
        if (strips.rowTiles === 1) {
          const row = rowOf(f, rowSplit, block)
          body(0, block, row)
          releaseIndices(f, row === block ? [] : [row])
          return
        }
        const i = f.local('i32')
        const piece = f.local('i32')
        f.i32(0)
        f.tee(i)
        addScaled(f, block, strips.rowTiles)
        f.set(piece)
        f.loop((again) => {
          const row = rowOf(f, rowSplit, piece)
          body(i, piece, row)
          releaseIndices(f, [row])
          f.bump(piece, 1)
          f.bump(i, 1)
          f.get(i)
          f.i32(strips.rowTiles)
          f.op('i32.lt_u')
          f.get(piece)
          f.i32(rowSplit.pieces)
          f.op('i32.lt_u')
          f.op('i32.and')
          f.brIf(again)
        })
        f.release(i)
        f.release(piece)
      }
      const pushRows = (row: Local | number): void => {
        pushOperand(f, context, splat, indices)
        addScaled(f, row, splat.own * 4)
      }
      if (gather)
        eachRowTile((i, piece, row) => {
          pushRows(row)
          own(f)
          addScaled(f, i, tileBytes)
          callByHeight(f, 2, piece, rowSplit, gather)
        })
      const go = (callees: ByHeight, number: Local | number): void => {
        const lane = f.local('i32')
        f.i32(0)
        addScaled(f, number, strips.tiles * 4 * plan.width)
        f.set(lane)
        eachRowTile((i, piece, row) => {
          if (gather) {
            own(f)
            addScaled(f, i, tileBytes)
          } else pushRows(row)
          f.get(matrix)
          addScaled(f, number, strips.tiles * tileStep(plan))
          const point: (Local | number)[] = [...indices, 0, 0]
          point[plan.rowDimension] = row
          point[plan.laneDimension] = number === 0 ? 0 : lane
          epilogue.pushBases(f, point)
          callByHeight(f, 2 + epilogue.params.length, piece, rowSplit, callees)
        })
        f.release(lane)
      }
      if (strip) f.times(strips.count, (number) => go(strip, number))
      if (last) go(last, strips.count)
      releaseIndices(f, [block, ...indices])
    })
  })
  const work = (rows / blocks) * lanes * (k / 8 + 1)
  return { f, units: blocks * sizeOf(batch), grain: grainFor(work) }
}
