import type { Pass } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import { Lanes as Ops } from '../math/lanes.ts'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import { Dataflow, hasCalls, type Job, type Value } from '../wasm/dataflow.ts'
import { Lowering } from '../wasm/expr.ts'
import { AccumulatorLocals } from './accumulatorLocals.ts'
import { type KernelContext, mergeableRegisters } from './context.ts'
import type { ReducePlan, Reduction } from './reducePlan.ts'
import { type LeveledLoop, Streams } from './streams.ts'
import { emitUnits, type Part, partsOf, type UnitSpace } from './units.ts'

/** Elements between flushes of float sums into float64 totals: when lanes share them, and when each lane sums them all. */
const lanesBlock = 2048
const pointsBlock = 256
/** Reductions of no more elements than this need no totals. */
const shortReduction = 1024

/** One pass with its accumulators and those of the passes before. */
interface Walk {
  readonly pass: Pass
  readonly accumulators: readonly AccumulatorLocals[]
  readonly results: readonly AccumulatorLocals[]
  /** Vectors side by side along reduced lanes. */
  readonly vectors: number
}

/** Emits the body of one reduce or rows kernel. */
export class ReduceBody {
  readonly #context: KernelContext
  readonly #f: FunctionBuilder
  readonly #g: Dataflow
  readonly #l: Ops
  readonly #kernel: Reduction
  readonly #plan: ReducePlan
  readonly #space: UnitSpace
  readonly #streams: Streams
  readonly #innerSize: number

  constructor(context: KernelContext, f: FunctionBuilder, kernel: Reduction, plan: ReducePlan, space: UnitSpace) {
    this.#context = context
    this.#f = f
    this.#g = new Dataflow(context)
    this.#l = new Ops(this.#g)
    this.#kernel = kernel
    this.#plan = plan
    this.#space = space
    const loops = [...plan.outer, ...plan.inner, ...(plan.lane ? [plan.lane] : [])]
    this.#streams = new Streams(context, loops, plan.forms)
    this.#innerSize = sizeOf(kernel.inner)
  }

  emit(range: readonly [Local, Local]): void {
    emitUnits(
      this.#f,
      this.#space,
      this.#streams,
      range,
      () => () => undefined,
      (length) => this.#unit(length),
    )
  }

  #unit(length: number): void {
    const { lane, lanesReduced } = this.#plan
    const parts = lanesReduced || !lane ? [{ shift: 0, lanes: 1 as const }] : partsOf(length)
    const totals = this.#innerSize > shortReduction
    const done: AccumulatorLocals[] = []
    for (const pass of this.#kernel.passes) {
      const vectors = lanesReduced && lane ? this.#vectorsOf(pass, done) : 1
      const sets = lanesReduced ? vectors : parts.length
      const layout = { sets, across: lanesReduced, totals }
      const own = pass.accumulators.map((a) => new AccumulatorLocals(this.#f, this.#g, a, layout))
      for (const a of own) a.reset()
      const walk: Walk = { pass, accumulators: own, results: [...done], vectors }
      if (this.#innerSize > 0) {
        const run = lanesReduced
          ? (count: number) => this.#alongLanes(walk, count)
          : (count: number) => this.#acrossLanes(walk, parts, count)
        this.#nest(own, 0, run, totals)
      }
      for (const a of own) a.finish()
      done.push(...own)
    }
    this.#epilogue(done, parts)
    for (const a of done) a.free()
  }

  /** What may merge in an engine that does: stores alone, in few registers. Folds have no stores that start it. */
  #vectorsOf(pass: Pass, results: readonly AccumulatorLocals[]): number {
    const { vectors } = this.#plan
    if (!this.#context.features.wide || pass.writes.length === 0) return vectors
    if (pass.accumulators.length > 0) return 1
    const jobs = this.#jobs({ pass, accumulators: [], results, vectors: 1 }, [{ shift: 0, lanes: 4 }])
    return this.#g.registers(jobs) <= mergeableRegisters && !hasCalls(valuesOf(jobs)) ? 2 : 1
  }

  /** The reduced loops from `depth` inwards; the innermost goes to `run`. One of them is cut into blocks, flushed each. */
  #nest(
    accumulators: readonly AccumulatorLocals[],
    depth: number,
    run: (count: number) => void,
    totals: boolean,
  ): void {
    const loops = this.#reducedLoops()
    const loop = loops[depth]
    if (!loop) {
      run(1)
      return
    }
    const iterate = (count: number): void => {
      if (depth === loops.length - 1) {
        run(count)
        return
      }
      this.#f.times(count, () => {
        this.#nest(accumulators, depth + 1, run, totals)
        this.#streams.move(this.#f, [[loop, 1]])
      })
    }
    const chunk = totals ? this.#chunk(loops, depth) : undefined
    if (chunk === undefined) iterate(loop.size)
    else {
      const flush = (): void => {
        for (const a of accumulators) a.flush()
      }
      this.#f.times(Math.floor(loop.size / chunk), () => {
        iterate(chunk)
        flush()
      })
      const rest = loop.size % chunk
      if (rest > 0) {
        iterate(rest)
        flush()
      }
    }
    this.#streams.move(this.#f, [[loop, -loop.size]])
  }

  #reducedLoops(): LeveledLoop[] {
    const { inner, lane, lanesReduced } = this.#plan
    return lanesReduced && lane ? [...inner, lane] : [...inner]
  }

  /** Iterations between flushes, for the innermost loop that has a block's worth inside (or the outermost). */
  #chunk(loops: readonly LeveledLoop[], depth: number): number | undefined {
    const block = this.#plan.lanesReduced ? lanesBlock : pointsBlock
    const inside = (d: number): number => sizeOf(loops.slice(d).map((l) => l.size))
    let at = loops.length - 1
    while (at > 0 && inside(at) < block) at--
    return depth === at
      ? Math.max(1, Math.min((loops[at] as LeveledLoop).size, Math.floor(block / inside(at + 1))))
      : undefined
  }

  /** `count` elements along the lane loop, many at a time; leaves the streams after them. */
  #alongLanes(walk: Walk, count: number): void {
    const { lane } = this.#plan
    const { vectors } = walk
    const f = this.#f
    if (!lane) {
      this.#g.emit(f, this.#jobs(walk, [{ shift: 0, lanes: 1 }], [0]))
      return
    }
    const step = 4 * vectors
    const round = this.#jobs(
      walk,
      Array.from({ length: vectors }, (_, i) => ({ shift: 4 * i, lanes: 4 })),
    )
    const rounds = Math.floor(count / step)
    const looped = rounds > 1 ? rounds : 0
    if (looped > 0) {
      const release = this.#g.hoist(f, valuesOf(round), lane.level)
      f.times(looped, () => {
        this.#g.emit(f, round, vectors)
        this.#streams.move(f, [[lane, step]])
      })
      release()
    }
    const rest = count - looped * step
    const parts = partsOf(rest)
    this.#g.emit(
      f,
      this.#jobs(
        walk,
        parts,
        parts.map((_, i) => i % vectors),
      ),
      parts.length,
    )
    this.#streams.move(f, [[lane, rest]])
  }

  /** `count` elements along the innermost reduced loop for each lane of the parts; leaves the streams after them. */
  #acrossLanes(walk: Walk, parts: readonly Part[], count: number): void {
    const f = this.#f
    const jobs = this.#jobs(walk, parts)
    const loop = this.#plan.inner.at(-1)
    if (!loop) {
      this.#g.emit(f, jobs, parts.length)
      return
    }
    const release = this.#g.hoist(f, valuesOf(jobs), loop.level)
    f.times(count, () => {
      this.#g.emit(f, jobs, parts.length)
      this.#streams.move(f, [[loop, 1]])
    })
    release()
  }

  /**
   * What a pass does at each part: folds into the accumulators' vector number `sets[i]` (default i), then stores, so that
   * stores may overwrite what is folded.
   */
  #jobs({ pass, accumulators, results }: Walk, parts: readonly Part[], sets = parts.map((_, i) => i)): Job[] {
    const { lanesReduced, lane, position } = this.#plan
    const folds: Job[] = []
    const stores: Job[] = []
    for (const [i, part] of parts.entries()) {
      const site = this.#streams.site(this.#g, part.lanes, lane, part.shift)
      const earlier = results.map((a) => a.result(lanesReduced ? 0 : i))
      const lower = new Lowering(this.#g, site, this.#context.dtypeOf, earlier)
      for (const a of accumulators) {
        const x = lower.value(a.accumulator.value)
        const where = a.needsPosition ? () => lower.value({ kind: 'index', dtype: 'int32', at: position }) : undefined
        folds.push(...a.fold(this.#l, sets[i] as number, x, where, lanesReduced ? part.lanes : 4))
      }
      for (const w of pass.writes) stores.push(...lower.jobs(this.#f, w))
    }
    return [...folds, ...stores]
  }

  #epilogue(accumulators: readonly AccumulatorLocals[], parts: readonly Part[]): void {
    const { lane, lanesReduced } = this.#plan
    const jobs = parts.flatMap((part, i) => {
      const site = this.#streams.site(this.#g, part.lanes, lanesReduced ? undefined : lane, part.shift)
      const results = accumulators.map((a) => a.result(i))
      const lower = new Lowering(this.#g, site, this.#context.dtypeOf, results)
      return this.#kernel.writes.flatMap((w) => lower.jobs(this.#f, w))
    })
    this.#g.emit(this.#f, jobs, parts.length)
  }
}

const valuesOf = (jobs: readonly Job[]): Value[] => jobs.flatMap((j) => (j.address ? [j.address, j.value] : [j.value]))
