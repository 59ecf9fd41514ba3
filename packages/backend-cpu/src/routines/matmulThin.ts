import type { Expr, Write } from '@tessella/compiler'
import { sizeOf, stridesOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionRef, Local } from '../wasm/assembler.ts'
import { forUnits, pushOperand } from './calls.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitFinish } from './finish.ts'
import { blocksOf } from './matmulColumns.ts'
import type { MatmulKernel, Plan } from './matmulPlan.ts'
import { rangeOf, releaseIndices, splitEvenly, takeDigit, takeIndices } from './split.ts'
import { emitTiles } from './tile.ts'
import { aligned, workspace } from './workspace.ts'

/** Rows of the vector operand that are read side by side. */
const together = 8
/** Lanes of a unit, at most: sums of four rows are 128 KiB then. */
const mostLanes = 8192
/** Units that K is cut for, if each has enough to do. */
const mostParts = 8
const leastPart = 64 * 1024
/** Rows of the splat operand, at most. */
const mostThinRows = 4
/** Bytes of the vector operand from which the order of reading matters: about a second-level cache. */
const leastBytes = 512 * 1024

/**
 * Whether a product takes as long as reading its vector operand does. A tile down all of K reads a few lines of each row, and every row is in
 * a page of its own. Here eight rows go through all lanes before the next ones do, so that memory is read in long runs; the
 * sums wait in scratch memory in between. Threads share parts of K for the same reason.
 */
export function isThin({ dtype }: MatmulKernel, { k, rows, lanes, vector, packed, dots }: Plan): boolean {
  const runs = vector.own === 1 && vector.k >= lanes && !packed && !dots
  return dtype === 'float32' && runs && rows <= mostThinRows && k >= 32 && lanes >= 128 && 4 * k * lanes >= leastBytes
}

/** Stands for the buffer of sums that wait. */
const waiting = -1

/** The product of a plan whose lanes run along the last dimension: sums of parts, then their sums with the epilogue. */
export function emitThinProduct(context: KernelContext, kernel: MatmulKernel, plan: Plan): readonly KernelCode[] {
  const { batch, k, lanes, splat, vector, rowDimension, laneDimension, rows } = plan
  const { domain } = kernel
  const strips = splitEvenly(lanes, mostLanes).pieces
  const perTile = 4 * plan.width
  const perStrip = perTile * Math.ceil(lanes / strips / perTile)
  const eights = Math.floor(k / together)
  const wanted = Math.min(mostParts / (strips * sizeOf(batch)), (k * lanes * rows) / leastPart, eights / 2)
  const perPart = Math.ceil(eights / Math.max(1, Math.floor(wanted)))
  const parts = Math.ceil(eights / perPart)
  const copyBytes = aligned(4 * sizeOf(domain) + 16)
  const { shared } = workspace(context, parts * copyBytes, 0)
  const within: KernelContext = {
    ...context,
    dtypeOf: () => 'float32',
    slot: (buffer) => (buffer === waiting ? context.scratch(parts * copyBytes) : context.slot(buffer)),
  }
  const at = { offset: 0, strides: stridesOf(domain) }
  const result: Expr = { kind: 'result', dtype: 'float32', index: 0 }
  const old: Expr = { kind: 'load', dtype: 'float32', buffer: waiting, at }
  const sum: Expr = { kind: 'binary', dtype: 'float32', fn: 'add', a: old, b: result }
  const writes = (value: Expr): readonly Write[] => [{ buffer: waiting, at, value }]
  const place = new Epilogue(within, writes(sum))
  /** Functions (splat operand, vector operand, sums) for whole strips of lanes and for the last one. */
  const tiles = (count: number, value: Expr) => {
    const over = (length: number): FunctionRef =>
      emitTiles(within, new Epilogue(within, writes(value)), {
        rows,
        rowStep: splat.own * 4,
        rowDimension,
        laneDimension,
        loops: [{ count, splat: splat.k * 4, vector: vector.k * 4 }],
        taps: [{ splat: 0, vector: 0 }],
        // Sums must not be added twice.
        blocks: blocksOf({ ...plan, overlap: false }, Math.floor(length / perTile), length % perTile),
      })
    return { whole: strips > 1 ? over(perStrip) : undefined, last: over(lanes - (strips - 1) * perStrip) }
  }
  const first = tiles(together, result)
  const next = tiles(together, sum)
  const rest = k % together > 0 ? tiles(k % together, sum) : undefined
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const [a, b, sums, lane, eight, stop] = [0, 1, 2, 3, 4, 5].map(() => f.local('i32')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ]
    forUnits(f, begin as Local, end as Local, (unit) => {
      const strip = takeDigit(f, unit, strips)
      const part = takeDigit(f, unit, parts)
      const indices = takeIndices(f, unit, batch)
      f.i32(0)
      addScaled(f, strip, perStrip)
      f.set(lane)
      rangeOf(f, part, perPart, eights, [eight, stop])
      pushOperand(f, within, splat, indices)
      addScaled(f, eight, together * splat.k * 4)
      f.set(a)
      pushOperand(f, within, vector, indices)
      addScaled(f, eight, together * vector.k * 4)
      addScaled(f, lane, 4)
      f.set(b)
      const point: (Local | number)[] = [...indices, 0, 0]
      point[laneDimension] = lane
      place.pushBases(f, point)
      addScaled(f, part, copyBytes)
      f.set(sums)
      const add = ({ whole, last }: ReturnType<typeof tiles>): void => {
        const call = (callee: FunctionRef) => () => {
          f.push(a, b, sums)
          f.call(callee)
        }
        if (whole === undefined) call(last)()
        else {
          f.push(strip as Local, strips - 1, 'i32.eq')
          f.if(call(last), call(whole))
        }
        f.bump(a, together * splat.k * 4)
        f.bump(b, together * vector.k * 4)
      }
      add(first)
      f.bump(eight, 1)
      f.whileBelow(eight, stop, 1, () => add(next))
      if (rest) {
        f.push(stop, eights, 'i32.eq')
        f.if(() => add(rest))
      }
      releaseIndices(f, [strip, part, ...indices])
    })
  })
  const units = strips * parts * sizeOf(batch)
  const finish = emitFinish(context, new Epilogue(context, kernel.writes), domain, {
    address: shared,
    copies: parts,
    copyBytes,
  })
  return [{ f, units, grain: grainFor((rows * perStrip * perPart * together) / 8) }, finish]
}
