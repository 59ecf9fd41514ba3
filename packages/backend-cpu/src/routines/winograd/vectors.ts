import { Lanes } from '../../math/lanes.ts'
import type { FunctionBuilder, Local } from '../../wasm/assembler.ts'
import { type CodeContext, Dataflow, type Job, type Value } from '../../wasm/dataflow.ts'
import { timesColumns, timesRows } from './linear.ts'
import type { Matrix } from './scheme.ts'

/** Vectors `step` bytes apart that start at a local's address. */
export interface Places {
  readonly base: Local
  readonly offset?: number
  readonly step: number
}

/** A matrix, or the transpose of one, times the vectors at some places; the products are stored at others. */
export interface LinearStep {
  readonly matrix: Matrix
  readonly transposed: boolean
  /** Places of the vectors, one by one or evenly apart. */
  readonly from: Places | readonly Local[]
  readonly to: Places
}

/** Emits the step for `unit` neighbouring vectors (16 bytes apart), in turn, so that an engine may merge them. */
export function emitLinear(f: FunctionBuilder, context: CodeContext, step: LinearStep, unit: number): void {
  const g = new Dataflow(context)
  const parts = Array.from({ length: unit }, (_, i) => jobsOf(f, g, step, 16 * i))
  g.emit(
    f,
    (parts[0] as Job[]).flatMap((_, k) => parts.map((jobs) => jobs[k] as Job)),
  )
}

function jobsOf(f: FunctionBuilder, g: Dataflow, { matrix, transposed, from, to }: LinearStep, shift: number): Job[] {
  const lanes = new Lanes(g)
  const count = transposed ? matrix.length : (matrix[0] as readonly number[]).length
  const load = (base: Local, offset: number): Value => g.load('v128.load', { base: g.local(base, 1), offset })
  const xs = Array.from({ length: count }, (_, i) =>
    'base' in from ? load(from.base, (from.offset ?? 0) + i * from.step + shift) : load(from[i] as Local, shift),
  )
  const results = (transposed ? timesColumns : timesRows)(lanes, matrix, xs)
  return results.map(([place, value]) => ({
    address: g.local(to.base, 1),
    value,
    use: () => f.store('v128.store', (to.offset ?? 0) + place * to.step + shift),
  }))
}
