import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../../kernels/context.ts'
import type { Local } from '../../wasm/assembler.ts'
import { addScaled, type Epilogue } from '../epilogue.ts'
import { type Push, workspace } from '../workspace.ts'
import { Area, pushPart } from './area.ts'
import { type ConvKernel, type Correlation, correlationOf } from './choice.ts'
import { emitProducts } from './multiply.ts'
import { PatchTransform } from './patches.ts'
import type { Scheme } from './scheme.ts'
import { forRuns, forStrips, layoutOf, stripsOf } from './strips.ts'
import { TileTransform } from './tiles.ts'
import { panelBytes, panelRows, planeBytesOf, transformWeights, type Weights } from './weights.ts'

/** Weights as the correlation takes them. */
function weightsOf(kernel: ConvKernel, { rows, channels }: Correlation): Weights {
  const back = kernel.kind === 'convGradInput'
  const own = 9 * (back ? rows : channels)
  const steps = back ? { rowStep: 9, channelStep: own } : { rowStep: own, channelStep: 9 }
  return { buffer: kernel.b.buffer, rows, channels, mirrored: back, ...steps }
}

/** A convolution or the gradient of its input. First the weights are transformed; then strips of tiles are the units. */
export function emitCorrelation(
  context: KernelContext,
  epilogue: Epilogue,
  kernel: ConvKernel,
  scheme: Scheme,
): readonly KernelCode[] {
  const c = correlationOf(kernel) as Correlation
  const { rows, channels, y, x } = c
  const weights = weightsOf(kernel, c)
  const strips = stripsOf(c, scheme, 8)
  const [into, out] = [layoutOf(channels, strips.tiles), layoutOf(rows, strips.tiles)]
  const area = new Area()
  const own: Push = (f) => memory.own(f)
  const patches = { scheme, channels, matrix: scheme.b, height: y.image, width: x.image, top: y.lo, left: x.lo }
  const patch = new PatchTransform(context, { ...patches, tiles: strips.width }, into, area, own)
  const results = { scheme, channels: rows, width: x.output, tiles: strips.width }
  const tile = new TileTransform(context, epilogue, results, out, area, own)
  const left = area.take(scheme.products * into.planeBytes)
  const sums = area.take(scheme.products * out.planeBytes)
  const memory = workspace(context, scheme.products * planeBytesOf(weights), area.bytes)
  const multiply = emitProducts(context, {
    count: scheme.products,
    rows: strips.tiles,
    columns: rows,
    panel: panelRows,
    left: { product: into.planeBytes, row: into.tileBytes },
    right: { product: planeBytesOf(weights), panel: panelBytes(weights) },
    result: { product: out.planeBytes, row: out.tileBytes },
    sum: { count: channels, splat: 4, vector: 4 * panelRows },
    added: false,
  })
  const [forward, inverse] = [patch.emit(), tile.emit()]
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    patch.clear(f)
    forStrips(f, strips, begin as Local, end as Local, (first, last) => {
      forRuns(f, strips, first, last, ({ image, row, end, number }) => {
        pushPointer(f, context.slot(kernel.a.buffer))
        addScaled(f, image, channels * y.image * x.image * 4)
        f.get(row)
        f.get(end)
        pushPart(f, own, left)
        addScaled(f, number, strips.width * into.tileBytes)
        f.call(forward)
      })
      pushPart(f, own, left)
      memory.shared(f)
      pushPart(f, own, sums)
      f.call(multiply)
      forRuns(f, strips, first, last, ({ image, row, end, number }) => {
        const at = f.local('i32')
        f.i32(0)
        addScaled(f, row, scheme.tile)
        f.set(at)
        pushPart(f, own, sums)
        addScaled(f, number, strips.width * out.tileBytes)
        f.get(end)
        f.get(row)
        f.op('i32.sub')
        f.i32(y.output)
        f.get(at)
        f.op('i32.sub')
        epilogue.pushBases(f, [image, 0, at, 0])
        f.call(inverse)
        f.release(at)
      })
    })
  })
  const work = (rows * channels * strips.tiles * scheme.products) / 2
  return [
    transformWeights(context, scheme, weights, memory.shared),
    { f, units: Math.ceil(strips.total / strips.rows), grain: grainFor(work) },
  ]
}
