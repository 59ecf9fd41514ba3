import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../../kernels/context.ts'
import type { FunctionBuilder, Local } from '../../wasm/assembler.ts'
import { addScaled, type Epilogue } from '../epilogue.ts'
import { emitFinish } from '../finish.ts'
import { limit } from '../split.ts'
import { type Push, workspace } from '../workspace.ts'
import { addUp, type Sums } from './addUp.ts'
import { Area, oddLines, type Part, pushPart } from './area.ts'
import { paddedChannels } from './channels.ts'
import { type ConvKernel, type Correlation, correlationOf } from './choice.ts'
import { emitProducts } from './multiply.ts'
import { PatchTransform } from './patches.ts'
import type { Scheme } from './scheme.ts'
import { forRuns, forStrips, layoutOf, type Strips, stripsOf } from './strips.ts'

const mostSlots = 8
const mostSumBytes = 40 * 1024 * 1024
/** Tiles whose sum is made in one go: a column of either operand stays in the cache. */
const mostTiles = 1024

/**
 * Whether all tiles are transformed before they are multiplied: where that takes less memory than slots. Late layers have
 * many channels and small images.
 */
const isWhole = ({ rows, channels }: Correlation, { total, width }: Strips): boolean => {
  const tiles = total * width
  return tiles <= mostTiles && tiles * (paddedChannels(rows) + paddedChannels(channels)) <= mostSlots * rows * channels
}

function sumsOf({ rows, channels }: Correlation, { products }: Scheme, strips: number): Sums {
  const rowBytes = 4 * paddedChannels(channels)
  const planeBytes = oddLines(rows * rowBytes)
  const slotBytes = products * planeBytes
  const most = Math.min(mostSlots, strips, Math.floor(mostSumBytes / slotBytes))
  // An even number of slots suits two threads.
  return { slots: Math.max(1, most > 2 ? most - (most % 2) : most), rowBytes, planeBytes, slotBytes }
}

/**
 * The gradient of 3x3 weights: g' = G^T [(A y' A^T) . (B^T d B)] G, where the products are summed over all tiles before
 * they are transformed. Either all tiles are transformed, and then the sums of each product are units; or strips are
 * dealt into slots, each of which has sums of its own, and slots are added up. Last comes the epilogue.
 */
export function emitWeightGradient(
  context: KernelContext,
  epilogue: Epilogue,
  kernel: ConvKernel,
  scheme: Scheme,
): readonly KernelCode[] {
  const c = correlationOf(kernel) as Correlation
  const { rows, channels, y, x } = c
  const strips = stripsOf(c, scheme, mostSlots)
  const count = Math.ceil(strips.total / strips.rows)
  const whole = isWhole(c, strips)
  const sums = sumsOf(c, scheme, whole ? 1 : count)
  const tiles = whole ? strips.total * strips.width : strips.tiles
  const [image, gradient] = [layoutOf(channels, tiles), layoutOf(rows, tiles)]
  const [area, common] = [new Area(), new Area()]
  const own: Push = (f) => memory.own(f)
  const input = { scheme, channels, matrix: scheme.b, height: y.image, width: x.image, top: y.lo, left: x.lo }
  const output = { scheme, channels: rows, matrix: scheme.a, height: y.output, width: x.output, top: 0, left: 0 }
  const patches = new PatchTransform(context, { ...input, tiles: strips.width }, image, area, own)
  const results = new PatchTransform(context, { ...output, tiles: strips.width }, gradient, area, own)
  const slots = common.take(sums.slots * sums.slotBytes)
  const weights = common.take(4 * sizeOf(kernel.domain) + 16)
  const operands = whole ? common : area
  const right = operands.take(scheme.products * image.planeBytes)
  const left = operands.take(scheme.products * gradient.planeBytes)
  const memory = workspace(context, common.bytes, area.bytes)
  const multiply = emitProducts(context, {
    count: whole ? 1 : scheme.products,
    rows,
    columns: channels,
    panel: 16,
    left: { product: gradient.planeBytes, row: 4 },
    right: { product: image.planeBytes, panel: 64 },
    result: { product: sums.planeBytes, row: sums.rowBytes },
    sum: { count: tiles, splat: gradient.tileBytes, vector: image.tileBytes },
    added: !whole,
  })
  const sides = [
    {
      transform: patches,
      f: patches.emit(),
      buffer: kernel.a.buffer,
      bytes: channels * y.image * x.image * 4,
      part: right,
      layout: image,
    },
    {
      transform: results,
      f: results.emit(),
      buffer: kernel.b.buffer,
      bytes: rows * y.output * x.output * 4,
      part: left,
      layout: gradient,
    },
  ]
  const pushOperand = (f: FunctionBuilder, part: Part): void => pushPart(f, whole ? memory.shared : own, part)
  const address: Push = (f) => pushPart(f, memory.shared, weights)
  return [
    ...(whole ? inTurn() : [bySlots()]),
    addUp(context, scheme, c, sums, memory.shared, address),
    emitFinish(context, epilogue, kernel.domain, { address, copies: 1, copyBytes: 0 }),
  ]

  /** Transforms rows of tiles [first, last): to the place of the first one, or to their places among all. */
  function transform(f: FunctionBuilder, first: Local, last: Local): void {
    forRuns(f, strips, first, last, (run) => {
      for (const side of sides) {
        const rowBytes = strips.width * side.layout.tileBytes
        pushPointer(f, context.slot(side.buffer))
        addScaled(f, run.image, side.bytes)
        f.get(run.row)
        f.get(run.end)
        pushOperand(f, side.part)
        addScaled(f, run.number, rowBytes)
        if (whole) addScaled(f, first, rowBytes)
        f.call(side.f)
      }
    })
  }

  /** Units: strips, then products. */
  function inTurn(): KernelCode[] {
    const tileWork = 8 * scheme.products * (rows + channels)
    const all = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
      for (const side of sides) side.transform.clear(f)
      forStrips(f, strips, begin as Local, end as Local, (first, last) => transform(f, first, last))
    })
    const each = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
      const product = begin as Local
      f.whileBelow(product, end as Local, 1, () => {
        pushOperand(f, left)
        addScaled(f, product, gradient.planeBytes)
        pushOperand(f, right)
        addScaled(f, product, image.planeBytes)
        pushPart(f, memory.shared, slots)
        addScaled(f, product, sums.planeBytes)
        f.call(multiply)
      })
    })
    return [
      { f: all, units: count, grain: grainFor(strips.tiles * tileWork) },
      { f: each, units: scheme.products, grain: grainFor((rows * channels * tiles) / 2) },
    ]
  }

  /** Units: slots. */
  function bySlots(): KernelCode {
    const perSlot = strips.rows * Math.ceil(count / sums.slots)
    const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
      const [slot, first, last, until] = [begin as Local, f.local('i32'), f.local('i32'), f.local('i32')]
      for (const side of sides) side.transform.clear(f)
      const pushSlot = (): void => {
        pushPart(f, memory.shared, slots)
        addScaled(f, slot, sums.slotBytes)
      }
      f.whileBelow(slot, end as Local, 1, () => {
        pushSlot()
        f.i32(0)
        f.i32(sums.slotBytes)
        f.memoryFill()
        f.i32(0)
        addScaled(f, slot, perSlot)
        f.tee(first)
        f.i32(perSlot)
        f.op('i32.add')
        f.set(until)
        limit(f, until, strips.total)
        f.whileBelow(first, until, strips.rows, () => {
          f.get(first)
          f.i32(strips.rows)
          f.op('i32.add')
          f.tee(last)
          f.get(until)
          f.op('i32.gt_u')
          f.if(() => {
            f.get(until)
            f.set(last)
            // Tiles that are not there must add nothing.
            for (const { part } of sides) {
              pushOperand(f, part)
              f.i32(0)
              f.i32(part.bytes)
              f.memoryFill()
            }
          })
          transform(f, first, last)
          pushOperand(f, left)
          pushOperand(f, right)
          pushSlot()
          f.call(multiply)
        })
      })
    })
    const work = (rows * channels * perSlot * strips.width * scheme.products) / 2
    return { f, units: sums.slots, grain: grainFor(work) }
  }
}
