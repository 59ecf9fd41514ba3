import { panelBytes } from './matmulPacking.ts'
import type { Plan } from './matmulPlan.ts'
import type { Block, Column } from './tile.ts'

/** Bytes from one tile of vectors to the next. */
export const tileStep = (plan: Plan): number => (plan.packed ? panelBytes(plan) : 16 * plan.width)

/** The columns of a tile of `lanes` lanes. */
function columnsOf(plan: Plan, lanes: number, startLane: number, startByte: number): Column[] {
  return Array.from({ length: Math.ceil(lanes / 4) }, (_, j) => {
    const count = Math.min(4, lanes - 4 * j)
    const shifts = Array.from({ length: plan.rank }, (_, d) => (d === plan.laneDimension ? startLane + 4 * j : 0))
    return { offset: startByte + 16 * j, shifts, first: 0, lanes: count, readable: plan.packed ? 4 : count }
  })
}

/** `full` tiles and then `rest` lanes, from the running point on. */
export function blocksOf(plan: Plan, full: number, rest: number): Block[] {
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
