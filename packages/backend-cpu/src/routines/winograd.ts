import type { Kernel } from '@tessella/compiler'
import type { Dims } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local, ValueType } from '../wasm/assembler.ts'
import { mostRows, positionBlocks } from './blocks.ts'
import { callByHeight, rowOf } from './calls.ts'
import { addScaled, type Epilogue } from './epilogue.ts'
import { emitCopy, emitFill, planeOf } from './plane.ts'
import type { Piece, Sink } from './sink.ts'
import { releaseIndices, type Split, splitEvenly } from './split.ts'
import { emitTiles, storeVector } from './tile.ts'
import { type Axis, convShapeOf } from './window.ts'
import {
  emitImageTransform,
  emitOutputTransform,
  emitWeightTransform,
  products,
  type Strip,
  stripBytes,
} from './winogradTransforms.ts'
import { workspace } from './workspace.ts'

type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>

/** Tiles of a strip: wide enough for register tiles, and few enough that a product's operand stays in the first cache. */
const stripTiles = 56
/** Transformed weights that a second-level cache keeps. */
const mostWeightBytes = 4 * 1024 * 1024
/** Fewer tiles than this per weight are not worth the transform of the weights. */
const fewestTiles = 64

/** The correlation that a convolution or its input gradient is, with 3x3 kernels and steps of 1. */
interface Correlation3 {
  readonly n: number
  /** Result channels. */
  readonly rows: number
  readonly channels: number
  /** Elements between the kernels of result channels and of image channels. */
  readonly rowStep: number
  readonly channelStep: number
  readonly mirrored: boolean
  readonly y: Side
  readonly x: Side
}

/** An axis of the image, where it starts in its copy, and of the result. */
interface Side {
  readonly image: number
  readonly lo: number
  readonly output: number
}

function correlationOf({ kind, domain, a, b, attrs }: ConvKernel): Correlation3 | undefined {
  if (kind === 'convGradWeight' || domain.length !== 4) return undefined
  const back = kind === 'convGradInput'
  const shape = back ? convShapeOf(domain, b.shape, a.shape, attrs) : convShapeOf(a.shape, b.shape, domain, attrs)
  const [, y, x] = shape.axes
  const three = [y, x].every((axis) => axis.kernel === 3 && axis.stride === 1 && axis.dilation === 1)
  if (!three || shape.groups !== 1) return undefined
  const side = ({ input, output, lo }: Axis): Side =>
    back ? { image: output, lo: 2 - lo, output: input } : { image: input, lo, output }
  const own = shape.channels * 9
  return {
    n: shape.n,
    rows: back ? shape.channels : shape.outputs,
    channels: back ? shape.outputs : shape.channels,
    rowStep: back ? 9 : own,
    channelStep: back ? own : 9,
    mirrored: back,
    y: side(y),
    x: side(x),
  }
}

const tilesOf = (side: Side): number => Math.ceil(side.output / 2)
/** Vectors of four tiles along x. */
const vectorsOf = ({ x }: Correlation3): number => Math.ceil(tilesOf(x) / 4)

/**
 * Whether a convolution is computed by Winograd's F(2x2, 3x3), which multiplies 16 times where plain sums do 36 times and
 * is as accurate: where both numbers of channels outweigh the transforms. Always the same, whatever the engine.
 */
export function isWinograd(kernel: ConvKernel): boolean {
  const c = correlationOf(kernel)
  if (!c || kernel.domain.includes(0)) return false
  const { n, rows, channels, y, x } = c
  const tiles = tilesOf(y) * 4 * vectorsOf(c)
  const transforms = 32 * channels + 25 * rows
  const fast = tiles * (transforms + 8 * channels * rows)
  const plain = (y.output * x.output * 18 * channels * rows) / 4
  return fast < 0.85 * plain && n * tiles >= fewestTiles && products * rows * channels * 4 <= mostWeightBytes
}

/** Stores rows of tiles. */
class Store implements Sink {
  readonly params: readonly ValueType[] = ['i32']
  readonly #steps: Dims

  constructor(steps: Dims) {
    this.#steps = steps
  }

  advance(f: FunctionBuilder, bases: readonly Local[], dimension: number, amount: number): void {
    f.bump(bases[0] as Local, amount * (this.#steps[dimension] as number))
  }

  mergeable(): boolean {
    return true
  }

  emit(f: FunctionBuilder, bases: readonly Local[], _laneDimension: number, pieces: readonly Piece[]): void {
    for (const { shifts, lanes, result } of pieces) {
      const offset = shifts.reduce((sum, s, d) => sum + s * (this.#steps[d] as number), 0)
      storeVector(f, bases[0] as Local, offset, lanes, result)
    }
  }
}

/** Units of the first part: result channels, whose weights are transformed; of the second: images. */
export function emitWinograd(context: KernelContext, epilogue: Epilogue, kernel: ConvKernel): readonly KernelCode[] {
  const c = correlationOf(kernel)
  if (!c) return []
  const { n, rows, channels, y, x } = c
  const weightPlane = rows * channels * 4
  const vectors = vectorsOf(c)
  const rowTiles = tilesOf(y)
  const strips = splitEvenly(rowTiles, Math.max(1, Math.floor(stripTiles / (4 * vectors))))
  const tallest = strips.large > 0 ? strips.small + 1 : strips.small
  const axis = ({ image, lo }: Side, target: number) => ({ source: image, insert: 1, lo, target })
  const width = 8 * vectors + 2
  const plane = planeOf(
    {
      channels,
      axes: [{ source: 1, insert: 1, lo: 0, target: 1 }, axis(y, 2 * rowTiles + 2), axis(x, width)],
      phases: 1,
      partWidth: width,
      fill: 0,
    },
    true,
  )
  const tileBytes = stripBytes({ rows: tallest, vectors }) * products
  const { shared, own } = workspace(context, products * weightPlane, plane.bytes + 64 + tileBytes * (channels + rows))
  const copy = emitCopy(context, plane)
  const large =
    strips.large > 0 ? emitStrip(context, epilogue, c, plane, { rows: strips.small + 1, vectors }) : undefined
  const small =
    strips.large < strips.pieces ? emitStrip(context, epilogue, c, plane, { rows: strips.small, vectors }) : undefined
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const image = begin as Local
    const target = f.local('i32')
    own(f)
    f.set(target)
    emitFill(f, target, plane)
    f.whileBelow(image, end as Local, 1, () => {
      pushPointer(f, context.slot(kernel.a.buffer))
      addScaled(f, image, channels * y.image * x.image * 4)
      f.get(target)
      f.call(copy)
      f.times(strips.pieces, (strip) => {
        const piece = strips.pieces === 1 ? 0 : strip
        const row = rowOf(f, strips, piece)
        const first = f.local('i32')
        f.i32(0)
        addScaled(f, row, 2)
        f.set(first)
        f.get(target)
        addScaled(f, first, plane.yStep)
        f.get(target)
        addScaled(f, 1, plane.bytes)
        shared(f)
        f.i32(y.output)
        f.get(first)
        f.op('i32.sub')
        epilogue.pushBases(f, [image, 0, first, 0])
        callByHeight(f, 4 + epilogue.params.length, piece, strips, { large, small })
        f.release(first)
        releaseIndices(f, [row])
      })
    })
  })
  const work = (rows * channels * rowTiles * vectors * products) / 2
  return [transformWeights(context, kernel.b.buffer, c, shared), { f, units: n, grain: grainFor(work) }]
}

function transformWeights(
  context: KernelContext,
  weights: number,
  { rows, channels, rowStep, channelStep, mirrored }: Correlation3,
  shared: (f: FunctionBuilder) => void,
): KernelCode {
  const transform = emitWeightTransform(context, rows * channels * 4, mirrored)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const row = begin as Local
    const [from, to] = [f.local('i32'), f.local('i32')]
    f.whileBelow(row, end as Local, 1, () => {
      pushPointer(f, context.slot(weights))
      addScaled(f, row, rowStep * 4)
      f.set(from)
      shared(f)
      addScaled(f, row, channels * 4)
      f.set(to)
      f.times(channels, () => {
        f.get(from)
        f.get(to)
        f.call(transform)
        f.bump(from, channelStep * 4)
        f.bump(to, 4)
      })
    })
  })
  return { f, units: rows, grain: grainFor(channels * 16) }
}

/** A function (plane, scratch, weights, output rows left, ...running addresses): one strip of tiles of one image. */
function emitStrip(
  context: KernelContext,
  epilogue: Epilogue,
  { rows, channels, x }: Correlation3,
  plane: { readonly channelStep: number; readonly yStep: number },
  strip: Strip,
): FunctionRef {
  const bytes = stripBytes(strip)
  const [imageBytes, sumBytes] = [bytes * channels, bytes * rows]
  const into = emitImageTransform(context, strip, channels, plane)
  const out = emitOutputTransform(context, epilogue, strip, rows, x.output)
  const split = splitEvenly(rows, mostRows)
  const tiles = (height: number): FunctionRef =>
    emitTiles(context, new Store([0, bytes, 4]), {
      rows: height,
      rowStep: channels * 4,
      rowDimension: 1,
      laneDimension: 2,
      loops: [{ count: channels, splat: 4, vector: bytes }],
      taps: [{ splat: 0, vector: 0 }],
      blocks: positionBlocks(
        {
          output: [1, 1, bytes / 4],
          outputStep: [0, 0],
          spatial: 1,
          tail: 'exact',
          wide: context.features.wide === true,
        },
        height,
      ),
    })
  const byHeight = {
    large: split.large > 0 ? tiles(split.small + 1) : undefined,
    small: split.large < split.pieces ? tiles(split.small) : undefined,
  }
  return context.module.function(['i32', 'i32', 'i32', 'i32', ...epilogue.params], [], (f, ...params) => {
    const [image, scratch, weights, left, ...bases] = params as [Local, Local, Local, Local, ...Local[]]
    f.get(image)
    f.get(scratch)
    f.call(into)
    multiply(f, split, byHeight, { scratch, weights, rows, channels, imageBytes, bytes, sumsAt: products * imageBytes })
    f.get(scratch)
    addScaled(f, 1, products * imageBytes)
    f.get(left)
    for (const b of bases) f.get(b)
    f.call(out)
  })

  /** sums[k] = weights[k] x image[k] for the 16 products. */
  function multiply(
    f: FunctionBuilder,
    rowsSplit: Split,
    callees: Parameters<typeof callByHeight>[4],
    m: {
      readonly scratch: Local
      readonly weights: Local
      readonly rows: number
      readonly channels: number
      readonly imageBytes: number
      readonly bytes: number
      readonly sumsAt: number
    },
  ): void {
    f.times(products, (k) =>
      f.times(rowsSplit.pieces, (number) => {
        const piece = rowsSplit.pieces === 1 ? 0 : number
        const row = rowOf(f, rowsSplit, piece)
        f.get(m.weights)
        addScaled(f, k, m.rows * m.channels * 4)
        addScaled(f, row, m.channels * 4)
        f.get(m.scratch)
        addScaled(f, k, m.imageBytes)
        f.get(m.scratch)
        addScaled(f, 1, m.sumsAt)
        addScaled(f, k, sumBytes)
        addScaled(f, row, m.bytes)
        callByHeight(f, 3, piece, rowsSplit, callees)
        releaseIndices(f, [row])
      }),
    )
  }
}
