import type { Affine, Expr, Kernel, Write } from '@tessella/compiler'
import { byteWidth } from '@tessella/ir'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import { Dataflow, hasCalls, type Job } from '../wasm/dataflow.ts'
import { Lowering, leaves } from '../wasm/expr.ts'
import type { Lanes } from '../wasm/site.ts'
import { grainFor, type KernelCode, type KernelContext, mergeableRegisters } from './context.ts'
import { collapse, innermost, type Loop, loopsOf, strideOf } from './loops.ts'
import { type Form, type LeveledLoop, Streams } from './streams.ts'
import { emitUnits, type UnitSpace, unitsOf } from './units.ts'
import { weightOf } from './weight.ts'

type MapKernel = Extract<Kernel, { kind: 'map' }>

/** Constants that a kernel keeps in registers: about as many as leave enough for the work. */
const hoistedConstants = 8

/** Longer lane loops are cut into segments, which are units of work. */
const segmentLength = 4096

/** The buffers and affine forms that expressions read. */
export function formsOf(roots: readonly Expr[]): Form[] {
  return leaves(roots).flatMap((e): Form[] => {
    switch (e.kind) {
      case 'load':
      case 'gather':
        return [{ buffer: e.buffer, at: e.at }]
      case 'index':
        return [{ buffer: undefined, at: e.at }]
      case 'random': {
        const key: Affine = { offset: e.keyOffset, strides: e.at.strides.map(() => 0) }
        return [
          { buffer: e.key, at: key },
          { buffer: undefined, at: e.at },
        ]
      }
      default:
        return []
    }
  })
}

export const writeForms = (writes: readonly Write[]): Form[] => writes.map(({ buffer, at }) => ({ buffer, at }))

/** How good a loop is for the lanes: contiguous stores first, then contiguous or constant loads, and at least 4 long. */
function laneScore(loop: Loop, reads: readonly Form[], writes: readonly Form[]): number {
  let score = 0
  for (const { at } of writes) score += strideOf(at, loop) === 1 ? 8 : 0
  for (const { at, buffer } of reads) {
    const stride = strideOf(at, loop)
    score += buffer === undefined || stride === 0 ? 3 : stride === 1 ? 4 : 0
  }
  return loop.size < 4 ? (score * loop.size) / 8 : score
}

export function chooseLanes(loops: readonly Loop[], reads: readonly Form[], writes: readonly Form[]): number {
  let best = loops.length - 1
  for (let i = loops.length - 2; i >= 0; i--) {
    const better = laneScore(loops[i] as Loop, reads, writes) > laneScore(loops[best] as Loop, reads, writes)
    if (better) best = i
  }
  return best
}

/**
 * The outer loop along which loads are contiguous that are strided along the lanes: squares of 4 x 4 points then read
 * rows and transpose them.
 */
function columnLoop(
  context: KernelContext,
  outer: readonly Loop[],
  lane: Loop,
  reads: readonly Form[],
  from: number,
): number {
  const strided = reads.filter(
    ({ buffer, at }) =>
      buffer !== undefined && byteWidth(context.dtypeOf(buffer)) === 4 && Math.abs(strideOf(at, lane)) > 1,
  )
  if (lane.size < 4) return -1
  return outer.findIndex((l, i) => i >= from && l.size >= 4 && strided.some(({ at }) => strideOf(at, l) === 1))
}

/**
 * Element-wise work: every point of the domain, four at a time along the best loop. `byImage`: the first dimension stays
 * the outermost loop, so that the units of each of its indices are a run.
 */
export function emitMap(context: KernelContext, kernel: MapKernel, byImage = false): KernelCode {
  const { domain, writes } = kernel
  const reads = formsOf(writes.map((w) => w.value))
  const stores = writeForms(writes)
  const forms = [...reads, ...stores]
  const affines = forms.map((form) => form.at)
  const [image, ...rest] = loopsOf(domain)
  const pinned = byImage && image ? [image] : []
  const natural = collapse(pinned.length > 0 ? rest : loopsOf(domain), affines)
  const ordered = innermost(natural, chooseLanes(natural, reads, stores))
  const last = ordered.at(-1)
  const lane: LeveledLoop | undefined = last && { ...last, level: 2 }
  const outside = [...pinned, ...collapse(ordered.slice(0, -1), affines)]
  const outer = outside.map((l): LeveledLoop => ({ ...l, level: 1 }))
  const columns = lane ? columnLoop(context, outer, lane, reads, pinned.length) : -1
  const empty = domain.some((size) => size === 0)
  const weight = weightOf(writes.map((w) => w.value))
  const space = columns >= 0 ? columnSpace(outer, columns, weight) : laneSpace(outer, lane)
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    if (empty) return
    new MapBody(context, body, space, lane, forms, writes).emit([begin as Local, end as Local])
  })
  const points = space.cut === lane ? space.segment : space.segment * (lane?.size ?? 1)
  return { f, units: empty ? 0 : unitsOf(space), grain: grainFor(points * Math.max(1, weight / 4)) }
}

/** Units are rows, or segments of long rows. */
const laneSpace = (outer: readonly LeveledLoop[], lane: LeveledLoop | undefined): UnitSpace => ({
  outer,
  cut: lane,
  segment: lane && lane.size > 2 * segmentLength ? segmentLength : (lane?.size ?? 1),
})

/** Units are a few columns side by side, over all lanes. */
function columnSpace(outer: readonly LeveledLoop[], columns: number, weight: number): UnitSpace {
  const cut = outer[columns] as LeveledLoop
  return { outer: outer.filter((l) => l !== cut), cut, segment: Math.min(cut.size, weight <= 8 ? 8 : 4) }
}

/** Vectors per round of the lane loop. */
const unrolled = 2

/** Emits the body of one map kernel. */
class MapBody {
  readonly #f: FunctionBuilder
  readonly #space: UnitSpace
  readonly #lane: LeveledLoop | undefined
  readonly #streams: Streams
  readonly #g: Dataflow
  readonly #context: KernelContext
  readonly #writes: readonly Write[]
  readonly #jobs = new Map<string, Job[]>()
  #unroll = unrolled

  constructor(
    context: KernelContext,
    f: FunctionBuilder,
    space: UnitSpace,
    lane: LeveledLoop | undefined,
    forms: readonly Form[],
    writes: readonly Write[],
  ) {
    const loops = [...space.outer, ...(space.cut ? [space.cut] : [])]
    this.#f = f
    this.#space = space
    this.#lane = lane
    this.#streams = new Streams(context, lane && lane !== space.cut ? [...loops, lane] : loops, forms)
    this.#g = new Dataflow(context)
    this.#context = context
    this.#writes = writes
  }

  emit(range: readonly [Local, Local]): void {
    const { cut } = this.#space
    const body = (length: number): void => {
      if (cut === this.#lane) this.#row(length)
      else this.#columns(length)
    }
    const once = (): Job[] => (this.#lane ? this.#point(4, 0) : this.#point(1, 0))
    const { wide } = this.#context.features
    // Hoisted constants are not merged: wide loops read them as splats.
    const constants = this.#lane && !wide ? hoistedConstants : 0
    const prepare = (): (() => void) => {
      const release = this.#g.hoist(this.#f, roots(once()), 1, constants)
      if (!this.#isMergeable(once())) this.#unroll = 1
      return release
    }
    emitUnits(this.#f, this.#space, this.#streams, range, prepare, body)
  }

  #isMergeable(jobs: readonly Job[]): boolean {
    return this.#g.registers(jobs) <= mergeableRegisters && !hasCalls(roots(jobs))
  }

  /** The stores of one group of lanes, `shift` elements on, at a column of the cut loop. */
  #point(lanes: Lanes, shift: number, column?: { readonly index: number; readonly square: boolean }): Job[] {
    const key = `${lanes} ${shift} ${column?.index} ${column?.square}`
    const known = this.#jobs.get(key)
    if (known) return known
    const { cut } = this.#space
    const across = column && cut ? { ...column, loop: cut } : undefined
    const site = this.#streams.site(this.#g, lanes, this.#lane, shift, across)
    const lower = new Lowering(this.#g, site, this.#context.dtypeOf)
    const jobs = this.#writes.flatMap((w) => lower.jobs(this.#f, w))
    this.#jobs.set(key, jobs)
    return jobs
  }

  /** `vectors` groups of four lanes side by side. */
  #round(vectors: number): Job[] {
    return Array.from({ length: vectors }, (_, i) => this.#point(4, 4 * i)).flat()
  }

  /** `length` elements of the lane loop. */
  #row(length: number): void {
    const f = this.#f
    const lane = this.#lane
    if (!lane) {
      this.#g.emit(f, this.#point(1, 0))
      return
    }
    const unroll = this.#unroll
    const step = 4 * unroll
    const rounds = Math.floor(length / step)
    const looped = rounds > 1 ? rounds : 0
    const release = looped > 0 ? this.#g.hoist(f, roots(this.#round(unroll)), lane.level) : () => undefined
    if (looped > 0)
      f.times(looped, () => {
        this.#g.emit(f, this.#round(unroll), unroll)
        this.#streams.move(f, [[lane, step]])
      })
    const rest = length - looped * step
    const vectors = Math.floor(rest / 4)
    if (vectors > 0) this.#g.emit(f, this.#round(vectors), vectors)
    if (rest % 4 > 0) this.#g.emit(f, this.#point((rest % 4) as Lanes, 4 * vectors))
    release()
    this.#streams.move(f, [[lane, -looped * step]])
  }

  /** `count` columns of the cut loop over the whole lane loop, in squares where they are complete. */
  #columns(count: number): void {
    const f = this.#f
    const lane = this.#lane
    if (!lane) return
    const vectors = Math.floor(lane.size / 4)
    f.times(vectors, () => {
      for (let first = 0; first < count; first += 4) {
        const square = first + 4 <= count
        const indices = Array.from({ length: Math.min(4, count - first) }, (_, i) => first + i)
        if (square)
          this.#g.emit(
            f,
            indices.flatMap((index) => this.#point(4, 0, { index, square })),
            indices.length,
          )
        else for (const index of indices) this.#g.emit(f, this.#point(4, 0, { index, square }))
      }
      this.#streams.move(f, [[lane, 4]])
    })
    const rest = (lane.size % 4) as Lanes
    if (lane.size % 4 > 0)
      for (let index = 0; index < count; index++) this.#g.emit(f, this.#point(rest, 0, { index, square: false }))
    this.#streams.move(f, [[lane, -4 * vectors]])
  }
}

const roots = (jobs: readonly Job[]) => jobs.flatMap((j) => (j.address ? [j.address, j.value] : [j.value]))
