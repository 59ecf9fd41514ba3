import { grainFor, type KernelCode, type KernelContext } from '../../kernels/context.ts'
import { Lanes } from '../../math/lanes.ts'
import type { Local } from '../../wasm/assembler.ts'
import { Dataflow, type Value } from '../../wasm/dataflow.ts'
import { addScaled } from '../epilogue.ts'
import { type Push, workspace } from '../workspace.ts'
import type { Correlation } from './choice.ts'
import { timesColumns } from './linear.ts'
import { kernelSize, type Scheme } from './scheme.ts'

/** Sums of one slot: [product][row][channel], in bytes. */
export interface Sums {
  readonly slots: number
  readonly rowBytes: number
  readonly planeBytes: number
  readonly slotBytes: number
}

/** The weights [rows, channels, 3, 3] from the sums of all slots. Units: rows. */
export function addUp(
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
