import type { Kernel } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionRef, Local } from '../wasm/assembler.ts'
import { forwardCopy } from './conv.ts'
import { type DotLoop, dotRows, emitDots, laneBytes, mostTaps } from './dot.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitFinish } from './finish.ts'
import { emitCopy, emitFill, type Plane, planeOf } from './plane.ts'
import { emitPooledWeightGradient } from './pooled/weightGradient.ts'
import { type Before, emitSlots, partsFor, type SlotCode, slotsOf } from './slots.ts'
import { splitEvenly } from './split.ts'
import { type ConvShape, convShapeOf, flattened } from './window.ts'
import { schemeFor } from './winograd/choice.ts'
import { emitWeightGradient } from './winograd/weightGradient.ts'
import { workspace } from './workspace.ts'

type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>

/** One dimension of the weight's taps. */
interface TapDimension {
  readonly count: number
  /** Bytes of the image and of the weight per step. */
  readonly image: number
  readonly weight: number
}

/** Images are dealt into slots; each sums its own gradient, and the epilogue adds those up. */
export function emitConvGradWeight(context: KernelContext, kernel: ConvKernel, before?: Before): readonly KernelCode[] {
  const { domain, a, b, attrs, writes } = kernel
  if (sizeOf(domain) === 0) return []
  const epilogue = new Epilogue(context, writes)
  const scheme = schemeFor(kernel, context.features.accurate === true)
  if (scheme) return emitWeightGradient(context, epilogue, kernel, scheme)
  if (kernel.pooled) return emitPooledWeightGradient(context, epilogue, kernel, kernel.pooled, before)
  const shape = flattened(convShapeOf(a.shape, domain, b.shape, attrs), domain.length - 2, [])
  const [z, y, x] = shape.axes
  const plane = planeOf({
    channels: shape.groups * shape.channels,
    axes: [forwardCopy(z), forwardCopy(y), forwardCopy(x)],
    phases: x.stride,
    partWidth: Math.floor(((x.kernel - 1) * x.dilation) / x.stride) + x.output,
    fill: 0,
  })
  const imageBytes = shape.groups * shape.channels * shape.inputPlane * 4
  const gradBytes = shape.groups * shape.outputs * shape.outputPlane * 4
  const used = gradBytes + (plane.inPlace ? imageBytes : plane.bytes)
  const slots = slotsOf(shape.n, sizeOf(domain) * 4 + 16, used, before)
  const copies = plane.inPlace ? 0 : plane.bytes * slots.block
  const { shared, own } = workspace(context, slots.count * slots.sumBytes, copies + laneBytes)
  const copy = plane.inPlace ? undefined : emitCopy(context, plane)
  // What makes the operands would run for each part.
  const parts = before || shape.groups > 1 ? 1 : partsFor(slots, shape.outputs)
  const outputs = shape.outputs / parts
  const partBytes = outputs * shape.channels * shape.taps * 4
  const tiles = emitSlotTiles(
    context,
    { ...shape, outputs },
    plane,
    plane.inPlace ? imageBytes : plane.bytes,
    gradBytes,
  )
  const code: SlotCode = {
    sums: shared,
    made: before?.make(copies + laneBytes, slots.block),
    prelude: (f) => {
      if (!copy) return
      const image = f.local('i32')
      own(f)
      f.set(image)
      f.times(slots.block, () => {
        emitFill(f, image, plane)
        f.bump(image, plane.bytes)
      })
      f.release(image)
    },
    add: (f, n, count, sums, part) => {
      if (copy) {
        const i = f.local('i32')
        f.i32(0)
        f.set(i)
        f.whileBelow(i, count, 1, () => {
          pushPointer(f, context.slot(a.buffer))
          addScaled(f, n, imageBytes)
          addScaled(f, i, imageBytes)
          own(f)
          addScaled(f, i, plane.bytes)
          f.call(copy)
        })
        f.release(i)
      }
      pushPointer(f, context.slot(b.buffer))
      addScaled(f, n, gradBytes)
      addScaled(f, part, outputs * shape.outputPlane * 4)
      if (copy) own(f)
      else {
        pushPointer(f, context.slot(a.buffer))
        addScaled(f, n, imageBytes)
      }
      f.push(count, sums)
      own(f)
      addScaled(f, 1, copies)
      f.call(tiles)
    },
  }
  const f = emitSlots(context, slots, code, { parts, bytes: partBytes })
  const work = (slots.perSlot * sizeOf(domain) * shape.outputPlane) / 8 / parts
  return [
    { f, units: slots.count * parts, grain: grainFor(work) },
    emitFinish(context, epilogue, domain, { address: shared, copies: slots.count, copyBytes: slots.sumBytes }),
  ]
}

/** A function (gradients, images, how many, sums, lanes) that goes over all tiles of the weight. */
function emitSlotTiles(
  context: KernelContext,
  shape: ConvShape,
  plane: Plane,
  imageStep: number,
  gradBytes: number,
): FunctionRef {
  const [z, y, x] = shape.axes
  const { taps } = shape
  const rowBytes = x.output * 4
  const loops: DotLoop[] = [
    { count: z.output, row: y.output * rowBytes, tap: z.stride * plane.zStep },
    { count: y.output, row: rowBytes, tap: y.stride * plane.yStep },
  ]
  const dimensions: TapDimension[] = [
    { count: shape.channels, image: plane.channelStep, weight: taps * 4 },
    { count: z.kernel, image: z.dilation * plane.zStep, weight: y.kernel * x.kernel * 4 },
    { count: y.kernel, image: y.dilation * plane.yStep, weight: x.kernel * 4 },
  ]
  // Tiles take the taps along x, or along the last dimension that has several: those are evenly apart.
  const along = x.kernel > 1 ? undefined : dimensions.findLast((d) => d.count > 1)
  const others = dimensions.filter((d) => d !== along)
  const rowStep = shape.outputPlane * 4
  const weightRow = shape.channels * taps * 4
  const dots = (rows: number, offsets: readonly number[], sumTap: number): FunctionRef =>
    emitDots(context, {
      rows,
      rowStep,
      taps: offsets,
      repeat: { row: gradBytes, tap: imageStep },
      loops,
      length: x.output,
      sumRow: weightRow,
      sumTap,
    })
  /** Tap pieces: offsets, and how often and how far apart they repeat. */
  const pieces: { offsets: number[]; sumTap: number; start: TapDimension; repeat: TapDimension }[] = []
  if (along) {
    const split = splitEvenly(along.count, mostTaps)
    const add = (length: number, from: number, count: number): void => {
      if (count === 0) return
      pieces.push({
        offsets: Array.from({ length }, (_, i) => i * along.image),
        sumTap: along.weight,
        start: { count: 1, image: from * along.image, weight: from * along.weight },
        repeat: { count, image: length * along.image, weight: length * along.weight },
      })
    }
    add(split.small + 1, 0, split.large)
    add(split.small, split.large * (split.small + 1), split.pieces - split.large)
  } else {
    const split = splitEvenly(x.kernel, mostTaps)
    for (let piece = 0, k = 0; piece < split.pieces; piece++) {
      const length = split.small + (piece < split.large ? 1 : 0)
      pieces.push({
        offsets: Array.from({ length }, (_, i) => plane.at((k + i) * x.dilation)),
        sumTap: 4,
        start: { count: 1, image: 0, weight: k * 4 },
        repeat: { count: 1, image: 0, weight: 0 },
      })
      k += length
    }
  }
  const plans = pieces.map((piece) => {
    const split = splitEvenly(shape.outputs, dotRows(piece.offsets.length))
    return {
      ...piece,
      split,
      large: split.large > 0 ? dots(split.small + 1, piece.offsets, piece.sumTap) : undefined,
      small: split.large < split.pieces ? dots(split.small, piece.offsets, piece.sumTap) : undefined,
    }
  })
  return context.module.function(['i32', 'i32', 'i32', 'i32', 'i32'], [], (f, ...params) => {
    const [p, q, count, out, lanes] = params as [Local, Local, Local, Local, Local]
    const rowsOf = (times: number, rows: number, callee: FunctionRef | undefined): void => {
      if (!callee || times === 0) return
      f.times(times, () => {
        for (const arg of [p, q, count, out, lanes]) f.get(arg)
        f.call(callee)
        f.bump(p, rows * rowStep)
        f.bump(out, rows * weightRow)
      })
    }
    const tapsOf = (): void => {
      for (const { split, large, small, start, repeat } of plans) {
        f.bump(q, start.image)
        f.bump(out, start.weight)
        f.times(repeat.count, () => {
          rowsOf(split.large, split.small + 1, large)
          rowsOf(split.pieces - split.large, split.small, small)
          f.bump(p, -shape.outputs * rowStep)
          f.bump(out, -shape.outputs * weightRow + repeat.weight)
          f.bump(q, repeat.image)
        })
        f.bump(q, -start.image - repeat.count * repeat.image)
        f.bump(out, -start.weight - repeat.count * repeat.weight)
      }
    }
    const nest = (depth: number): void => {
      const d = others[depth]
      if (!d) {
        tapsOf()
        return
      }
      f.times(d.count, () => {
        nest(depth + 1)
        f.bump(q, d.image)
        f.bump(out, d.weight)
      })
      f.bump(q, -d.count * d.image)
      f.bump(out, -d.count * d.weight)
    }
    f.times(shape.groups, () => {
      nest(0)
      f.bump(p, shape.outputs * rowStep)
      f.bump(q, shape.channels * plane.channelStep)
      f.bump(out, shape.outputs * weightRow)
    })
  })
}
