import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { loadVector, multiplyAdd } from './tile.ts'

/** One loop of a sum of dot products: bytes that both operands move per iteration. */
export interface DotLoop {
  readonly count: number
  readonly row: number
  readonly tap: number
}

/**
 * Dot-product tiles: sum[row][tap] = the sum over a nest of loops around runs of contiguous elements of
 * rowOperand[row] * tapOperand[tap]; lanes are added up at the end.
 */
export interface DotSpec {
  readonly rows: number
  /** Bytes between rows of the row operand. */
  readonly rowStep: number
  /** Bytes from the tap operand's pointer to each tap. */
  readonly taps: readonly number[]
  /** What one repetition moves; the number of repetitions is an argument. */
  readonly repeat: Omit<DotLoop, 'count'>
  readonly loops: readonly DotLoop[]
  /** Elements of a run. */
  readonly length: number
  /** Bytes between the sums of rows and of taps. */
  readonly sumRow: number
  readonly sumTap: number
}

/** Rows per tile by the number of taps: accumulators, the fewer operands and one more fit in 15 registers. */
export const dotRows = (taps: number): number => [12, 12, 6, 3, 2, 2, 2][taps] ?? 1
export const mostTaps = 6

/** A function (row operand, tap operand, repetitions >= 1, sums) that adds to the sums. */
export function emitDots(context: KernelContext, spec: DotSpec): FunctionRef {
  return context.module.function(['i32', 'i32', 'i32', 'i32'], [], (f, row, tap, repetitions, sums) => {
    const [p, q, count, out] = [row, tap, repetitions, sums] as [Local, Local, Local, Local]
    const accumulators = Array.from({ length: spec.rows }, () => spec.taps.map(() => f.local('v128')))
    const n = f.local('i32')
    f.doWhileBelow(n, count, 1, () => {
      dotLoops(f, context, spec, 0, p, q, accumulators)
      f.bump(p, spec.repeat.row - moved(spec, 0, 'row'))
      f.bump(q, spec.repeat.tap - moved(spec, 0, 'tap'))
    })
    for (const [i, list] of accumulators.entries())
      for (const [j, acc] of list.entries()) addLanes(f, acc, out, i * spec.sumRow + j * spec.sumTap)
  })
}

/** Vectors of a run that are unrolled. */
const mostUnrolled = 4

/** How far a pointer is from its start after the loops from `depth` on. */
function moved(spec: DotSpec, depth: number, side: 'row' | 'tap'): number {
  for (const l of spec.loops.slice(depth)) if (l.count > 1) return l.count * l[side]
  const vectors = Math.floor(spec.length / 4)
  return vectors > mostUnrolled ? vectors * 16 : 0
}

function dotLoops(
  f: FunctionBuilder,
  context: KernelContext,
  spec: DotSpec,
  depth: number,
  p: Local,
  q: Local,
  accumulators: readonly Local[][],
): void {
  const loop = spec.loops[depth]
  if (!loop) {
    run(f, context, spec, p, q, accumulators)
    return
  }
  f.times(loop.count, () => {
    dotLoops(f, context, spec, depth + 1, p, q, accumulators)
    if (loop.count === 1) return
    f.bump(p, loop.row - moved(spec, depth + 1, 'row'))
    f.bump(q, loop.tap - moved(spec, depth + 1, 'tap'))
  })
}

function run(
  f: FunctionBuilder,
  context: KernelContext,
  spec: DotSpec,
  p: Local,
  q: Local,
  accumulators: readonly Local[][],
): void {
  const vectors = Math.floor(spec.length / 4)
  const rest = spec.length % 4
  if (vectors > mostUnrolled) {
    f.times(vectors, () => {
      products(f, context, spec, p, q, 0, 4, accumulators)
      f.bump(p, 16)
      f.bump(q, 16)
    })
  } else for (let v = 0; v < vectors; v++) products(f, context, spec, p, q, 16 * v, 4, accumulators)
  const done = vectors > mostUnrolled ? 0 : 16 * vectors
  if (rest > 0) products(f, context, spec, p, q, done, rest, accumulators)
}

function products(
  f: FunctionBuilder,
  context: KernelContext,
  spec: DotSpec,
  p: Local,
  q: Local,
  offset: number,
  lanes: number,
  accumulators: readonly Local[][],
): void {
  const { rows, taps, rowStep } = spec
  const holdRows = rows <= taps.length
  const loadRow = (i: number): void => loadVector(f, p, offset + i * rowStep, lanes)
  const loadTap = (j: number): void => loadVector(f, q, offset + (taps[j] as number), lanes)
  const held = Array.from({ length: holdRows ? rows : taps.length }, (_, i) => {
    const local = f.local('v128')
    if (holdRows) loadRow(i)
    else loadTap(i)
    f.set(local)
    return local
  })
  const passing = f.local('v128')
  for (let i = 0; i < (holdRows ? taps.length : rows); i++) {
    if (holdRows) loadTap(i)
    else loadRow(i)
    f.set(passing)
    for (const [h, local] of held.entries()) {
      const acc = (holdRows ? accumulators[h]?.[i] : accumulators[i]?.[h]) as Local
      multiplyAdd(f, context, local, passing, acc)
    }
  }
  f.release(passing)
  for (const local of held) f.release(local)
}

const swapHalves = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]
const swapNeighbours = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11]

/** The float at out + offset += the sum of the lanes. */
function addLanes(f: FunctionBuilder, acc: Local, out: Local, offset: number): void {
  for (const pattern of [swapHalves, swapNeighbours]) {
    f.get(acc)
    f.get(acc)
    f.get(acc)
    f.shuffle(pattern)
    f.op('f32x4.add')
    f.set(acc)
  }
  f.get(out)
  f.get(out)
  f.load('f32.load', offset)
  f.get(acc)
  f.lane('f32x4.extract_lane', 0)
  f.op('f32.add')
  f.store('f32.store', offset)
}
