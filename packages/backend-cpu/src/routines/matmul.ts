import { type Dims, sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { mostRows } from './blocks.ts'
import { callByHeight, forUnits, pushOperand, rowOf } from './calls.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitDotProducts } from './matmulDots.ts'
import { type MatmulKernel, mergedRows, type Plan, planOf } from './matmulPlan.ts'
import { emitPack, emitTilePack } from './pack.ts'
import { releaseIndices, takeDigit, takeIndices } from './split.ts'
import { type Block, type Column, emitTiles } from './tile.ts'
import { workspace } from './workspace.ts'

export function emitMatmul(context: KernelContext, kernel: MatmulKernel): readonly KernelCode[] {
  const { domain } = kernel
  if (sizeOf(domain) === 0) return []
  const epilogue = new Epilogue(context, kernel.writes)
  const wide = context.features.wide === true
  const plan = planOf(mergedRows(kernel, epilogue.forms), {
    mergeable: (dimension) => wide && epilogue.mergeable(dimension),
    apart: (dimension) => epilogue.apart(dimension),
  })
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
  const { shared } = workspace(context, scratchBytes(plan), 0)
  const sizes = ownBatch(plan)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    forUnits(f, begin as Local, end as Local, (unit) => {
      const group = takeDigit(f, unit, groups)
      const call = (callee: FunctionRef): void => {
        pushOperand(f, context, vector, indices)
        addScaled(f, group, 16 * vector.own)
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
  let rest = plan.lanes - full * perTile
  let [lane, byte] = [full * perTile, full * step]
  if (plan.unit > 1 && rest > 0) {
    // Pairs that can be merged, apart from the others: together they would need too many registers.
    const paired = rest - (rest % (4 * plan.unit))
    if (paired > 0) blocks.push({ columns: columnsOf(plan, paired, lane, byte) })
    rest -= paired
    lane += paired
    byte += 4 * paired
  }
  if (rest > 0) blocks.push({ columns: columnsOf(plan, rest, lane, byte) })
  return blocks
}

/** Units: row tiles of every matrix of the batch. */
function multiplication(context: KernelContext, plan: Plan, epilogue: Epilogue): KernelCode {
  const { batch, k, splat, vector, rowSplit, packed, tiled, rows, lanes } = plan
  const blocks = blocksOf(plan)
  const { shared, own } = workspace(context, packed ? scratchBytes(plan) : 0, tiled ? k * mostRows * 4 : 0)
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
      own(f)
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
        shared(f)
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
