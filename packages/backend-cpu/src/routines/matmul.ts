import type { Kernel, MatrixOperand, Write } from '@tessella/compiler'
import { type Dims, sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { mostRows, widths } from './blocks.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitPack, emitTilePack } from './pack.ts'
import { releaseIndices, type Split, splitEvenly, takeDigit, takeIndices } from './split.ts'
import { type Block, type Column, emitTiles } from './tile.ts'

type MatmulKernel = Extract<Kernel, { kind: 'matmul' }>

/** One operand seen from the result: strides in elements along K, its own result dimension, and the batch. */
interface Side {
  readonly buffer: number
  readonly offset: number
  readonly batch: Dims
  readonly k: number
  /** Stride along rows (splat side) or lanes (vector side). */
  readonly own: number
}

/** A product with its roles decided: `rows` of the splat operand times `lanes` of the vector operand. */
interface Plan {
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
  /** Vectors per tile. */
  readonly width: number
  readonly packed: boolean
  /** Whether each row tile is copied to [K][rows] first. */
  readonly tiled: boolean
}

export function emitMatmul(context: KernelContext, kernel: MatmulKernel): readonly KernelCode[] {
  const { domain } = kernel
  if (sizeOf(domain) === 0) return []
  const plan = planOf(kernel)
  const codes: KernelCode[] = []
  if (plan.packed) codes.push(packing(context, plan))
  codes.push(multiplication(context, plan, kernel.writes))
  return codes
}

function planOf({ domain, k, a, b }: MatmulKernel): Plan {
  const rank = domain.length
  const m = domain[rank - 2] as number
  const n = domain[rank - 1] as number
  const left = (o: MatrixOperand): Side => ({ ...common(o), k: o.colStride, own: o.rowStride })
  const right = (o: MatrixOperand): Side => ({ ...common(o), k: o.rowStride, own: o.colStride })
  // Lanes run along N, unless only the left operand can be read as vectors.
  const swapped = n > 1 ? b.colStride !== 1 && a.rowStride === 1 && m >= 4 : m > 1
  const [rows, lanes] = swapped ? [n, m] : [m, n]
  const vector = swapped ? left(a) : right(b)
  const rowSplit = splitEvenly(rows, mostRows)
  const tallest = rowSplit.large > 0 ? rowSplit.small + 1 : rowSplit.small
  const splat = swapped ? right(b) : left(a)
  return {
    batch: domain.slice(0, -2),
    k,
    rows,
    lanes,
    splat,
    vector,
    rowDimension: swapped ? rank - 1 : rank - 2,
    laneDimension: swapped ? rank - 2 : rank - 1,
    rank,
    rowSplit,
    width: Math.min(widths[tallest] as number, Math.ceil(lanes / 4)),
    packed: lanes > 1 && (vector.own !== 1 || ((vector.k * 4) % 4096 === 0 && rows >= 48)),
    // A cache line per step of K, for a few floats of it, is only worth it when it is read once or twice.
    tiled: splat.own === 1 && splat.k >= 16 && lanes >= 32,
  }
}

const common = ({ buffer, offset, batchStrides }: MatrixOperand) => ({ buffer, offset, batch: batchStrides })

const panelBytes = ({ k, width }: Plan): number => k * width * 16
const panelsOf = ({ lanes, width }: Plan): number => Math.ceil(lanes / (4 * width))
const matrixBytes = (plan: Plan): number => panelBytes(plan) * panelsOf(plan)

/** The batch dimensions along which the vector operand changes. */
const ownBatch = ({ batch, vector }: Plan): Dims => batch.map((n, d) => (vector.batch[d] === 0 ? 1 : n))

function scratchBytes(plan: Plan): number {
  return matrixBytes(plan) * sizeOf(ownBatch(plan))
}

/** Units: groups of four lanes of every matrix. */
function packing(context: KernelContext, plan: Plan): KernelCode {
  const { k, lanes, vector, width } = plan
  const groups = Math.ceil(lanes / 4)
  const pack = (count: number): FunctionRef =>
    emitPack(context, {
      k,
      kStride: vector.k * 4,
      laneStride: vector.own * 4,
      lanes: count,
      panelStride: width * 16,
    })
  const full = lanes >= 4 ? pack(4) : undefined
  const rest = lanes % 4 > 0 ? pack(lanes % 4) : undefined
  const scratch = context.scratch(scratchBytes(plan))
  const sizes = ownBatch(plan)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    forUnits(f, begin as Local, end as Local, (unit) => {
      const group = takeDigit(f, unit, groups)
      const call = (callee: FunctionRef): void => {
        pushOperand(f, context, vector, indices)
        addScaled(f, group, 16 * vector.own)
        pushPointer(f, scratch)
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
  return { f, units: groups * sizeOf(sizes), grain: grainFor(k * 4) }
}

/** Adds the place of a group of lanes in the panels to the address on the stack. */
function pushPanel(f: FunctionBuilder, group: Local | number, plan: Plan): void {
  if (group === 0 || typeof group === 'number') return
  if (plan.width === 1) {
    addScaled(f, group, panelBytes(plan))
    return
  }
  const panel = f.local('i32')
  f.get(group)
  f.i32(plan.width)
  f.op('i32.div_u')
  f.set(panel)
  addScaled(f, panel, panelBytes(plan))
  f.get(group)
  f.i32(plan.width)
  f.op('i32.rem_u')
  f.i32(16)
  f.op('i32.mul')
  f.op('i32.add')
  f.release(panel)
}

/** for (unit = begin; unit < end; unit++): the body gets a copy that it may change. */
export function forUnits(f: FunctionBuilder, begin: Local, end: Local, body: (unit: Local) => void): void {
  const unit = f.local('i32')
  f.whileBelow(begin, end, 1, () => {
    f.get(begin)
    f.set(unit)
    body(unit)
  })
  f.release(unit)
}

function pushOperand(f: FunctionBuilder, context: KernelContext, side: Side, batch: readonly (Local | number)[]): void {
  pushPointer(f, context.slot(side.buffer))
  addScaled(f, 1, side.offset * 4)
  for (const [d, index] of batch.entries()) addScaled(f, index, (side.batch[d] as number) * 4)
}

/** The columns of a tile of `lanes` lanes. */
function columnsOf(plan: Plan, lanes: number, startLane: number, startByte: number): Column[] {
  return Array.from({ length: Math.ceil(lanes / 4) }, (_, j) => {
    const count = Math.min(4, lanes - 4 * j)
    const shifts = Array.from({ length: plan.rank }, (_, d) => (d === plan.laneDimension ? startLane + 4 * j : 0))
    return { offset: startByte + 16 * j, shifts, first: 0, lanes: count, readable: plan.packed ? 4 : count }
  })
}

function blocksOf(plan: Plan): Block[] {
  const perTile = 4 * plan.width
  const full = Math.floor(plan.lanes / perTile)
  const step = plan.packed ? panelBytes(plan) : 16 * plan.width
  const blocks: Block[] = []
  if (full > 0) {
    const tile = { columns: columnsOf(plan, perTile, 0, 0) }
    blocks.push({ count: full, step, dimension: plan.laneDimension, amount: perTile, body: [tile] })
  }
  const rest = plan.lanes - full * perTile
  if (rest > 0) blocks.push({ columns: columnsOf(plan, rest, full * perTile, full * step) })
  return blocks
}

/** Units: row tiles of every matrix of the batch. */
function multiplication(context: KernelContext, plan: Plan, writes: readonly Write[]): KernelCode {
  const { batch, k, splat, vector, rowSplit, packed, tiled, rows, lanes } = plan
  const epilogue = new Epilogue(context, writes)
  const blocks = blocksOf(plan)
  const panels = packed ? scratchBytes(plan) : 0
  const scratch = packed || tiled ? context.scratch(panels + (tiled ? k * mostRows * 4 : 0)) : 0
  const tiles = (height: number): FunctionRef => {
    const call = emitTiles(context, epilogue, {
      rows: height,
      rowStep: tiled ? 4 : splat.own * 4,
      rowDimension: plan.rowDimension,
      laneDimension: plan.laneDimension,
      loops: [{ count: k, splat: tiled ? height * 4 : splat.k * 4, vector: packed ? 16 * plan.width : vector.k * 4 }],
      taps: k > 0 ? [{ splat: 0, vector: 0 }] : [],
      blocks,
    })
    if (!tiled) return call
    const gather = emitTilePack(context, k, splat.k * 4, height)
    return context.module.function(call.params, [], (f, a, ...others) => {
      const tile = f.local('i32')
      pushPointer(f, scratch)
      addScaled(f, 1, panels)
      f.set(tile)
      for (const l of [a as Local, tile]) f.get(l)
      f.call(gather)
      for (const l of [tile, ...others]) f.get(l)
      f.call(call)
    })
  }
  const large = rowSplit.large > 0 ? tiles(rowSplit.small + 1) : undefined
  const small = rowSplit.large < rowSplit.pieces ? tiles(rowSplit.small) : undefined
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    forUnits(f, begin as Local, end as Local, (unit) => {
      const piece = takeDigit(f, unit, rowSplit.pieces)
      const row = rowOf(f, rowSplit, piece)
      const indices = takeIndices(f, unit, batch)
      pushOperand(f, context, splat, indices)
      addScaled(f, row, splat.own * 4)
      if (packed) {
        pushPointer(f, scratch)
        const sizes = ownBatch(plan)
        for (const [d, index] of indices.entries())
          if (vector.batch[d] !== 0) addScaled(f, index, matrixBytes(plan) * sizeOf(sizes.slice(d + 1)))
      } else pushOperand(f, context, vector, indices)
      const point: (Local | number)[] = [...indices, 0, 0]
      point[plan.rowDimension] = row
      epilogue.pushBases(f, point)
      callByHeight(f, epilogue, piece, rowSplit, large, small)
      releaseIndices(f, [piece, ...(row === piece ? [] : [row]), ...indices])
    })
  })
  return { f, units: rowSplit.pieces * sizeOf(batch), grain: grainFor((rows / rowSplit.pieces) * lanes * (k / 8 + 1)) }
}

/** First row of a piece. */
export function rowOf(f: FunctionBuilder, split: Split, piece: Local | number): Local | number {
  if (piece === 0 || typeof piece === 'number') return 0
  const row = f.local('i32')
  f.get(piece)
  f.i32(split.small)
  f.op('i32.mul')
  if (split.large > 0) {
    // Large pieces come first: one more row for each of those before this one.
    f.get(piece)
    f.i32(split.large)
    f.get(piece)
    f.i32(split.large)
    f.op('i32.lt_u')
    f.select('i32')
    f.op('i32.add')
  }
  f.set(row)
  return row
}

/** Calls the tile function for the height of a piece; the arguments are on the stack. */
export function callByHeight(
  f: FunctionBuilder,
  epilogue: Epilogue,
  piece: Local | number,
  split: Split,
  large: FunctionRef | undefined,
  small: FunctionRef | undefined,
): void {
  if (!large || !small) {
    f.call((large ?? small) as FunctionRef)
    return
  }
  const args = Array.from({ length: 2 + epilogue.params.length }, () => f.local('i32'))
  for (const a of [...args].reverse()) f.set(a)
  const call = (callee: FunctionRef) => () => {
    for (const a of args) f.get(a)
    f.call(callee)
  }
  f.get(piece as Local)
  f.i32(split.large)
  f.op('i32.lt_u')
  f.if(call(large), call(small))
  for (const a of args) f.release(a)
}
