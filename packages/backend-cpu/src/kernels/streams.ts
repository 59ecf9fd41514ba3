import type { Affine } from '@tessella/compiler'
import { byteWidth, internalError } from '@tessella/ir'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import type { Dataflow, Value } from '../wasm/dataflow.ts'
import type { Lanes as LaneCount, Site } from '../wasm/site.ts'
import { type KernelContext, pushPointer } from './context.ts'
import { type Loop, strideOf } from './loops.ts'

/** A loop with the level at which its index changes (see `Value.level`). */
export interface LeveledLoop extends Loop {
  readonly level: number
}

/** One running address (or index value) that every form with the same buffer and strides shares. */
interface Stream {
  readonly buffer: number | undefined
  /** Bytes (or units) per step of each loop. */
  readonly steps: readonly number[]
  readonly level: number
  /** Least offset of its forms, in elements; the others are immediates. */
  offset: number
  local: Local | undefined
}

/** The form of an expression leaf or a write, with the buffer it reads; `undefined` for index values. */
export interface Form {
  readonly buffer: number | undefined
  readonly at: Affine
}

/** A later index of a loop. `square`: it is one of four columns that are computed together (see `Site.column`). */
export interface Across {
  readonly loop: LeveledLoop
  readonly index: number
  readonly square: boolean
}

/** Running addresses of a loop nest: set up once, then bumped as loops advance. */
export class Streams {
  readonly #context: KernelContext
  readonly #loops: readonly LeveledLoop[]
  readonly #streams = new Map<string, Stream>()

  constructor(context: KernelContext, loops: readonly LeveledLoop[], forms: readonly Form[]) {
    this.#context = context
    this.#loops = loops
    for (const form of forms) this.#add(form)
  }

  #width(buffer: number | undefined): number {
    return buffer === undefined ? 1 : byteWidth(this.#context.dtypeOf(buffer))
  }

  #key({ buffer, at }: Form): string {
    return `${buffer ?? 'index'}:${this.#loops.map((l) => strideOf(at, l)).join()}`
  }

  #add(form: Form): void {
    const key = this.#key(form)
    const known = this.#streams.get(key)
    if (known) {
      known.offset = Math.min(known.offset, form.at.offset)
      return
    }
    const width = this.#width(form.buffer)
    const steps = this.#loops.map((l) => strideOf(form.at, l) * width)
    let level = 0
    for (const [i, loop] of this.#loops.entries()) if (steps[i] !== 0) level = Math.max(level, loop.level)
    this.#streams.set(key, { buffer: form.buffer, steps, level, offset: form.at.offset, local: undefined })
  }

  /** Emits every stream's start at the given index locals (missing ones are 0). */
  start(f: FunctionBuilder, indices: ReadonlyMap<LeveledLoop, Local>): void {
    for (const s of this.#streams.values()) {
      const local = f.local('i32')
      if (s.buffer === undefined) f.i32(0)
      else pushPointer(f, this.#context.slot(s.buffer))
      const offset = s.offset * this.#width(s.buffer)
      if (offset !== 0) {
        f.push(offset, 'i32.add')
      }
      for (const [i, loop] of this.#loops.entries()) {
        const index = indices.get(loop)
        const step = s.steps[i] as number
        if (!index || step === 0) continue
        f.push(index, step, 'i32.mul', 'i32.add')
      }
      f.set(local)
      s.local = local
    }
  }

  /** Emits the steps of all streams for moves along loops: [loop, how many iterations] each. */
  move(f: FunctionBuilder, moves: readonly (readonly [LeveledLoop, number])[]): void {
    for (const s of this.#streams.values()) {
      let bytes = 0
      for (const [loop, count] of moves) bytes += (s.steps[this.#loops.indexOf(loop)] as number) * count
      if (s.local) f.bump(s.local, bytes)
    }
  }

  /**
   * The site at the streams' present place. The lanes run along `loop` (none: a single point) from `shift` elements on;
   * `across` moves it to a later index of another loop.
   */
  site(g: Dataflow, lanes: LaneCount, loop: LeveledLoop | undefined, shift = 0, across?: Across): Site {
    const find = (form: Form): Stream & { local: Local } => {
      const s = this.#streams.get(this.#key(form))
      if (!s?.local) throw internalError('an affine form without a stream')
      return s as Stream & { local: Local }
    }
    const along = (at: Affine): number => (loop ? strideOf(at, loop) : 0)
    const moved = (at: Affine): number => along(at) * shift + (across ? strideOf(at, across.loop) * across.index : 0)
    const squares = across?.square
      ? { number: across.index % 4, stride: (at: Affine) => strideOf(at, across.loop) }
      : undefined
    return {
      lanes,
      ...(squares ? { column: squares } : {}),
      laneStride: along,
      address: (buffer, at) => {
        const s = find({ buffer, at })
        const offset = (at.offset - s.offset + moved(at)) * this.#width(buffer)
        const base = g.local(s.local, s.level)
        if (offset >= 0) return { base, offset }
        return { base: g.i('i32.add', base, g.integer(offset)), offset: 0 }
      },
      index: (at): Value => {
        const s = find({ buffer: undefined, at })
        const offset = at.offset - s.offset + moved(at)
        const base = g.local(s.local, s.level)
        return offset === 0 ? base : g.i('i32.add', base, g.integer(offset))
      },
    }
  }
}
