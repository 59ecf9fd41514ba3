import type { Affine, Kernel } from '@tessella/compiler'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import { Dataflow, type Value } from '../wasm/dataflow.ts'
import { loadLanes } from '../wasm/lanesMemory.ts'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from './context.ts'
import { type LeveledLoop, Streams } from './streams.ts'
import { emitUnits, partsOf, type UnitSpace, unitsOf } from './units.ts'

type ScatterKernel = Extract<Kernel, { kind: 'scatterAdd' }>

const elementBytes = 4

/** Zeros, then additions in order of the source: a unit owns some columns, so that the result does not depend on units. */
export function emitScatterAdd(context: KernelContext, kernel: ScatterKernel): readonly KernelCode[] {
  const parts = [emitZero(context, kernel.out, kernel.outer * kernel.size * kernel.inner)]
  if (kernel.outer * kernel.length * kernel.inner * kernel.size > 0) parts.push(emitAdd(context, kernel))
  return parts
}

/** Work units of 4096 elements. */
function emitZero(context: KernelContext, out: number, elements: number): KernelCode {
  const bytes = elements * elementBytes
  const unit = 16384
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    const scaled = (x: Local): void => {
      body.push(x, unit, 'i32.mul')
    }
    pushPointer(body, context.slot(out))
    scaled(begin as Local)
    body.push('i32.add', 0)
    // min(end * unit, bytes) - begin * unit
    scaled(end as Local)
    body.i32(bytes)
    scaled(end as Local)
    body.push(bytes, 'i32.lt_u')
    body.select('i32')
    scaled(begin as Local)
    body.op('i32.sub')
    body.memoryFill()
  })
  return { f, units: Math.ceil(bytes / unit), grain: grainFor(unit / 16) }
}

function emitAdd(context: KernelContext, kernel: ScatterKernel): KernelCode {
  const { outer, length, inner, size, index, values, out, dtype } = kernel
  const source: Affine = { offset: 0, strides: [length * inner, inner, 1] }
  const target: Affine = { offset: 0, strides: [size * inner, 0, 1] }
  const rows: LeveledLoop = { size: outer, dimension: 0, level: 1 }
  const steps: LeveledLoop = { size: length, dimension: 1, level: 2 }
  const columns: LeveledLoop = { size: inner, dimension: 2, level: 1 }
  const space: UnitSpace = { outer: [rows], cut: columns, segment: Math.min(64, inner) }
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    const g = new Dataflow(context)
    const streams = new Streams(
      context,
      [rows, steps, columns],
      [
        { buffer: index, at: source },
        { buffer: values, at: source },
        { buffer: out, at: target },
      ],
    )
    const unit = (count: number): void => {
      body.times(length, () => {
        for (const part of partsOf(count)) {
          const site = streams.site(g, part.lanes, columns, part.shift)
          const base = site.address(out, target)
          addLanes(body, g, {
            indices: loadLanes(g, 'int32', site.address(index, source), 1, part.lanes),
            values: loadLanes(g, dtype, site.address(values, source), 1, part.lanes),
            lanes: part.lanes,
            target: base.offset === 0 ? base.base : g.i('i32.add', base.base, g.integer(base.offset)),
            size,
            rowBytes: inner * elementBytes,
            float: dtype === 'float32',
          })
        }
        streams.move(body, [[steps, 1]])
      })
      streams.move(body, [[steps, -length]])
    }
    emitUnits(body, space, streams, [begin as Local, end as Local], () => () => undefined, unit)
  })
  return { f, units: unitsOf(space), grain: grainFor(length * space.segment * 4) }
}

interface Addition {
  readonly indices: Value
  readonly values: Value
  readonly lanes: number
  /** Address of row 0 in the first lane's column. */
  readonly target: Value
  readonly size: number
  readonly rowBytes: number
  readonly float: boolean
}

/** Whole vectors when all lanes go to one row (rows of an embedding do); lane by lane otherwise. */
function addLanes(f: FunctionBuilder, g: Dataflow, a: Addition): void {
  const indices = f.local('v128')
  const values = f.local('v128')
  const row = f.local('i32')
  const address = f.local('i32')
  g.emit(f, [
    { value: a.indices, use: () => f.set(indices) },
    { value: a.values, use: () => f.set(values) },
  ])
  const whenInside = (lane: number, add: () => void): void => {
    f.get(indices)
    f.lane('i32x4.extract_lane', lane)
    f.tee(row)
    f.push(a.size, 'i32.lt_u')
    f.if(() => {
      g.emit(f, [{ value: a.target, use: () => f.get(row) }])
      f.push(a.rowBytes, 'i32.mul', 'i32.add')
      f.tee(address)
      f.get(address)
      add()
    })
  }
  const eachLane = (): void => {
    for (let lane = 0; lane < a.lanes; lane++)
      whenInside(lane, () => {
        f.load(a.float ? 'f32.load' : 'i32.load', lane * elementBytes)
        f.get(values)
        f.lane(a.float ? 'f32x4.extract_lane' : 'i32x4.extract_lane', lane)
        f.op(a.float ? 'f32.add' : 'i32.add')
        f.store(a.float ? 'f32.store' : 'i32.store', lane * elementBytes)
      })
  }
  if (a.lanes < 4) eachLane()
  else {
    f.push(indices, indices)
    f.lane('i32x4.extract_lane', 0)
    f.push('i32x4.splat', 'i32x4.eq', 'i32x4.all_true')
    f.if(
      () =>
        whenInside(0, () => {
          f.load('v128.load')
          f.push(values, a.float ? 'f32x4.add' : 'i32x4.add')
          f.store('v128.store')
        }),
      eachLane,
    )
  }
  for (const local of [indices, values, row, address]) f.release(local)
}
