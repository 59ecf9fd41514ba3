import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { forUnits, pushOperand } from './calls.ts'
import { addScaled, type Epilogue } from './epilogue.ts'
import type { Plan } from './matmulPlan.ts'
import { transpose4 } from './pack.ts'
import { releaseIndices, type Split, splitEvenly, takeDigit, takeIndices } from './split.ts'
import { loadVector, multiplyAdd } from './tile.ts'
import { type Push, workspace } from './workspace.ts'

/** Rows and lanes of a tile: 8 accumulators, its rows and one more vector. */
const tiles = { rows: 2, lanes: { 1: 8, 2: 4 } } as const

/** Elements along K from which merged vectors pay for adding up in a function of its own. */
const leastPaired = 64

/** How the sums along K are found. */
interface Sums {
  /** Elements that pairs of vectors take; the rest goes by single vectors. */
  readonly paired: number
  /** Where their accumulators are stored. */
  readonly lanes: Push
}

/** Products of operands that are contiguous along K: a vector per dot product, added up at the end. Units: lane tiles. */
export function emitDotProducts(context: KernelContext, plan: Plan, epilogue: Epilogue): KernelCode {
  const paired = context.features.wide && plan.k >= leastPaired ? plan.k - (plan.k % 8) : 0
  const sums = { paired, lanes: workspace(context, 0, paired > 0 ? 8 * 32 : 0).own }
  const { batch, k, rows, lanes, splat, vector } = plan
  const split = splitEvenly(rows, tiles.rows)
  const width = rows === 1 ? tiles.lanes[1] : tiles.lanes[2]
  const pieces = Math.ceil(lanes / width)
  const whole = lanes >= width ? emitRows(context, plan, epilogue, sums, split, width) : undefined
  const rest = lanes % width > 0 ? emitRows(context, plan, epilogue, sums, split, lanes % width) : undefined
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    forUnits(f, begin as Local, end as Local, (unit) => {
      const piece = takeDigit(f, unit, pieces)
      const indices = takeIndices(f, unit, batch)
      const lane = f.local('i32')
      f.i32(0)
      addScaled(f, piece, width)
      f.set(lane)
      const call = (callee: FunctionRef): void => {
        pushOperand(f, context, splat, indices)
        pushOperand(f, context, vector, indices)
        addScaled(f, lane, vector.own * 4)
        const point: (Local | number)[] = [...indices, 0, 0]
        point[plan.laneDimension] = lane
        epilogue.pushBases(f, point)
        f.call(callee)
      }
      if (whole && rest) {
        f.get(piece as Local)
        f.i32(pieces - 1)
        f.op('i32.eq')
        f.if(
          () => call(rest),
          () => call(whole),
        )
      } else call((whole ?? rest) as FunctionRef)
      releaseIndices(f, [piece, lane, ...indices])
    })
  })
  return { f, units: pieces * sizeOf(batch), grain: grainFor((rows * width * k) / 4) }
}

/** A function (rows, lanes, ...running addresses): all rows times some lanes. */
function emitRows(
  context: KernelContext,
  plan: Plan,
  epilogue: Epilogue,
  sums: Sums,
  split: Split,
  lanes: number,
): FunctionRef {
  const { splat, rowDimension } = plan
  const rowBytes = splat.own * 4
  return context.module.function(['i32', 'i32', ...epilogue.params], [], (f, a, b, ...bases) => {
    const [left, right] = [a as Local, b as Local]
    const piece = (rows: number): void => {
      dotTile(f, context, plan, epilogue, sums, rows, lanes, left, right, bases)
      f.bump(left, rows * rowBytes)
      epilogue.advance(f, bases, rowDimension, rows)
    }
    f.times(split.large, () => piece(split.small + 1))
    f.times(split.pieces - split.large, () => piece(split.small))
  })
}

function dotTile(
  f: FunctionBuilder,
  context: KernelContext,
  plan: Plan,
  epilogue: Epilogue,
  sums: Sums,
  rows: number,
  lanes: number,
  left: Local,
  right: Local,
  bases: readonly Local[],
): void {
  const { k, splat, vector, rank, rowDimension, laneDimension } = plan
  const { paired } = sums
  const vectors = (count: number): Local[] => Array.from({ length: count }, () => f.local('v128'))
  const accumulators = Array.from({ length: rows }, () => vectors(4 * Math.ceil(lanes / 4)))
  if (paired > 0) {
    f.push(left, right)
    sums.lanes(f)
    f.call(emitPairs(context, plan, paired, rows, lanes))
  }
  for (const [i, list] of accumulators.entries())
    for (const [lane, acc] of list.entries()) {
      if (paired === 0 || lane >= lanes) f.v128(zero)
      else {
        for (const half of [0, 16]) {
          sums.lanes(f)
          f.load('v128.load', 32 * (i * lanes + lane) + half)
        }
        f.op('f32x4.add')
      }
      f.set(acc)
    }
  // Pointers to the lowest row and lane, so that immediates are not negative.
  const [lowRow, lowLane] = [(rows - 1) * splat.own * 4, (lanes - 1) * vector.own * 4].map((n) => Math.min(0, n))
  const [p, q] = [f.local('i32'), f.local('i32')]
  for (const [from, to, low] of [
    [left, p, lowRow],
    [right, q, lowLane],
  ] as const) {
    f.get(from)
    addScaled(f, 1, 4 * paired + (low as number))
    f.set(to)
  }
  const held = vectors(rows)
  const passing = f.local('v128')
  const products = (count: number): void => {
    for (const [i, local] of held.entries()) {
      loadVector(f, p, i * splat.own * 4 - (lowRow as number), count)
      f.set(local)
    }
    for (let lane = 0; lane < lanes; lane++) {
      loadVector(f, q, lane * vector.own * 4 - (lowLane as number), count)
      f.set(passing)
      for (const [i, local] of held.entries()) multiplyAdd(f, context, local, passing, accumulators[i]?.[lane] as Local)
    }
  }
  f.times(Math.floor((k - paired) / 4), () => {
    products(4)
    f.bump(p, 16)
    f.bump(q, 16)
  })
  if (k % 4 > 0) products(k % 4)
  for (const l of [p, q, passing, ...held]) f.release(l)
  for (const [row, list] of accumulators.entries()) {
    const pieces = []
    for (let lane = 0; lane < lanes; lane += 4) {
      const group = list.slice(lane, lane + 4)
      const shifts = Array.from({ length: rank }, (_, d) => (d === rowDimension ? row : d === laneDimension ? lane : 0))
      pieces.push({ result: addUp(f, group), shifts, first: 0, lanes: Math.min(4, lanes - lane) })
    }
    epilogue.emit(f, bases, laneDimension, pieces)
  }
  for (const acc of accumulators.flat()) f.release(acc)
}

const zero = new Uint8Array(16)

/**
 * A function (rows, lanes, accumulators) over the first `paired` elements along K. Its lanes are not added up in here: that would keep
 * the engine from merging.
 */
function emitPairs(context: KernelContext, plan: Plan, paired: number, rows: number, lanes: number): FunctionRef {
  const steps = [plan.splat.own * 4, plan.vector.own * 4] as const
  const key = `pairs ${paired} ${rows} ${lanes} ${steps.join()}`
  return context.module.helper(key, ['i32', 'i32', 'i32'], [], (f, ...params) => {
    const [left, right, out] = params as [Local, Local, Local]
    const pair = (): Local[] => [f.local('v128'), f.local('v128')]
    const [lowRow, lowLane] = [Math.min(0, (rows - 1) * steps[0]), Math.min(0, (lanes - 1) * steps[1])]
    f.bump(left, lowRow)
    f.bump(right, lowLane)
    const accumulators: Local[][][] = Array.from({ length: rows }, () => Array.from({ length: lanes }, pair))
    for (const acc of accumulators.flat(2)) {
      f.v128(zero)
      f.set(acc)
    }
    const held = Array.from({ length: rows }, pair)
    const passing = pair()
    const load = (into: readonly Local[], from: Local, offset: number): void => {
      for (const [half, local] of into.entries()) {
        loadVector(f, from, offset + 16 * half, 4)
        f.set(local)
      }
    }
    f.times(paired / 8, () => {
      for (const [i, row] of held.entries()) load(row, left, i * steps[0] - lowRow)
      for (let lane = 0; lane < lanes; lane++) {
        load(passing, right, lane * steps[1] - lowLane)
        for (const [i, row] of held.entries())
          for (const [half, acc] of ((accumulators[i] as Local[][])[lane] as Local[]).entries())
            multiplyAdd(f, context, row[half] as Local, passing[half] as Local, acc)
      }
      f.bump(left, 32)
      f.bump(right, 32)
    })
    for (const [i, acc] of accumulators.flat(2).entries()) {
      f.push(out, acc)
      f.store('v128.store', 16 * i)
    }
  })
}

/** The sums of the lanes of four vectors, as one vector, in the first one's local. */
function addUp(f: FunctionBuilder, vectors: readonly Local[]): Local {
  transpose4(f, vectors)
  const first = vectors[0] as Local
  f.get(first)
  for (const v of vectors.slice(1)) {
    f.get(v)
    f.op('f32x4.add')
  }
  f.set(first)
  return first
}
