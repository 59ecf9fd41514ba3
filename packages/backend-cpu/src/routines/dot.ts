import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { swapHalves, swapNeighbours } from '../wasm/shuffles.ts'
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

/** Bytes that the lanes of a tile's accumulators take. */
export const laneBytes = 12 * 32

/** A function (row operand, tap operand, repetitions >= 1, sums, lanes) that adds to the sums; `lanes` is scratch. */
export function emitDots(context: KernelContext, spec: DotSpec): FunctionRef {
  const pairs = context.features.wide ? spec.length - (spec.length % 8) : 0
  if (pairs === 0) return emitPart(context, { ...spec, start: 0, unit: 1 })
  const paired = emitPart(context, { ...spec, start: 0, length: pairs, unit: 2 })
  if (pairs === spec.length) return paired
  const rest = emitPart(context, { ...spec, start: 4 * pairs, length: spec.length - pairs, unit: 1 })
  return context.module.function(paired.params, [], (f, ...args) => {
    for (const callee of [paired, rest]) {
      for (const a of args) f.get(a)
      f.call(callee)
    }
  })
}

interface Part extends DotSpec {
  /** Bytes from the start of a run to the elements that this part takes. */
  readonly start: number
  /** Vectors per register (see `Registers`). */
  readonly unit: 1 | 2
}

function emitPart(context: KernelContext, part: Part): FunctionRef {
  const addUp = part.unit === 2 ? emitAddUp(context, part) : undefined
  return context.module.function(['i32', 'i32', 'i32', 'i32', 'i32'], [], (f, ...params) => {
    const [p, q, count, out, lanes] = params as [Local, Local, Local, Local, Local]
    const tile = new DotTile(f, context, part, p, q)
    f.bump(p, part.start)
    f.bump(q, part.start)
    const n = f.local('i32')
    f.doWhileBelow(n, count, 1, () => {
      tile.loops(0)
      f.bump(p, part.repeat.row - tile.moved(0, 'row'))
      f.bump(q, part.repeat.tap - tile.moved(0, 'tap'))
    })
    if (addUp) {
      // Lanes are not added up in here: that would keep the engine from merging.
      for (const [i, acc] of tile.accumulators.flat(2).entries()) {
        f.push(lanes, acc)
        f.store('v128.store', 16 * i)
      }
      f.push(out, lanes)
      f.call(addUp)
      return
    }
    for (const [i, list] of tile.accumulators.entries())
      for (const [j, [acc]] of list.entries()) addLanes(f, acc as Local, out, i * part.sumRow + j * part.sumTap)
  })
}

/** A function (sums, stored accumulators). */
function emitAddUp(context: KernelContext, { rows, taps, sumRow, sumTap }: Part): FunctionRef {
  const key = `add up ${rows} ${taps.length} ${sumRow} ${sumTap}`
  return context.module.helper(key, ['i32', 'i32'], [], (f, sums, lanes) => {
    const x = f.local('v128')
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < taps.length; j++) {
        const at = 32 * (i * taps.length + j)
        loadVector(f, lanes as Local, at, 4)
        loadVector(f, lanes as Local, at + 16, 4)
        f.op('f32x4.add')
        f.set(x)
        addLanes(f, x, sums as Local, i * sumRow + j * sumTap)
      }
  })
}

/** Registers of a run that are unrolled. */
const mostUnrolled = 4

class DotTile {
  /** By row, tap, and vector of a register. */
  readonly accumulators: readonly (readonly (readonly Local[])[])[]
  readonly #f: FunctionBuilder
  readonly #context: KernelContext
  readonly #part: Part
  readonly #p: Local
  readonly #q: Local

  constructor(f: FunctionBuilder, context: KernelContext, part: Part, p: Local, q: Local) {
    this.#f = f
    this.#context = context
    this.#part = part
    this.#p = p
    this.#q = q
    this.accumulators = Array.from({ length: part.rows }, () => part.taps.map(() => this.#register()))
  }

  #register(): Local[] {
    return Array.from({ length: this.#part.unit }, () => this.#f.local('v128'))
  }

  /** How far a pointer is from its start after the loops from `depth` on. */
  moved(depth: number, side: 'row' | 'tap'): number {
    const { loops, length, unit } = this.#part
    for (const l of loops.slice(depth)) if (l.count > 1) return l.count * l[side]
    const registers = Math.floor(length / (4 * unit))
    return registers > mostUnrolled ? registers * unit * 16 : 0
  }

  loops(depth: number): void {
    const f = this.#f
    const loop = this.#part.loops[depth]
    if (!loop) {
      this.#run()
      return
    }
    f.times(loop.count, () => {
      this.loops(depth + 1)
      if (loop.count === 1) return
      f.bump(this.#p, loop.row - this.moved(depth + 1, 'row'))
      f.bump(this.#q, loop.tap - this.moved(depth + 1, 'tap'))
    })
  }

  #run(): void {
    const f = this.#f
    const { length, unit } = this.#part
    const registers = Math.floor(length / (4 * unit))
    const bytes = 16 * unit
    if (registers > mostUnrolled)
      f.times(registers, () => {
        this.#products(0, 4)
        f.bump(this.#p, bytes)
        f.bump(this.#q, bytes)
      })
    else for (let v = 0; v < registers; v++) this.#products(bytes * v, 4)
    const rest = length % (4 * unit)
    if (rest > 0) this.#products(registers > mostUnrolled ? 0 : bytes * registers, rest)
  }

  #products(offset: number, lanes: number): void {
    const f = this.#f
    const { rows, taps, rowStep } = this.#part
    const load = (into: readonly Local[], base: Local, at: number): void => {
      for (const [i, local] of into.entries()) {
        loadVector(f, base, at + 16 * i, lanes)
        f.set(local)
      }
    }
    const loadRow = (into: readonly Local[], i: number): void => load(into, this.#p, offset + i * rowStep)
    const loadTap = (into: readonly Local[], j: number): void => load(into, this.#q, offset + (taps[j] as number))
    const holdRows = rows <= taps.length
    const held = Array.from({ length: holdRows ? rows : taps.length }, (_, i) => {
      const register = this.#register()
      if (holdRows) loadRow(register, i)
      else loadTap(register, i)
      return register
    })
    const passing = this.#register()
    for (let i = 0; i < (holdRows ? taps.length : rows); i++) {
      if (holdRows) loadTap(passing, i)
      else loadRow(passing, i)
      for (const [h, register] of held.entries()) {
        const sums = holdRows ? this.accumulators[h]?.[i] : this.accumulators[i]?.[h]
        for (const [u, local] of register.entries())
          multiplyAdd(f, this.#context, local, passing[u] as Local, sums?.[u] as Local)
      }
    }
    for (const local of [...passing, ...held.flat()]) f.release(local)
  }
}

/** The float at out + offset += the sum of the lanes. */
function addLanes(f: FunctionBuilder, acc: Local, out: Local, offset: number): void {
  for (const pattern of [swapHalves, swapNeighbours]) {
    f.push(acc, acc, acc)
    f.shuffle(pattern)
    f.op('f32x4.add')
    f.set(acc)
  }
  f.push(out, out)
  f.load('f32.load', offset)
  f.get(acc)
  f.lane('f32x4.extract_lane', 0)
  f.op('f32.add')
  f.store('f32.store', offset)
}
