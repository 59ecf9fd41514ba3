import { byteWidth } from '@tessella/ir'
import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'

/** How one axis of an image is copied: element i goes to `i * insert + lo`, where that is in [0, target). */
export interface AxisCopy {
  readonly source: number
  readonly insert: number
  readonly lo: number
  readonly target: number
}

export interface PlaneSpec {
  readonly channels: number
  readonly axes: readonly [z: AxisCopy, y: AxisCopy, x: AxisCopy]
  /** Position t along x is kept at place floor(t / phases) of row part t % phases: every phases-th element in a run. */
  readonly phases: number
  /** Elements of each row part. */
  readonly partWidth: number
  /** What the copy holds where the image has no element. */
  readonly fill: number
}

/**
 * An image [channels, z, y, x] that can be read at every position that windows touch, without bounds checks: in place,
 * or as a copy with borders, zeros between elements, and rows split by stride. Steps in bytes.
 */
export interface Plane {
  readonly spec: PlaneSpec
  readonly inPlace: boolean
  readonly channelStep: number
  readonly zStep: number
  readonly yStep: number
  /** Of the copy of one image; 0 in place. */
  readonly bytes: number
  /** Bytes from position 0 of a row to position `t`, for t = k * dilation (outputs are 4 bytes apart). */
  at(t: number): number
}

const elementBytes = byteWidth('float32')

/** `copied`: never in place. */
export function planeOf(spec: PlaneSpec, copied = false): Plane {
  const [z, y, x] = spec.axes
  const whole = spec.axes.every((a) => a.insert === 1 && a.lo === 0 && a.target <= a.source)
  const inPlace = !copied && spec.phases === 1 && whole
  const at = (t: number): number => ((t % spec.phases) * spec.partWidth + Math.floor(t / spec.phases)) * elementBytes
  if (inPlace) {
    const yStep = x.source * elementBytes
    const zStep = y.source * yStep
    return { spec, inPlace, yStep, zStep, channelStep: z.source * zStep, bytes: 0, at }
  }
  const yStep = spec.phases * spec.partWidth * elementBytes
  const zStep = y.target * yStep
  // Planes a multiple of 1 KiB apart would share few cache sets.
  const plane = z.target * zStep
  const channelStep = plane % 1024 === 0 ? plane + 64 : plane
  return { spec, inPlace, yStep, zStep, channelStep, bytes: Math.ceil((spec.channels * channelStep) / 64) * 64, at }
}

/** Emits the fill of `bytes` (a multiple of 16) at an address with a plane's border value. */
export function emitFill(f: FunctionBuilder, target: Local, plane: Plane): void {
  if (plane.spec.fill === 0) {
    f.push(target, 0, plane.bytes)
    f.memoryFill()
    return
  }
  const p = f.local('i32')
  const value = f.local('v128')
  f.get(target)
  f.set(p)
  f.f32(plane.spec.fill)
  f.op('f32x4.splat')
  f.set(value)
  f.times(plane.bytes / 16, () => {
    f.push(p, value)
    f.store('v128.store')
    f.bump(p, 16)
  })
  f.release(p)
  f.release(value)
}

/** Elements of the source that land in the target: [from, to). */
export function visible({ source, insert, lo, target }: AxisCopy): { from: number; to: number } {
  const from = Math.max(0, Math.ceil(-lo / insert))
  const to = Math.min(source, Math.floor((target - 1 - lo) / insert) + 1)
  return { from, to: Math.max(from, to) }
}

/** A function (image, copy) that copies the elements of one image; the border is filled beforehand, once. */
export function emitCopy(context: KernelContext, plane: Plane): FunctionRef {
  const { spec } = plane
  const key = `copy ${JSON.stringify(spec)}`
  const [z, y, x] = spec.axes
  return context.module.helper(key, ['i32', 'i32'], [], (f, image, copy) => {
    const source = image as Local
    const target = copy as Local
    const [vz, vy] = [visible(z), visible(y)]
    const row = x.source * elementBytes
    const rows = vy.to - vy.from
    const planes = vz.to - vz.from
    f.bump(source, (vz.from * y.source + vy.from) * row)
    f.bump(target, (vz.from * z.insert + z.lo) * plane.zStep + (vy.from * y.insert + y.lo) * plane.yStep)
    f.times(spec.channels, () => {
      f.times(planes, () => {
        f.times(rows, () => {
          for (const run of runsOf(spec)) copyRun(f, source, target, run)
          f.bump(source, row)
          f.bump(target, y.insert * plane.yStep)
        })
        f.bump(source, (y.source - rows) * row)
        f.bump(target, z.insert * plane.zStep - rows * y.insert * plane.yStep)
      })
      f.bump(source, (z.source - planes) * y.source * row)
      f.bump(target, plane.channelStep - planes * z.insert * plane.zStep)
    })
  })
}

/** Elements of a row with even steps: `count` from `from` on, to `to` on. */
interface Run {
  readonly count: number
  readonly from: number
  readonly fromStep: number
  readonly to: number
  readonly toStep: number
}

function runsOf({ axes: [, , x], phases, partWidth }: PlaneSpec): Run[] {
  const { from, to } = visible(x)
  if (phases === 1) return [{ count: to - from, from, fromStep: 1, to: from * x.insert + x.lo, toStep: x.insert }]
  const runs: Run[] = []
  for (let phase = 0; phase < phases; phase++) {
    // The first element whose position t = i + lo has this phase.
    const first = from + ((((phase - x.lo - from) % phases) + phases) % phases)
    const place = Math.floor((first + x.lo) / phases)
    const count = Math.min(Math.ceil((to - first) / phases), partWidth - place)
    if (count > 0) runs.push({ count, from: first, fromStep: phases, to: phase * partWidth + place, toStep: 1 })
  }
  return runs
}

function copyRun(f: FunctionBuilder, source: Local, target: Local, run: Run): void {
  const { count, from, fromStep, to, toStep } = run
  const move = (op: 'v128' | 'f32', i: number, s: Local, t: Local): void => {
    f.push(t, s)
    f.load(`${op}.load`, (from + i * fromStep) * elementBytes)
    f.store(`${op}.store`, (to + i * toStep) * elementBytes)
  }
  const contiguous = fromStep === 1 && toStep === 1
  if (contiguous && count >= 4 && count <= 64) {
    for (let i = 0; i + 4 <= count; i += 4) move('v128', i, source, target)
    if (count % 4 > 0) move('v128', count - 4, source, target)
    return
  }
  if (count <= 8) {
    for (let i = 0; i < count; i++) move('f32', i, source, target)
    return
  }
  const [s, t] = [f.local('i32'), f.local('i32')]
  f.get(source)
  f.set(s)
  f.get(target)
  f.set(t)
  const size = 4
  f.times(Math.floor(count / size), () => {
    if (contiguous) move('v128', 0, s, t)
    else for (let i = 0; i < size; i++) move('f32', i, s, t)
    f.bump(s, size * fromStep * elementBytes)
    f.bump(t, size * toStep * elementBytes)
  })
  for (let i = 0; i < count % size; i++) move('f32', i, s, t)
  f.release(s)
  f.release(t)
}
