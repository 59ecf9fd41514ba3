import type { KernelContext } from '../kernels/context.ts'
import { grainFor, type KernelCode, pushPointer } from '../kernels/context.ts'
import type { FunctionRef, Local } from '../wasm/assembler.ts'
import { mostRows, positionBlocks } from './blocks.ts'
import { addScaled, type Epilogue } from './epilogue.ts'
import { emitFill, planeOf } from './plane.ts'
import { Accumulation, emitUnpad } from './scatter.ts'
import { splitEvenly } from './split.ts'
import { emitTiles } from './tile.ts'
import { type Axis, type ConvShape, dimensionOf } from './window.ts'
import { workspace } from './workspace.ts'

/**
 * The input gradient by taps: dx[c, y * stride + tap] += sum over o of w[o, c, tap] * dy[o, y], into a copy of the image
 * with borders. It does the direct number of products, whatever the stride and the border. Units: images.
 */
export function emitConvScatter(
  context: KernelContext,
  epilogue: Epilogue,
  shape: ConvShape,
  spatial: number,
  grads: number,
  weights: number,
): readonly KernelCode[] {
  const { axes, taps } = shape
  const [z, y, x] = axes
  const spread = (a: Axis) => ({
    source: a.input,
    insert: 1,
    lo: a.lo,
    target: Math.max((a.output - 1) * a.stride + (a.kernel - 1) * a.dilation + 1, a.lo + a.input),
  })
  const plane = planeOf(
    {
      channels: shape.groups * shape.channels,
      axes: [spread(z), spread(y), spread(x)],
      phases: x.stride,
      partWidth: Math.ceil(spread(x).target / x.stride),
      fill: 0,
    },
    true,
  )
  const steps = new Array<number>(spatial + 2).fill(0)
  steps[dimensionOf(2, spatial)] = 4
  if (spatial > 1) steps[dimensionOf(1, spatial)] = y.stride * plane.yStep
  if (spatial > 2) steps[dimensionOf(0, spatial)] = z.stride * plane.zStep
  steps[1] = plane.channelStep
  const sink = new Accumulation(steps)
  const split = splitEvenly(shape.channels, mostRows)
  const gradRow = x.output * 4
  const positions = {
    output: axes.map((a) => a.output),
    outputStep: [y.output * gradRow, gradRow],
    spatial,
    tail: 'exact',
    wide: context.features.wide === true,
  } as const
  const groupWeights = shape.outputs * shape.channels * taps * 4
  const groupGrads = shape.outputs * shape.outputPlane * 4
  /** (weights, gradients, copy): all taps of some channels. */
  const allTaps = (rows: number): FunctionRef => {
    const tiles = emitTiles(context, sink, {
      rows,
      rowStep: taps * 4,
      rowDimension: 1,
      laneDimension: 1 + spatial,
      loops: [{ count: shape.outputs, splat: shape.channels * taps * 4, vector: shape.outputPlane * 4 }],
      taps: [{ splat: 0, vector: 0 }],
      blocks: positionBlocks(positions, rows),
    })
    return context.module.function(['i32', 'i32', 'i32'], [], (f, w, dy, copy) => {
      const [a, b, base] = [w, dy, copy] as [Local, Local, Local]
      f.times(z.kernel, () => {
        f.times(y.kernel, () => {
          for (let k = 0; k < x.kernel; k++) {
            f.push(a, b, base)
            addScaled(f, 1, plane.at(k * x.dilation))
            f.call(tiles)
            f.bump(a, 4)
          }
          f.bump(base, y.dilation * plane.yStep)
        })
        f.bump(base, z.dilation * plane.zStep - y.kernel * y.dilation * plane.yStep)
      })
    })
  }
  const calls = [
    { count: split.large, rows: split.small + 1 },
    { count: split.pieces - split.large, rows: split.small },
  ].map(({ count, rows }) => ({ count, rows, callee: count > 0 ? allTaps(rows) : undefined }))
  const unpad = emitUnpad(context, epilogue, plane, shape.groups * shape.channels, axes, spatial)
  const { own } = workspace(context, 0, plane.bytes)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const n = begin as Local
    const [copy, a, b, base] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local]
    own(f)
    f.set(copy)
    f.whileBelow(n, end as Local, 1, () => {
      emitFill(f, copy, plane)
      f.get(copy)
      f.set(base)
      pushPointer(f, context.slot(weights))
      f.set(a)
      pushPointer(f, context.slot(grads))
      addScaled(f, n, groupGrads * shape.groups)
      f.set(b)
      f.times(shape.groups, () => {
        for (const { count, rows, callee } of calls)
          f.times(count, () => {
            if (!callee) return
            for (const arg of [a, b, base]) f.get(arg)
            f.call(callee)
            f.bump(a, rows * taps * 4)
            f.bump(base, rows * plane.channelStep)
          })
        f.bump(a, groupWeights - shape.channels * taps * 4)
        f.bump(b, groupGrads)
      })
      f.get(copy)
      epilogue.pushBases(f, [n])
      f.call(unpad)
    })
  })
  const work = (shape.groups * shape.channels * shape.outputs * taps * shape.outputPlane) / 8
  return [{ f, units: shape.n, grain: grainFor(work) }]
}

/** Whether it is less work than to correlate the spread gradient with mirrored kernels. */
export function scatterPays(shape: ConvShape): boolean {
  const direct = shape.inputPlane * shape.taps * shape.outputs
  return shape.outputPlane * shape.taps * (shape.outputs + 4) + 2 * shape.inputPlane < direct
}
