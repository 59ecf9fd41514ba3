import type { Affine, Expr, Kernel, Write } from '@tessella/compiler'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import { Dataflow, type Job } from '../wasm/dataflow.ts'
import { leaves, Lowering } from '../wasm/expr.ts'
import type { Lanes } from '../wasm/site.ts'
import { grainFor, type KernelCode, type KernelContext } from './context.ts'
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

/** Element-wise work: every point of the domain, four at a time along the best loop. */
export function emitMap(context: KernelContext, kernel: MapKernel): KernelCode {
  const { domain, writes } = kernel
  const reads = formsOf(writes.map((w) => w.value))
  const stores = writeForms(writes)
  const forms = [...reads, ...stores]
  const affines = forms.map((form) => form.at)
  const natural = collapse(loopsOf(domain), affines)
  const ordered = innermost(natural, chooseLanes(natural, reads, stores))
  const lane = ordered.at(-1)
  const outer = collapse(ordered.slice(0, -1), affines).map((l): LeveledLoop => ({ ...l, level: 1 }))
  const cut: LeveledLoop | undefined = lane && { ...lane, level: 2 }
  const empty = domain.some((size) => size === 0)
  const segment = cut && cut.size > 2 * segmentLength ? segmentLength : (cut?.size ?? 1)
  const space: UnitSpace = { outer, cut, segment }
  const weight = weightOf(writes.map((w) => w.value))
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    if (empty) return
    new MapBody(context, body, space, forms, writes, 2).emit([begin as Local, end as Local])
  })
  return { f, units: empty ? 0 : unitsOf(space), grain: grainFor(segment * Math.max(1, weight / 4)) }
}

/** Emits the body of one map kernel. */
class MapBody {
  readonly #f: FunctionBuilder
  readonly #space: UnitSpace
  readonly #streams: Streams
  readonly #g: Dataflow
  readonly #context: KernelContext
  readonly #writes: readonly Write[]
  /** Vectors per round of the loop. */
  readonly #unroll: number
  readonly #jobs = new Map<string, Job[]>()

  constructor(
    context: KernelContext,
    f: FunctionBuilder,
    space: UnitSpace,
    forms: readonly Form[],
    writes: readonly Write[],
    unroll: number,
  ) {
    this.#f = f
    this.#space = space
    this.#streams = new Streams(context, space.cut ? [...space.outer, space.cut] : space.outer, forms)
    this.#g = new Dataflow(context)
    this.#context = context
    this.#writes = writes
    this.#unroll = unroll
  }

  emit(range: readonly [Local, Local]): void {
    const { cut } = this.#space
    emitUnits(
      this.#f,
      this.#space,
      this.#streams,
      range,
      () => this.#g.hoist(this.#f, roots(cut ? this.#round(1) : this.#point(1, 0)), 1, cut ? hoistedConstants : 0),
      (length) => this.#unit(length),
    )
  }

  /** The stores of one group of lanes, `shift` elements on. */
  #point(lanes: Lanes, shift: number): Job[] {
    const key = `${lanes} ${shift}`
    const known = this.#jobs.get(key)
    if (known) return known
    const site = this.#streams.site(this.#g, lanes, this.#space.cut, shift)
    const lower = new Lowering(this.#g, site, this.#context.dtypeOf)
    const jobs = this.#writes.flatMap((w) => lower.jobs(this.#f, w))
    this.#jobs.set(key, jobs)
    return jobs
  }

  /** `vectors` groups of four lanes side by side. */
  #round(vectors: number): Job[] {
    return Array.from({ length: vectors }, (_, i) => this.#point(4, 4 * i)).flat()
  }

  #unit(length: number): void {
    const f = this.#f
    const { cut } = this.#space
    if (!cut) {
      this.#g.emit(f, this.#point(1, 0))
      return
    }
    const step = 4 * this.#unroll
    const rounds = Math.floor(length / step)
    const looped = rounds > 1 ? rounds : 0
    const release = looped > 0 ? this.#g.hoist(f, roots(this.#round(this.#unroll)), 2) : () => undefined
    if (looped > 0)
      f.times(looped, () => {
        this.#g.emit(f, this.#round(this.#unroll))
        this.#streams.move(f, [[cut, step]])
      })
    const rest = length - looped * step
    const vectors = Math.floor(rest / 4)
    if (vectors > 0) this.#g.emit(f, this.#round(vectors))
    if (rest % 4 > 0) this.#g.emit(f, this.#point((rest % 4) as Lanes, 4 * vectors))
    release()
    this.#streams.move(f, [[cut, -looped * step]])
  }
}

const roots = (jobs: readonly Job[]) => jobs.flatMap((j) => (j.address ? [j.address, j.value] : [j.value]))
