import { type Dims, sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { forUnits, pushOperand } from './calls.ts'
import { addScaled } from './epilogue.ts'
import type { Plan } from './matmulPlan.ts'
import { emitPack } from './pack.ts'
import { releaseIndices, takeDigit, takeIndices } from './split.ts'
import { workspace } from './workspace.ts'

/** Bytes of one tile of the vector operand, over all of K. */
export const panelBytes = ({ k, width }: Plan): number => k * width * 16
const panelsOf = ({ lanes, width }: Plan): number => Math.ceil(lanes / (4 * width))
export const matrixBytes = (plan: Plan): number => panelBytes(plan) * panelsOf(plan)

/** The batch dimensions along which the vector operand changes. */
export const ownBatch = ({ batch, vector }: Plan): Dims => batch.map((n, d) => (vector.batch[d] === 0 ? 1 : n))

/** Bytes of all packed matrices. */
export function scratchBytes(plan: Plan): number {
  return matrixBytes(plan) * sizeOf(ownBatch(plan))
}

/**
 * Lanes that are packed at once: those of a panel where they are neighbours, so that lines of the cache are read and
 * written whole; rows that are turned lie in the same sets of the cache too often for more than eight.
 */
const packedLanes = ({ vector, width, overlap }: Plan): number => {
  if (vector.own === 1 && !overlap) return 4 * width
  return width % 2 === 0 ? 8 : 4
}

/** Units: groups of lanes of every matrix. */
export function packing(context: KernelContext, plan: Plan): KernelCode {
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
