import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../../kernels/context.ts'
import { Lanes } from '../../math/lanes.ts'
import type { FunctionBuilder, Local } from '../../wasm/assembler.ts'
import { Dataflow, type Value } from '../../wasm/dataflow.ts'
import { addScaled, type Epilogue } from '../epilogue.ts'
import { emitFinish } from '../finish.ts'
import { limit } from '../split.ts'
import { type Push, workspace } from '../workspace.ts'
import { Area, oddLines, pushPart } from './area.ts'
import { paddedChannels } from './channels.ts'
import { type ConvKernel, type Correlation, correlationOf } from './choice.ts'
import { timesColumns } from './linear.ts'
import { emitProducts } from './multiply.ts'
import { PatchTransform } from './patches.ts'
import { kernelSize, type Scheme } from './scheme.ts'
import { forRuns, layoutOf, stripsOf } from './strips.ts'

const mostSlots = 8
const mostSumBytes = 80 * 1024 * 1024

/** Sums of one slot: [product][row][channel], in bytes. */
interface Sums {
  readonly slots: number
  readonly rowBytes: number
  readonly planeBytes: number
  readonly slotBytes: number
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
 * they are transformed. Strips are dealt into slots, each of which has sums of its own; then slots are added up and
 * transformed; then comes the epilogue.
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
  const sums = sumsOf(c, scheme, count)
  const perSlot = strips.rows * Math.ceil(count / sums.slots)
  const [image, gradient] = [layoutOf(channels, strips.tiles), layoutOf(rows, strips.tiles)]
  const area = new Area()
  const own: Push = (f) => memory.own(f)
  const input = { scheme, channels, matrix: scheme.b, height: y.image, width: x.image, top: y.lo, left: x.lo }
  const output = { scheme, channels: rows, matrix: scheme.a, height: y.output, width: x.output, top: 0, left: 0 }
  const patches = new PatchTransform(context, { ...input, tiles: strips.width }, image, area, own)
  const tiles = new PatchTransform(context, { ...output, tiles: strips.width }, gradient, area, own)
  const right = area.take(scheme.products * image.planeBytes)
  const left = area.take(scheme.products * gradient.planeBytes)
  const weightBytes = 4 * sizeOf(kernel.domain) + 16
  const memory = workspace(context, sums.slots * sums.slotBytes + weightBytes, area.bytes)
  const multiply = emitProducts(context, {
    count: scheme.products,
    rows,
    columns: channels,
    panel: 16,
    left: { product: gradient.planeBytes, row: 4 },
    right: { product: image.planeBytes, panel: 64 },
    result: { product: sums.planeBytes, row: sums.rowBytes },
    sum: { count: strips.tiles, splat: gradient.tileBytes, vector: image.tileBytes },
    added: true,
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
      transform: tiles,
      f: tiles.emit(),
      buffer: kernel.b.buffer,
      bytes: rows * y.output * x.output * 4,
      part: left,
      layout: gradient,
    },
  ]
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const [slot, first, last, until] = [begin as Local, f.local('i32'), f.local('i32'), f.local('i32')]
    for (const { transform } of sides) transform.clear(f)
    f.whileBelow(slot, end as Local, 1, () => {
      pushSlot(f, slot)
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
            pushPart(f, own, part)
            f.i32(0)
            f.i32(part.bytes)
            f.memoryFill()
          }
        })
        forRuns(f, strips, first, last, (run) => {
          for (const side of sides) {
            pushPointer(f, context.slot(side.buffer))
            addScaled(f, run.image, side.bytes)
            f.get(run.row)
            f.get(run.end)
            pushPart(f, own, side.part)
            addScaled(f, run.number, strips.width * side.layout.tileBytes)
            f.call(side.f)
          }
        })
        pushPart(f, own, left)
        pushPart(f, own, right)
        pushSlot(f, slot)
        f.call(multiply)
      })
    })
  })
  const work = (rows * channels * perSlot * strips.width * scheme.products) / 2
  const weights: Push = (f) => {
    memory.shared(f)
    addScaled(f, 1, sums.slots * sums.slotBytes)
  }
  return [
    { f, units: sums.slots, grain: grainFor(work) },
    addUp(context, scheme, c, sums, memory.shared, weights),
    emitFinish(context, epilogue, kernel.domain, { address: weights, copies: 1, copyBytes: 0 }),
  ]

  function pushSlot(f: FunctionBuilder, slot: Local): void {
    memory.shared(f)
    addScaled(f, slot, sums.slotBytes)
  }
}

/** The weights [rows, channels, 3, 3] from the sums of all slots. Units: rows. */
function addUp(
  context: KernelContext,
  scheme: Scheme,
  { rows, channels }: Correlation,
  sums: Sums,
  source: Push,
  target: Push,
): KernelCode {
  const { patch, g: matrix } = scheme
  const { own } = workspace(context, 0, kernelSize * patch * 16)
  const taps = kernelSize ** 2
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const row = begin as Local
    const [from, half, to] = [f.local('i32'), f.local('i32'), f.local('i32')]
    own(f)
    f.set(half)
    const four = (lanes: number): void => {
      f.times(patch, () => {
        const g = new Dataflow(context)
        const l = new Lanes(g)
        const xs = Array.from({ length: patch }, (_, i) => {
          const load = (slot: number): Value => {
            const offset = slot * sums.slotBytes + i * patch * sums.planeBytes
            return g.load('v128.load', { base: g.local(from, 1), offset })
          }
          let sum = load(0)
          for (let slot = 1; slot < sums.slots; slot++) sum = l.add(sum, load(slot))
          return sum
        })
        g.emit(
          f,
          timesColumns(l, matrix, xs).map(([y, value]) => ({
            address: g.local(half, 1),
            value,
            use: () => f.store('v128.store', y * patch * 16),
          })),
        )
        f.bump(from, sums.planeBytes)
        f.bump(half, 16)
      })
      f.bump(from, 16 - patch * sums.planeBytes)
      f.bump(half, -16 * patch)
      for (let y = 0; y < kernelSize; y++) {
        const g = new Dataflow(context)
        const base = g.local(half, 1)
        const xs = Array.from({ length: patch }, (_, j) => g.load('v128.load', { base, offset: 16 * (y * patch + j) }))
        const results = timesColumns(new Lanes(g), matrix, xs)
        const lane = f.local('v128')
        for (const [x, value] of results)
          g.emit(f, [
            {
              value,
              use: () => {
                f.set(lane)
                for (let i = 0; i < lanes; i++) {
                  f.get(to)
                  f.get(lane)
                  f.laneAccess('v128.store32_lane', i, 4 * (i * taps + kernelSize * y + x))
                }
              },
            },
          ])
        f.release(lane)
      }
      f.bump(to, 4 * lanes * taps)
    }
    f.whileBelow(row, end as Local, 1, () => {
      source(f)
      addScaled(f, row, sums.rowBytes)
      f.set(from)
      target(f)
      addScaled(f, row, 4 * taps * channels)
      f.set(to)
      f.times(Math.floor(channels / 4), () => four(4))
      if (channels % 4 > 0) four(channels % 4)
    })
  })
  return { f, units: rows, grain: grainFor((channels * scheme.products * (sums.slots + 2)) / 4) }
}
