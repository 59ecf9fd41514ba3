import type { Dims } from '@tessella/ir'
import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import type { Piece, Sink } from './sink.ts'

/** One vector of a tile: where its operand lies and which of its lanes are results. */
export interface Column {
  /** Bytes from the running pointer of the vector operand. */
  readonly offset: number
  /** Domain position of lane 0, relative to the running point. */
  readonly shifts: Dims
  readonly first: number
  readonly lanes: number
  /** See {@link Piece}. */
  readonly early?: number
  /** Lanes that may be read; four unless the operand ends there. */
  readonly readable: number
}

/** `columns` at once, in registers. */
export interface Tile {
  readonly columns: readonly Column[]
}

/** Moves along the vector operand and one domain dimension. */
export interface Walk {
  readonly count: number
  /** Bytes of the vector operand per step. */
  readonly step: number
  readonly dimension: number
  readonly amount: number
  readonly body: readonly Block[]
}
export type Block = Tile | Walk

/** One loop of the sum: bytes that both operands move per iteration. */
export interface SumLoop {
  readonly count: number
  readonly splat: number
  readonly vector: number
}

/**
 * Outer-product tiles: acc[row][column] += splat(a[row]) * vec(b[column]) over a nest of loops around unrolled taps;
 * then the sink takes them from their registers.
 */
export interface TileSpec {
  readonly rows: number
  /** Bytes between rows of the splat operand. */
  readonly rowStep: number
  readonly rowDimension: number
  readonly laneDimension: number
  /** Outermost first. */
  readonly loops: readonly SumLoop[]
  readonly taps: readonly { readonly splat: number; readonly vector: number }[]
  readonly blocks: readonly Block[]
}

/** A function (splat operand, vector operand, ...running addresses of the sink) that walks over the blocks. */
export function emitTiles(context: KernelContext, sink: Sink, spec: TileSpec): FunctionRef {
  return context.module.function(['i32', 'i32', ...sink.params], [], (f, a, b, ...bases) => {
    const low = Math.min(0, (spec.rows - 1) * spec.rowStep)
    f.bump(a as Local, low)
    const emitter = new TileEmitter(context, sink, spec, f, a as Local, b as Local, bases, low)
    for (const block of spec.blocks) emitter.block(block)
  })
}

class TileEmitter {
  readonly #context: KernelContext
  readonly #sink: Sink
  readonly #spec: TileSpec
  readonly #f: FunctionBuilder
  readonly #a: Local
  readonly #b: Local
  readonly #bases: readonly Local[]
  /** Byte offset of the lowest row. */
  readonly #low: number

  constructor(
    context: KernelContext,
    sink: Sink,
    spec: TileSpec,
    f: FunctionBuilder,
    a: Local,
    b: Local,
    bases: readonly Local[],
    low: number,
  ) {
    this.#context = context
    this.#sink = sink
    this.#spec = spec
    this.#f = f
    this.#a = a
    this.#b = b
    this.#bases = bases
    this.#low = low
  }

  block(block: Block): void {
    if ('columns' in block) this.#tile(block)
    else this.#walk(block)
  }

  #walk({ count, step, dimension, amount, body }: Walk): void {
    const f = this.#f
    const move = (times: number): void => {
      f.bump(this.#b, step * times)
      this.#sink.advance(f, this.#bases, dimension, amount * times)
    }
    f.times(count, () => {
      for (const block of body) this.block(block)
      if (count > 1) move(1)
    })
    if (count > 1) move(-count)
  }

  #tile({ columns }: Tile): void {
    const f = this.#f
    const { rows } = this.#spec
    const accumulators = Array.from({ length: rows }, () => columns.map(() => f.local('v128')))
    for (const acc of accumulators.flat()) {
      f.v128(zero)
      f.set(acc)
    }
    const pa = f.local('i32')
    const pb = f.local('i32')
    f.get(this.#a)
    f.set(pa)
    f.get(this.#b)
    f.set(pb)
    this.#sum(0, pa, pb, columns, accumulators)
    f.release(pa)
    f.release(pb)
    for (const [row, list] of accumulators.entries())
      this.#sink.emit(
        f,
        this.#bases,
        this.#spec.laneDimension,
        list.map((result, j): Piece => {
          const { shifts, first, lanes, early = 0 } = columns[j] as Column
          return {
            result,
            first,
            lanes,
            early,
            shifts: shifts.map((s, d) => (d === this.#spec.rowDimension ? s + row : s)),
          }
        }),
      )
    for (const acc of accumulators.flat()) f.release(acc)
  }

  /** The loops from `depth` inward; the pointers move through them. */
  #sum(depth: number, pa: Local, pb: Local, columns: readonly Column[], accumulators: readonly Local[][]): void {
    const { loops, taps } = this.#spec
    const loop = loops[depth]
    if (!loop) {
      for (const tap of taps) this.#products(pa, pb, tap, columns, accumulators)
      return
    }
    const inner = loops.slice(depth + 1)
    const f = this.#f
    f.times(loop.count, () => {
      this.#sum(depth + 1, pa, pb, columns, accumulators)
      if (loop.count === 1) return
      f.bump(pa, loop.splat - this.#moved(inner, 'splat'))
      f.bump(pb, loop.vector - this.#moved(inner, 'vector'))
    })
  }

  /** How far the pointers are from their start after the loops `inner`. */
  #moved(inner: readonly SumLoop[], side: 'splat' | 'vector'): number {
    for (const l of inner) if (l.count > 1) return l.count * l[side]
    return 0
  }

  #products(
    pa: Local,
    pb: Local,
    tap: TileSpec['taps'][number],
    columns: readonly Column[],
    accumulators: readonly Local[][],
  ): void {
    const f = this.#f
    const splat = (row: number): void => {
      f.get(pa)
      f.load('v128.load32_splat', tap.splat + row * this.#spec.rowStep - this.#low)
    }
    const vector = (column: Column): void => loadVector(f, pb, column.offset + tap.vector, column.readable)
    const groups = this.#groups(columns)
    // The fewer values are held, the other ones pass by one at a time.
    const holdColumns = groups.length <= this.#spec.rows
    if (!holdColumns && groups.length < columns.length) {
      this.#wideRows(pa, pb, tap, columns, groups, accumulators)
      return
    }
    const held = holdColumns ? columns : accumulators
    const locals = held.map(() => f.local('v128'))
    for (const [i, local] of locals.entries()) {
      if (holdColumns) vector(columns[i] as Column)
      else splat(i)
      f.set(local)
    }
    const passing = f.local('v128')
    const others = holdColumns ? accumulators.length : columns.length
    for (let i = 0; i < others; i++) {
      if (holdColumns) splat(i)
      else vector(columns[i] as Column)
      f.set(passing)
      for (const [j, local] of locals.entries()) {
        const acc = (holdColumns ? accumulators[i]?.[j] : accumulators[j]?.[i]) as Local
        multiplyAdd(f, this.#context, local, passing, acc)
      }
    }
    f.release(passing)
    for (const local of locals) f.release(local)
  }

  /** Columns that an engine may merge come in twos. */
  #groups(columns: readonly Column[]): number[][] {
    const groups: number[][] = []
    for (let j = 0; j < columns.length; j++) {
      const [one, next] = [columns[j] as Column, columns[j + 1]]
      const pair = this.#context.features.wide && next && next.offset === one.offset + 16
      const whole = one.lanes === 4 && next?.lanes === 4 && one.readable === 4 && next.readable === 4
      groups.push(pair && whole ? [j, ++j] : [j])
    }
    return groups
  }

  /** Few rows are held, and pairs of columns pass by. */
  #wideRows(
    pa: Local,
    pb: Local,
    tap: TileSpec['taps'][number],
    columns: readonly Column[],
    groups: readonly number[][],
    accumulators: readonly Local[][],
  ): void {
    const f = this.#f
    const held = accumulators.map((_, row) => {
      const local = f.local('v128')
      f.get(pa)
      f.load('v128.load32_splat', tap.splat + row * this.#spec.rowStep - this.#low)
      f.set(local)
      return local
    })
    const passing = [f.local('v128'), f.local('v128')]
    for (const group of groups) {
      for (const [i, j] of group.entries()) {
        const column = columns[j] as Column
        loadVector(f, pb, column.offset + tap.vector, column.readable)
        f.set(passing[i] as Local)
      }
      for (const [row, local] of held.entries())
        for (const [i, j] of group.entries())
          multiplyAdd(f, this.#context, local, passing[i] as Local, accumulators[row]?.[j] as Local)
    }
    for (const local of [...held, ...passing]) f.release(local)
  }
}

const zero = new Uint8Array(16)

/** acc += x * y. */
export function multiplyAdd(f: FunctionBuilder, context: KernelContext, x: Local, y: Local, acc: Local): void {
  f.get(x)
  f.get(y)
  if (context.features.relaxed) {
    f.get(acc)
    f.op('f32x4.relaxed_madd')
  } else {
    f.op('f32x4.mul')
    f.get(acc)
    f.op('f32x4.add')
  }
  f.set(acc)
}

/** Pushes the first `lanes` floats at base + offset, zeros after them; reads nothing else. */
export function loadVector(f: FunctionBuilder, base: Local, offset: number, lanes: number): void {
  if (lanes === 3) {
    f.get(base)
    f.get(base)
    f.load('v128.load64_zero', offset)
    f.laneAccess('v128.load32_lane', 2, offset + 8)
    return
  }
  f.get(base)
  f.load(lanes >= 4 ? 'v128.load' : lanes === 2 ? 'v128.load64_zero' : 'v128.load32_zero', offset)
}

/** Stores the first `lanes` (1 to 4) floats of `x` at base + offset. */
export function storeVector(f: FunctionBuilder, base: Local, offset: number, lanes: number, x: Local): void {
  f.get(base)
  f.get(x)
  if (lanes === 4) {
    f.store('v128.store', offset)
    return
  }
  f.laneAccess(lanes === 1 ? 'v128.store32_lane' : 'v128.store64_lane', 0, offset)
  if (lanes < 3) return
  f.get(base)
  f.get(x)
  f.laneAccess('v128.store32_lane', 2, offset + 8)
}
