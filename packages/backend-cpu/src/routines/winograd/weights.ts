import { grainFor, type KernelCode, type KernelContext, pushPointer } from '../../kernels/context.ts'
import { Lanes } from '../../math/lanes.ts'
import type { FunctionRef, Local } from '../../wasm/assembler.ts'
import { Dataflow, type Value } from '../../wasm/dataflow.ts'
import { callByHeight } from '../calls.ts'
import { addScaled } from '../epilogue.ts'
import { limit } from '../split.ts'
import type { Push } from '../workspace.ts'
import { oddLines } from './area.ts'
import { timesRows } from './linear.ts'
import { kernelSize, type Scheme } from './scheme.ts'

/** Result channels of a panel of transformed weights: [product][panel][channel][16]. */
export const panelRows = 16
const panelRowBytes = 4 * panelRows

/** The weights of a correlation. */
export interface Weights {
  readonly buffer: number
  readonly rows: number
  readonly channels: number
  /** Elements between the kernels of result channels and of image channels. */
  readonly rowStep: number
  readonly channelStep: number
  /** The kernels are read backwards. */
  readonly mirrored: boolean
}

export const panelBytes = ({ channels }: Pick<Weights, 'channels'>): number => channels * panelRowBytes
export const planeBytesOf = (weights: Pick<Weights, 'rows' | 'channels'>): number =>
  oddLines(Math.ceil(weights.rows / panelRows) * panelBytes(weights))

/** Channels of a unit. */
const blockChannels = 16

/** G g G^T of all kernels. Units: some channels of a panel, whose results are whole lines of the cache. */
export function transformWeights(context: KernelContext, scheme: Scheme, weights: Weights, target: Push): KernelCode {
  const { rows, channels, rowStep, channelStep } = weights
  const [whole, blocks] = [Math.floor(rows / panelRows), Math.ceil(channels / blockChannels)]
  const rest = rows % panelRows
  const panels = {
    large: whole > 0 ? emitPanel(context, scheme, weights, panelRows) : undefined,
    small: rest > 0 ? emitPanel(context, scheme, weights, rest) : undefined,
  }
  const split = { pieces: Math.ceil(rows / panelRows), large: whole, small: 0 }
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const unit = begin as Local
    const [panel, channel, count] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.whileBelow(unit, end as Local, 1, () => {
      f.get(unit)
      f.i32(blocks)
      f.op('i32.div_u')
      f.set(panel)
      f.get(unit)
      f.i32(blocks)
      f.op('i32.rem_u')
      f.i32(blockChannels)
      f.op('i32.mul')
      f.set(channel)
      f.i32(channels)
      f.get(channel)
      f.op('i32.sub')
      f.set(count)
      limit(f, count, blockChannels)
      pushPointer(f, context.slot(weights.buffer))
      addScaled(f, panel, 4 * panelRows * rowStep)
      addScaled(f, channel, 4 * channelStep)
      target(f)
      addScaled(f, panel, panelBytes(weights))
      addScaled(f, channel, panelRowBytes)
      f.get(count)
      callByHeight(f, 3, panel, split, panels)
    })
  })
  const work = blockChannels * panelRows * scheme.products
  return { f, units: blocks * split.pieces, grain: grainFor(work) }
}

/** A function (kernels, target, channels) for `rows` result channels, at most a panel. */
function emitPanel(context: KernelContext, scheme: Scheme, weights: Weights, rows: number): FunctionRef {
  const { rowStep, channelStep, mirrored } = weights
  const planeBytes = planeBytesOf(weights)
  const fours = Math.floor(rows / 4)
  const key = JSON.stringify([scheme.tile, rows, rowStep, channelStep, mirrored, planeBytes])
  return context.module.helper(`weights ${key}`, ['i32', 'i32', 'i32'], [], (f, source, target, count) => {
    const [from, to, channel] = [source as Local, target as Local, f.local('i32')]
    const taps = Array.from({ length: kernelSize ** 2 }, () => f.local('v128'))
    const four = (lanes: number): void => {
      const g = new Dataflow(context)
      const l = new Lanes(g)
      const base = g.local(from, 1)
      const loads = taps.map((tap, i) => {
        const offset = 4 * (mirrored ? taps.length - 1 - i : i)
        let value = g.load('v128.load32_zero', { base, offset })
        for (let lane = 1; lane < lanes; lane++)
          value = g.loadLane('v128.load32_lane', lane, { base, offset: offset + 4 * lane * rowStep }, value)
        return { value, use: () => f.set(tap) }
      })
      g.emit(f, loads)
      const columns = [0, 1, 2].map((x) => {
        const column = [0, 1, 2].map((y) => g.local(taps[kernelSize * y + x] as Local, 1))
        return timesRows(l, scheme.g, column)
      })
      for (let i = 0; i < scheme.patch; i++) {
        const row = columns.map((c) => c[i] as (typeof c)[number])
        const spread = timesRows(
          l,
          scheme.g,
          row.map(([, value]) => value),
        )
        const [[place]] = row as [readonly [number, Value], ...unknown[]]
        g.emit(
          f,
          spread.map(([column, value]) => ({
            address: g.local(to, 1),
            value,
            use: () => f.store('v128.store', (place * scheme.patch + column) * planeBytes),
          })),
        )
      }
    }
    f.doWhileBelow(channel, count as Local, 1, () => {
      f.times(fours, () => {
        four(4)
        f.bump(from, 16 * rowStep)
        f.bump(to, 16)
      })
      if (rows % 4 > 0) four(rows % 4)
      f.bump(from, 4 * channelStep - 16 * rowStep * fours)
      f.bump(to, panelRowBytes - 16 * fours)
    })
  })
}
