import type { PooledGradient } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../../wasm/assembler.ts'
import { forwardCopy } from '../conv.ts'
import { addScaled, type Epilogue } from '../epilogue.ts'
import { emitFinish, loadSums, type Stored } from '../finish.ts'
import { visible } from '../plane.ts'
import { placesBytes } from '../poolPlaces.ts'
import { type Before, emitSlots, slotsOf } from '../slots.ts'
import { limit } from '../split.ts'
import type { ConvShape } from '../window.ts'
import { aligned, bufferAddress, workspace } from '../workspace.ts'
import { type GradientKernel, rowFloats, shapeOf } from './choice.ts'
import { emitEntries, entriesOf, entryBytes, type Windows } from './entries.ts'
import { emitInterleave } from './interleave.ts'
import { type Part, partsOf, Sums, tilesOf } from './tile.ts'

/** Bytes of interleaved images and entries that all tiles go over: a part of the first-level cache. */
const workBytes = 24 * 1024
/** Images that take more are not in the second-level cache. */
const cacheBytes = 1024 * 1024

/**
 * dw[o] += dy * patch of the image, for the one element of each window that has a gradient. Patches of interleaved images are
 * rows of kernel width times channels, and so are the sums. Images are dealt into slots.
 */
export function emitPooledWeightGradient(
  context: KernelContext,
  epilogue: Epilogue,
  kernel: GradientKernel,
  { values, places }: PooledGradient,
  before: Before | undefined,
): readonly KernelCode[] {
  const { domain, a, b } = kernel
  const shape = shapeOf(kernel)
  const { channels, outputs, axes } = shape
  const [, y, x] = axes
  const [inY, inX] = [forwardCopy(y), forwardCopy(x)]
  const rowBytes = inX.target * channels * 4
  const [seenY, seenX] = [visible(inY), visible(inX)]
  const copy = emitInterleave(context, {
    channels,
    height: y.input,
    width: x.input,
    top: seenY.from,
    left: seenX.from,
    rows: seenY.to - seenY.from,
    columns: seenX.to - seenX.from,
    rowBytes,
    ahead: channels > 1 && shape.n * channels * shape.inputPlane * 4 > cacheBytes,
  })
  const copyStart = (seenY.from + y.lo) * rowBytes + (seenX.from + x.lo) * channels * 4
  const floats = rowFloats(x.kernel * channels)
  // The last row of a patch is read in whole registers.
  const copyBytes = aligned(inY.target * rowBytes + 4 * floats)
  const windows: Windows = {
    planes: outputs,
    rows: Math.floor(y.output / 2),
    columns: Math.floor(x.output / 2),
    planeStep: 0,
    rowStep: 2 * y.stride * rowBytes,
    columnStep: 2 * x.stride * channels * 4,
    right: x.stride * channels * 4,
    down: y.stride * rowBytes,
  }
  const entries = emitEntries(context, windows)
  const listBytes = aligned(outputs * entryBytes(windows))
  const imageBytes = channels * shape.inputPlane * 4
  const placeBytes = outputs * placesBytes(b.shape)
  const valueBytes = outputs * windows.rows * windows.columns * 4
  const sumFloats = outputs * y.kernel * floats
  const slots = slotsOf(shape.n, sumFloats * 4, imageBytes + placeBytes + valueBytes, before)
  const some = Math.max(1, Math.min(slots.block, Math.floor(workBytes / (copyBytes + listBytes))))
  const taken = some * (copyBytes + listBytes)
  const sumsBytes = slots.count * slots.sumBytes
  const { shared, own } = workspace(context, sumsBytes + aligned(sizeOf(domain) * 4 + 16), taken)
  const made = before?.make(taken, slots.block)
  const tiles = emitTiles(context, shape, windows, rowBytes, listBytes)
  const pushList = (f: FunctionBuilder): void => {
    own(f)
    addScaled(f, 1, some * copyBytes)
  }
  const f = emitSlots(context, slots, {
    sums: shared,
    made,
    prelude: (f) => {
      own(f)
      f.push(0, some * copyBytes)
      f.memoryFill()
    },
    add: (f, n, count, sums) => {
      const [done, now, i] = [0, 1, 2].map(() => f.local('i32')) as [Local, Local, Local]
      f.i32(0)
      f.set(done)
      f.whileBelow(done, count, some, () => {
        f.push(count, done, 'i32.sub')
        f.set(now)
        limit(f, now, some)
        f.i32(0)
        f.set(i)
        f.doWhileBelow(i, now, 1, () => {
          const ofImage = (buffer: number, bytes: number): void => {
            bufferAddress(context, buffer)(f)
            for (const index of [n, done, i]) addScaled(f, index, bytes)
          }
          const ownCopy = (start: number): void => {
            own(f)
            addScaled(f, 1, start)
            addScaled(f, i, copyBytes)
          }
          ofImage(a.buffer, imageBytes)
          ownCopy(copyStart)
          f.call(copy)
          ofImage(places, placeBytes)
          ofImage(values, valueBytes)
          ownCopy(0)
          pushList(f)
          addScaled(f, i, listBytes)
          f.call(entries)
        })
        pushList(f)
        f.push(now, sums)
        f.call(tiles)
      })
      for (const l of [done, now, i]) f.release(l)
    },
  })
  const work = slots.perSlot * sumFloats * entriesOf(windows)
  const sum = { address: shared, copies: slots.count, copyBytes: slots.sumBytes }
  const total = (f: FunctionBuilder): void => {
    shared(f)
    addScaled(f, 1, sumsBytes)
  }
  return [
    { f, units: slots.count, grain: grainFor(work / 8) },
    emitTotals(context, shape, floats, sum, total),
    emitFinish(context, epilogue, domain, { address: total, copies: 1, copyBytes: 0 }),
  ]
}

/** A function (entries, images, sums). */
function emitTiles(
  context: KernelContext,
  shape: ConvShape,
  windows: Windows,
  rowBytes: number,
  listBytes: number,
): FunctionRef {
  const [, y, x] = shape.axes
  const floats = rowFloats(x.kernel * shape.channels)
  const parts = partsOf(context, y.kernel, floats)
  const tiles = tilesOf(parts, (part) => emitTile(context, shape, windows, part, rowBytes, listBytes))
  return context.module.function(['i32', 'i32', 'i32'], [], (f, list, count, sums) => {
    for (const [i, part] of parts.entries()) {
      f.push(list as Local, count as Local, sums as Local)
      addScaled(f, 1, part.row * floats * 4 + part.vector * 16)
      f.push(part.row * rowBytes + part.vector * 16)
      f.call(tiles[i] as FunctionRef)
    }
  })
}

/** A function (entries, images, sums, offset): a part of the sums of all outputs. */
function emitTile(
  context: KernelContext,
  shape: ConvShape,
  windows: Windows,
  part: Part,
  rowBytes: number,
  listBytes: number,
): FunctionRef {
  const [, y, x] = shape.axes
  const floats = rowFloats(x.kernel * shape.channels)
  const perPlane = entriesOf(windows)
  return context.module.function(['i32', 'i32', 'i32', 'i32'], [], (f, ...params) => {
    const [list, count, target, offset] = params as [Local, Local, Local, Local]
    const sums = new Sums(f, context, part, rowBytes)
    const [entry, i] = [f.local('i32'), f.local('i32')]
    f.times(shape.outputs, () => {
      sums.clear()
      f.get(list)
      f.set(entry)
      f.i32(0)
      f.set(i)
      f.doWhileBelow(i, count, 1, () => {
        f.times(perPlane / sums.sets, () => {
          for (let set = 0; set < sums.sets; set++) sums.add(set, entry, 4 * set, 4 * perPlane, offset)
          f.bump(entry, 4 * sums.sets)
        })
        f.bump(entry, listBytes - 4 * perPlane)
      })
      sums.store(target, floats * 4)
      f.bump(list, 8 * perPlane)
      f.bump(target, y.kernel * floats * 4)
    })
  })
}

/** Adds up the slots and puts rows of elements with all channels in the order of the weight. Units: output channels. */
function emitTotals(
  context: KernelContext,
  { channels, outputs, taps, axes }: ConvShape,
  floats: number,
  sums: Stored,
  total: (f: FunctionBuilder) => void,
): KernelCode {
  const [, y, x] = axes
  const bytes = y.kernel * floats * 4
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const unit = begin as Local
    const [from, to, sum] = [f.local('i32'), f.local('i32'), f.local('v128')]
    f.whileBelow(unit, end as Local, 1, () => {
      sums.address(f)
      addScaled(f, unit, bytes)
      f.set(from)
      if (sums.copies > 1) {
        f.times(bytes / 16, () => {
          loadSums(f, from, 0, sum, sums)
          f.push(from, sum)
          f.store('v128.store', 0)
          f.bump(from, 16)
        })
        f.bump(from, -bytes)
      }
      total(f)
      addScaled(f, unit, channels * taps * 4)
      f.set(to)
      f.times(y.kernel, () => {
        f.times(x.kernel, () => {
          f.times(channels, () => {
            f.push(to, from)
            f.load('f32.load', 0)
            f.store('f32.store', 0)
            f.bump(from, 4)
            f.bump(to, taps * 4)
          })
          f.bump(to, 4 - channels * taps * 4)
        })
        f.bump(from, 4 * (floats - x.kernel * channels))
      })
    })
  })
  return { f, units: outputs, grain: grainFor(channels * taps * sums.copies) }
}
