import type { Kernel } from '@tessella/compiler'
import { type Dims, sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionRef, Local } from '../wasm/assembler.ts'
import { mostRows, positionBlocks } from './blocks.ts'
import { callByHeight, rowOf } from './calls.ts'
import { emitConvScatter, scatterPays } from './convScatter.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitCopy, emitFill, type Plane, planeOf } from './plane.ts'
import { emitPooledInputGradient } from './pooled/inputGradient.ts'
import { releaseIndices, splitEvenly } from './split.ts'
import { emitTiles, type SumLoop, type TileSpec } from './tile.ts'
import { type Axes, convShapeOf, flattened } from './window.ts'
import { schemeFor } from './winograd/choice.ts'
import { emitCorrelation as emitWinograd } from './winograd/correlation.ts'
import { workspace } from './workspace.ts'

type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>

/** What the tiles compute: out[n, row, ...] = sum over channels and taps of weight * image, in bytes and positions. */
interface Correlation {
  readonly n: number
  readonly groups: number
  /** Result channels of a group. */
  readonly rows: number
  readonly weights: number
  /** Bytes from a group's weights to the next one's, and the first of a group. */
  readonly groupStep: number
  readonly rowStep: number
  readonly start: number
  readonly image: number
  readonly imageBytes: number
  /** Image channels of a group. */
  readonly channels: number
  readonly plane: Plane
  /** Sums over channels and the outer two kernel axes, then the taps along x. */
  readonly loops: readonly SumLoop[]
  readonly taps: TileSpec['taps']
  readonly output: Dims
  /** Bytes of the image per output step along z and y. */
  readonly outputStep: readonly [z: number, y: number]
  readonly spatial: number
  readonly tail: 'overlap' | 'exact'
}

export function emitConv(context: KernelContext, kernel: ConvKernel): readonly KernelCode[] {
  const { domain, a, b, attrs, writes } = kernel
  if (sizeOf(domain) === 0) return []
  const epilogue = new Epilogue(context, writes)
  const scheme = schemeFor(kernel, context.features.accurate === true)
  if (scheme) return emitWinograd(context, epilogue, kernel, scheme)
  const spatial = domain.length - 2
  const shape = flattened(convShapeOf(a.shape, b.shape, domain, attrs), spatial, epilogue.forms)
  const [z, y, x] = shape.axes
  const slack = x.output < 4 ? 4 - x.output : 0
  const last = Math.floor(((x.kernel - 1) * x.dilation) / x.stride)
  const plane = planeOf({
    channels: shape.groups * shape.channels,
    axes: [forwardCopy(z), forwardCopy(y), forwardCopy(x)],
    phases: x.stride,
    partWidth: last + x.output + slack,
    fill: 0,
  })
  const kernelBytes = shape.taps * 4
  return emitCorrelation(context, epilogue, {
    n: shape.n,
    groups: shape.groups,
    rows: shape.outputs,
    weights: b.buffer,
    rowStep: shape.channels * kernelBytes,
    groupStep: shape.outputs * shape.channels * kernelBytes,
    start: 0,
    image: a.buffer,
    imageBytes: shape.groups * shape.channels * shape.inputPlane * 4,
    channels: shape.channels,
    plane,
    loops: [
      { count: shape.channels, splat: kernelBytes, vector: plane.channelStep },
      { count: z.kernel, splat: y.kernel * x.kernel * 4, vector: z.dilation * plane.zStep },
      { count: y.kernel, splat: x.kernel * 4, vector: y.dilation * plane.yStep },
    ],
    taps: Array.from({ length: x.kernel }, (_, k) => ({ splat: k * 4, vector: plane.at(k * x.dilation) })),
    output: [z.output, y.output, x.output],
    outputStep: [z.stride * plane.zStep, y.stride * plane.yStep],
    spatial,
    tail: tailOf(plane, x.output),
  })
}

export const forwardCopy = ({ input, lo, output, stride, kernel, dilation }: Axes[number]) => ({
  source: input,
  insert: 1,
  lo,
  target: (output - 1) * stride + (kernel - 1) * dilation + 1,
})

/** The correlation of dy, spread by the stride, with the mirrored kernels. */
export function emitConvGradInput(context: KernelContext, kernel: ConvKernel): readonly KernelCode[] {
  const { domain, a, b, attrs, writes } = kernel
  if (sizeOf(domain) === 0) return []
  const epilogue = new Epilogue(context, writes)
  const scheme = schemeFor(kernel, context.features.accurate === true)
  if (scheme) return emitWinograd(context, epilogue, kernel, scheme)
  if (kernel.pooled) return emitPooledInputGradient(context, epilogue, kernel, kernel.pooled)
  const spatial = domain.length - 2
  const shape = flattened(convShapeOf(domain, b.shape, a.shape, attrs), spatial, epilogue.forms)
  if (scatterPays(shape)) return emitConvScatter(context, epilogue, shape, spatial, a.buffer, b.buffer)
  const [z, y, x] = shape.axes
  const copy = ({ input, lo, output, stride, kernel, dilation }: Axes[number]) => ({
    source: output,
    insert: stride,
    lo: (kernel - 1) * dilation - lo,
    target: input + (kernel - 1) * dilation,
  })
  const slack = x.input < 4 ? 4 - x.input : 0
  const plane = planeOf({
    channels: shape.groups * shape.outputs,
    axes: [copy(z), copy(y), copy(x)],
    phases: 1,
    partWidth: x.input + (x.kernel - 1) * x.dilation + slack,
    fill: 0,
  })
  const kernelBytes = shape.taps * 4
  const rowBytes = x.kernel * 4
  return emitCorrelation(context, epilogue, {
    n: shape.n,
    groups: shape.groups,
    rows: shape.channels,
    weights: b.buffer,
    rowStep: kernelBytes,
    groupStep: shape.outputs * shape.channels * kernelBytes,
    start: kernelBytes - rowBytes,
    image: a.buffer,
    imageBytes: shape.groups * shape.outputs * shape.outputPlane * 4,
    channels: shape.outputs,
    plane,
    loops: [
      { count: shape.outputs, splat: shape.channels * kernelBytes, vector: plane.channelStep },
      { count: z.kernel, splat: -y.kernel * rowBytes, vector: z.dilation * plane.zStep },
      { count: y.kernel, splat: -rowBytes, vector: y.dilation * plane.yStep },
    ],
    taps: Array.from({ length: x.kernel }, (_, k) => ({
      splat: (x.kernel - 1 - k) * 4,
      vector: plane.at(k * x.dilation),
    })),
    output: [z.input, y.input, x.input],
    outputStep: [plane.zStep, plane.yStep],
    spatial,
    tail: tailOf(plane, x.input),
  })
}

/** A short row in place ends where the image may end. */
const tailOf = (plane: Plane, width: number): 'overlap' | 'exact' => (plane.inPlace && width < 4 ? 'exact' : 'overlap')

/** Units: images. */
function emitCorrelation(context: KernelContext, epilogue: Epilogue, c: Correlation): readonly KernelCode[] {
  const split = splitEvenly(c.rows, mostRows)
  const tallest = split.large > 0 ? split.small + 1 : split.small
  const wide = context.features.wide === true && epilogue.mergeable(1 + c.spatial)
  const blocks = positionBlocks({ ...c, wide }, tallest)
  const tiles = (rows: number): FunctionRef =>
    emitTiles(context, epilogue, {
      rows,
      rowStep: c.rowStep,
      rowDimension: 1,
      laneDimension: 1 + c.spatial,
      loops: c.loops,
      taps: c.taps,
      blocks,
    })
  const large = split.large > 0 ? tiles(split.small + 1) : undefined
  const small = split.large < split.pieces ? tiles(split.small) : undefined
  const { plane } = c
  const copy = plane.inPlace ? undefined : emitCopy(context, plane)
  const { own } = workspace(context, 0, plane.bytes)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const image = f.local('i32')
    if (copy) {
      own(f)
      f.set(image)
      emitFill(f, image, plane)
    }
    const n = begin as Local
    f.whileBelow(n, end as Local, 1, () => {
      pushPointer(f, context.slot(c.image))
      addScaled(f, n, c.imageBytes)
      if (copy) {
        f.get(image)
        f.call(copy)
      } else f.set(image)
      f.times(c.groups, (group) =>
        f.times(split.pieces, (piece) => {
          const row = rowOf(f, split, split.pieces === 1 ? 0 : piece)
          const g = c.groups === 1 ? 0 : group
          pushPointer(f, context.slot(c.weights))
          addScaled(f, 1, c.start)
          addScaled(f, g, c.groupStep)
          addScaled(f, row, c.rowStep)
          f.get(image)
          addScaled(f, g, c.channels * plane.channelStep)
          const channel = f.local('i32')
          f.i32(0)
          addScaled(f, row, 1)
          addScaled(f, g, c.rows)
          f.set(channel)
          epilogue.pushBases(f, [n, channel])
          callByHeight(f, 2 + epilogue.params.length, split.pieces === 1 ? 0 : piece, split, { large, small })
          releaseIndices(f, [row, channel])
        }),
      )
    })
  })
  const work = (c.groups * c.rows * c.channels * sizeOf(c.output) * sizeOf(c.loops.map((l) => l.count))) / 8
  return [{ f, units: c.n, grain: grainFor(work * c.taps.length) }]
}
