import type { PooledGradient } from '@tessella/compiler'
import { internalError } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../../kernels/context.ts'
import type { FunctionRef, Local } from '../../wasm/assembler.ts'
import { addScaled, type Epilogue } from '../epilogue.ts'
import { planeOf } from '../plane.ts'
import { placesBytes } from '../poolPlaces.ts'
import { emitUnpad } from '../scatter.ts'
import type { Axes, Axis, ConvShape } from '../window.ts'
import { aligned, bufferAddress, workspace } from '../workspace.ts'
import { type GradientKernel, shapeOf } from './choice.ts'
import { emitEntries, entriesOf, entryBytes, type Windows } from './entries.ts'
import { emitSeparate } from './interleave.ts'
import { spreadOf } from './spread.ts'
import { type Part, partsOf, Sums, tilesOf } from './tile.ts'

/**
 * For each window, the sum over channels o of dy[o] * weights[o], shifted to where the maximum of o is in the window, is added
 * to an interleaved image with borders; then the image's channels are taken apart. Units: images.
 */
export function emitPooledInputGradient(
  context: KernelContext,
  epilogue: Epilogue,
  kernel: GradientKernel,
  { values, places, weights }: PooledGradient,
): readonly KernelCode[] {
  if (weights === undefined) throw internalError('a gradient by a pool without weights')
  const shape = shapeOf(kernel)
  const { channels, outputs, axes } = shape
  const [, y, x] = axes
  const spread = spreadOf(shape)
  const windows: Windows = {
    planes: outputs,
    rows: Math.floor(y.output / 2),
    columns: Math.floor(x.output / 2),
    planeStep: spread.planeBytes,
    rowStep: 0,
    columnStep: 0,
    right: -x.stride * channels * 4,
    down: -y.stride * spread.rowBytes,
  }
  const size = (a: Axis, count: number): number =>
    Math.max(2 * (count - 1) * a.stride + a.kernel + a.stride, a.lo + a.input)
  const rowBytes = size(x, windows.columns) * channels * 4
  // Patches are whole registers.
  const sumBytes = aligned(size(y, windows.rows) * rowBytes + spread.floats * 4)
  const listBytes = aligned(outputs * entryBytes(windows))
  const imageBytes = channels * shape.inputPlane * 4
  const placeBytes = outputs * placesBytes(kernel.a.shape)
  const valueBytes = outputs * windows.rows * windows.columns * 4
  const { own } = workspace(context, 0, sumBytes + listBytes + aligned(imageBytes + 16))
  const entries = emitEntries(context, windows)
  const parts = partsOf(context, y.kernel + y.stride, spread.floats)
  const tiles = emitTiles(context, shape, windows, parts, rowBytes)
  const separate = emitSeparate(context, {
    channels,
    height: y.input,
    width: x.input,
    top: 0,
    left: 0,
    rows: y.input,
    columns: x.input,
    rowBytes,
  })
  // Images that are written as they are need no copy in between.
  const whole = isWhole(kernel, shape)
  const finish = whole ? undefined : emitWhole(context, epilogue, shape)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const n = begin as Local
    const [sums, list, planes] = [0, 1, 2].map(() => f.local('i32')) as [Local, Local, Local]
    own(f)
    f.tee(sums)
    f.push(sumBytes, 'i32.add')
    f.tee(list)
    f.push(listBytes, 'i32.add')
    f.set(planes)
    f.whileBelow(n, end as Local, 1, () => {
      f.push(sums, 0, sumBytes)
      f.memoryFill()
      for (const [buffer, bytes] of [
        [places, placeBytes],
        [values, valueBytes],
      ] as const) {
        bufferAddress(context, buffer)(f)
        addScaled(f, n, bytes)
      }
      bufferAddress(context, weights)(f)
      f.push(spread.start, 'i32.add', list)
      f.call(entries)
      f.push(list, sums)
      f.call(tiles)
      f.push(sums, y.lo * rowBytes + x.lo * channels * 4, 'i32.add')
      if (!finish) {
        epilogue.pushBases(f, [n])
        f.call(separate)
        return
      }
      f.get(planes)
      f.call(separate)
      f.get(planes)
      epilogue.pushBases(f, [n])
      f.call(finish)
    })
  })
  const work = (channels * outputs * shape.taps * entriesOf(windows)) / 8
  return [{ f, units: shape.n, grain: grainFor(work) }]
}

function isWhole({ writes }: GradientKernel, { axes, inputPlane }: ConvShape): boolean {
  const [write, ...more] = writes
  if (!write || more.length > 0 || write.value.kind !== 'result' || write.at.offset !== 0) return false
  return write.at.strides.slice(1).join() === [inputPlane, axes[2].input, 1].join()
}

/** A function (image of planes, ...running addresses). */
function emitWhole(context: KernelContext, epilogue: Epilogue, shape: ConvShape): FunctionRef {
  const axes = shape.axes.map((a) => ({ ...a, lo: 0 })) as unknown as Axes
  const copied = ({ input }: Axis) => ({ source: input, insert: 1, lo: 0, target: input })
  const [z, y, x] = axes
  const plane = planeOf({
    channels: shape.channels,
    axes: [copied(z), copied(y), copied(x)],
    phases: 1,
    partWidth: x.input,
    fill: 0,
  })
  return emitUnpad(context, epilogue, plane, shape.channels, axes, 2)
}

/** A function (entries, interleaved image). */
function emitTiles(
  context: KernelContext,
  shape: ConvShape,
  windows: Windows,
  parts: readonly Part[],
  rowBytes: number,
): FunctionRef {
  const spread = spreadOf(shape)
  const tiles = tilesOf(parts, (part) => emitTile(context, shape, windows, part, rowBytes))
  return context.module.function(['i32', 'i32'], [], (f, list, sums) => {
    for (const [i, part] of parts.entries()) {
      f.push(list as Local, sums as Local)
      addScaled(f, 1, part.row * rowBytes + part.vector * 16)
      f.push(part.row * spread.rowBytes + part.vector * 16)
      f.call(tiles[i] as FunctionRef)
    }
  })
}

/** A function (entries, interleaved image, offset): a part of the patches of all windows. */
function emitTile(
  context: KernelContext,
  shape: ConvShape,
  windows: Windows,
  part: Part,
  rowBytes: number,
): FunctionRef {
  const { axes, channels, outputs } = shape
  const [, y, x] = axes
  const { rows, columns } = windows
  const perPlane = entriesOf(windows)
  const planeBytes = entryBytes(windows)
  return context.module.function(['i32', 'i32', 'i32'], [], (f, ...params) => {
    const [list, target, offset] = params as [Local, Local, Local]
    const sums = new Sums(f, context, part, spreadOf(shape).rowBytes)
    const entry = f.local('i32')
    const some = (sets: number): void => {
      for (let set = 0; set < sets; set++) sums.add(set, entry, set * planeBytes, 4 * perPlane, offset)
    }
    f.times(rows, () => {
      f.times(columns, () => {
        sums.clear()
        f.get(list)
        f.set(entry)
        f.times(Math.floor(outputs / sums.sets), () => {
          some(sums.sets)
          f.bump(entry, sums.sets * planeBytes)
        })
        some(outputs % sums.sets)
        sums.store(target, rowBytes)
        f.bump(list, 4)
        f.bump(target, 2 * x.stride * channels * 4)
      })
      f.bump(list, 4 * (perPlane / rows - columns))
      f.bump(target, 2 * y.stride * rowBytes - columns * 2 * x.stride * channels * 4)
    })
  })
}
