import type { Affine, Kernel } from '@tessella/compiler'
import { Lanes as Ops } from '../math/lanes.ts'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import { Dataflow, type Job, type Value } from '../wasm/dataflow.ts'
import { loadLanes, storeJobs } from '../wasm/lanesMemory.ts'
import { lowHalves, upperHalf } from '../wasm/shuffles.ts'
import type { Site } from '../wasm/site.ts'
import { type Fold, foldOf } from './accumulators.ts'
import { grainFor, type KernelCode, type KernelContext } from './context.ts'
import { type LeveledLoop, Streams } from './streams.ts'
import { emitUnits, partsOf, type UnitSpace, unitsOf } from './units.ts'

type CumulativeKernel = Extract<Kernel, { kind: 'cumulative' }>

/** Running folds along the middle axis: independent rows side by side in lanes; float sums and products in float64. */
export function emitCumulative(context: KernelContext, kernel: CumulativeKernel): KernelCode {
  const { outer, length, inner, x, out, reverse, dtype, fn } = kernel
  const along: Affine = {
    offset: reverse ? (length - 1) * inner : 0,
    strides: [length * inner, reverse ? -inner : inner, 1],
  }
  const rows: LeveledLoop = { size: outer, dimension: 0, level: 1 }
  const steps: LeveledLoop = { size: length, dimension: 1, level: 2 }
  const columns: LeveledLoop = { size: inner, dimension: 2, level: 1 }
  const space: UnitSpace = { outer: [rows], cut: columns, segment: Math.min(16, inner) }
  const empty = outer * length * inner === 0
  const exact = dtype === 'float32' && (fn === 'sum' || fn === 'prod')
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    if (empty) return
    const g = new Dataflow(context)
    const streams = new Streams(
      context,
      [rows, steps, columns],
      [
        { buffer: x, at: along },
        { buffer: out, at: along },
      ],
    )
    const unit = (count: number): void => {
      const states = partsOf(count).map((part) => {
        const site = streams.site(g, part.lanes, columns, part.shift)
        const state = exact ? exactState(body, g, fn === 'prod') : plainState(body, g, foldOf(dtype, fn))
        return { state, jobs: stepJobs(body, g, site, kernel, along, state) }
      })
      for (const { state } of states) state.reset()
      body.times(length, () => {
        for (const { jobs } of states) g.emit(body, jobs)
        streams.move(body, [[steps, 1]])
      })
      streams.move(body, [[steps, -length]])
      for (const { state } of states) for (const local of state.locals) body.release(local)
    }
    emitUnits(body, space, streams, [begin as Local, end as Local], () => () => undefined, unit)
  })
  return { f, units: empty ? 0 : unitsOf(space), grain: grainFor(length * space.segment) }
}

/** A running result in locals. */
interface State {
  readonly locals: readonly Local[]
  reset(): void
  /** New contents of the locals, one each, given the next lanes. */
  next(x: Value): readonly Value[]
  /** The result after a step, from the locals' contents. */
  result(contents: readonly Value[]): Value
}

function stepJobs(
  f: FunctionBuilder,
  g: Dataflow,
  site: Site,
  { x, out, dtype }: CumulativeKernel,
  at: Affine,
  state: State,
): Job[] {
  const value = loadLanes(g, dtype, site.address(x, at), site.laneStride(at), site.lanes)
  const contents = state.next(value)
  const store = storeJobs(g, f, dtype, site.address(out, at), site.laneStride(at), site.lanes, state.result(contents))
  const keep = contents.map((v, i): Job => ({ value: v, use: () => f.set(state.locals[i] as Local) }))
  // The stored value is made of the new contents: it goes first, while the locals are old.
  return [...store, ...keep]
}

const changing = 99

function plainState(f: FunctionBuilder, g: Dataflow, fold: Fold): State {
  const l = new Ops(g)
  const local = f.local('v128')
  return {
    locals: [local],
    reset: () => g.emit(f, [{ value: g.splat(fold.neutral), use: () => f.set(local) }]),
    next: (x) => [fold.combine(l, g.local(local, changing), x)],
    result: ([all]) => all as Value,
  }
}

function exactState(f: FunctionBuilder, g: Dataflow, product: boolean): State {
  const low = f.local('v128')
  const high = f.local('v128')
  const op = product ? 'f64x2.mul' : 'f64x2.add'
  const start = product ? g.splat64(0, 0x3ff00000) : g.splat(0)
  const step = (local: Local, x: Value): Value => g.v(op, g.local(local, changing), g.v('f64x2.promote_low_f32x4', x))
  const half = (x: Value | undefined): Value => g.v('f32x4.demote_f64x2_zero', x as Value)
  return {
    locals: [low, high],
    reset: () =>
      g.emit(
        f,
        [low, high].map((local): Job => ({ value: start, use: () => f.set(local) })),
      ),
    next: (x) => [step(low, x), step(high, g.shuffle(upperHalf, x, x))],
    result: ([a, b]) => g.shuffle(lowHalves, half(a), half(b)),
  }
}
