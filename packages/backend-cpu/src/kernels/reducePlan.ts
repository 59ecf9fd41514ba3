import type { Accumulator, Affine, Kernel, Pass, Write } from '@tessella/compiler'
import { type Dims, sizeOf, stridesOf } from '@tessella/ir'
import { isArg } from './accumulators.ts'
import { collapse, innermost, type Loop, loopsOf, strideOf } from './loops.ts'
import { chooseLanes, formsOf, writeForms } from './map.ts'
import type { Form, LeveledLoop } from './streams.ts'
import { weightOf } from './weight.ts'

type ReduceKernel = Extract<Kernel, { kind: 'reduce' }>
type RowsKernel = Extract<Kernel, { kind: 'rows' }>

/** A reduction in passes; a reduce kernel is one pass that stores nothing. */
export interface Reduction {
  readonly domain: Dims
  readonly inner: Dims
  readonly passes: readonly Pass[]
  /** Once per point of the domain, after the passes. */
  readonly writes: readonly Write[]
}

/** `wide`: the engine merges neighbouring vectors. */
export function reductionOf(kernel: ReduceKernel | RowsKernel, wide: boolean): Reduction {
  if (kernel.kind === 'rows') return wide ? { ...kernel, passes: kernel.passes.flatMap(apart) } : kernel
  return { ...kernel, passes: [{ accumulators: kernel.accumulators, writes: [] }] }
}

/** A pass that stores what it folds, as two: only loops of stores alone are merged. */
function apart(pass: Pass): readonly Pass[] {
  const { accumulators, writes } = pass
  const stored = accumulators.map((a) => writes.find((w) => w.value === a.value))
  if (accumulators.length === 0 || stored.some((w) => w === undefined)) return [pass]
  const again = accumulators.map((a, i): Accumulator => {
    const { buffer, at } = stored[i] as Write
    return { ...a, value: { kind: 'load', dtype: a.value.dtype, buffer, at } }
  })
  return [
    { accumulators: [], writes },
    { accumulators: again, writes: [] },
  ]
}

/** How a reduction runs. */
export interface ReducePlan {
  /** Loops whose points are independent, level 1; without the lane loop. */
  readonly outer: readonly LeveledLoop[]
  /** Loops that are reduced, levels 2 and up; without the lane loop. */
  readonly inner: readonly LeveledLoop[]
  /** Four neighbours of this loop are computed at once. */
  readonly lane: LeveledLoop | undefined
  /** Whether the lanes are partial results of one point, or results of four points. */
  readonly lanesReduced: boolean
  readonly forms: readonly Form[]
  /** The position in the row-major inner domain, for arg reductions. */
  readonly position: Affine
  /** Vectors side by side: independent chains of accumulators. */
  readonly vectors: number
}

/** Functions of no more points than this take a microsecond or two however many vectors stand side by side: less to emit. */
const fewPoints = 2048

const contiguous = (reads: readonly Form[], loop: Loop): boolean =>
  reads.some(({ at, buffer }) => buffer !== undefined && strideOf(at, loop) === 1) &&
  reads.every(({ at, buffer }) => buffer === undefined || strideOf(at, loop) === 0 || strideOf(at, loop) === 1)

export function planReduce({ domain, inner, passes, writes }: Reduction, wide: boolean): ReducePlan {
  const accumulators = passes.flatMap((p) => p.accumulators)
  const values = passes.flatMap((p) => [...p.accumulators, ...p.writes].map((x) => x.value))
  const position: Affine = { offset: 0, strides: [...domain.map(() => 0), ...stridesOf(inner)] }
  const args = accumulators.some(isArg)
  const reads = [...formsOf(values), ...writeForms(passes.flatMap((p) => p.writes))]
  const inside: Form[] = args ? [...reads, { buffer: undefined, at: position }] : reads
  const stores = writeForms(writes)
  const forms = [...inside, ...formsOf(writes.map((w) => w.value)), ...stores]
  const affines = forms.map((form) => form.at)
  const outerLoops = collapse(loopsOf(domain), affines)
  const innerLoops = collapse(
    loopsOf(inner, domain.length),
    inside.map((form) => form.at),
  )
  const most = Math.max(1, ...passes.map((p) => p.accumulators.length))
  const weight = weightOf(values)
  const single = weight > 40 * passes.length || (weight > 8 && sizeOf(domain) * sizeOf(inner) <= fewPoints)
  const vectors = single ? 1 : Math.max(1, Math.min(4, Math.floor(8 / most)))
  const shared = { forms, position, vectors }

  // The first extreme wins: positions must grow in each lane, so arg reductions keep the order of the loops.
  const innerLane = args ? innerLoops.length - 1 : chooseLanes(innerLoops, reads, [])
  const outerLane = chooseLanes(outerLoops, reads, stores)
  const reduced = lanesAreReduced(reads, innerLoops[innerLane], outerLoops[outerLane], sizeOf(inner))
  if (reduced) {
    const order = innermost(innerLoops, innerLane)
    const lane = order.at(-1)
    const rest = order.slice(0, -1).map((l, i): LeveledLoop => ({ ...l, level: 2 + i }))
    const outer = outerLoops.map((l): LeveledLoop => ({ ...l, level: 1 }))
    return { ...shared, outer, inner: rest, lane: lane && { ...lane, level: 2 + rest.length }, lanesReduced: true }
  }
  // Results of neighbouring lanes are stored side by side: with stores in the loops or much work nothing must merge.
  const heavy = weight > 12 || passes.some((p) => p.writes.length > 0)
  const side = wide && heavy ? 1 : vectors
  const order = innermost(outerLoops, outerLane)
  const outer = collapse(order.slice(0, -1), affines).map((l): LeveledLoop => ({ ...l, level: 1 }))
  const rest = innerLoops.map((l, i): LeveledLoop => ({ ...l, level: 2 + i }))
  const lane = order.at(-1)
  return { ...shared, vectors: side, outer, inner: rest, lane: lane && { ...lane, level: 1 }, lanesReduced: false }
}

/** Long contiguous runs are reduced lane by lane; otherwise four results at once save the horizontal step. */
function lanesAreReduced(
  reads: readonly Form[],
  inner: Loop | undefined,
  outer: Loop | undefined,
  innerSize: number,
): boolean {
  if (!outer || outer.size < 4) return true
  if (!inner) return false
  if (contiguous(reads, inner) && inner.size >= 16) return true
  if (contiguous(reads, outer)) return false
  return innerSize >= 32
}
