import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { highHalves, highPairs, lowHalves, lowPairs, mix } from '../wasm/shuffles.ts'
import { loadVector, storeVector } from './tile.ts'

/** A matrix [K, lanes] that becomes panels [K][vectors][4]: strides in bytes. */
export interface PackSpec {
  readonly k: number
  readonly kStride: number
  readonly laneStride: number
  /** Lanes of this group; what is missing to a multiple of 4 becomes zeros. */
  readonly lanes: number
  /** Bytes between rows of the panel. */
  readonly panelStride: number
}

/** A function (source, destination) that packs a group of lanes over the whole of K. */
export function emitPack(context: KernelContext, spec: PackSpec): FunctionRef {
  const key = `pack ${spec.k} ${spec.kStride} ${spec.laneStride} ${spec.lanes} ${spec.panelStride}`
  return context.module.helper(key, ['i32', 'i32'], [], (f, source, target) => {
    const [from, to] = [source as Local, target as Local]
    if (spec.kStride === 4 && spec.laneStride !== 4) transposed(f, spec, from, to)
    else copied(f, spec, from, to)
  })
}

/** Lowest of the offsets 0, stride, ..., so that immediates are not negative. */
function lowest(f: FunctionBuilder, source: Local, stride: number, lanes: number): number {
  const low = Math.min(0, (lanes - 1) * stride)
  f.bump(source, low)
  return low
}

function copied(f: FunctionBuilder, spec: PackSpec, source: Local, target: Local): void {
  const { k, kStride, laneStride, lanes, panelStride } = spec
  const low = laneStride === 4 ? 0 : lowest(f, source, laneStride, lanes)
  const vector = (first: number, count: number): void => {
    f.get(target)
    if (laneStride === 4) loadVector(f, source, 4 * first, count)
    else {
      const x = f.local('v128')
      f.get(source)
      f.load('v128.load32_zero', first * laneStride - low)
      f.set(x)
      for (let lane = 1; lane < count; lane++) {
        f.push(source, x)
        f.laneAccess('v128.load32_lane', lane, (first + lane) * laneStride - low)
        f.set(x)
      }
      f.get(x)
      f.release(x)
    }
    f.store('v128.store', 4 * first)
  }
  f.times(k, () => {
    for (let first = 0; first < lanes; first += 4) vector(first, Math.min(4, lanes - first))
    f.bump(source, kStride)
    f.bump(target, panelStride)
  })
}

/** Four rows of a 4x4 block, in locals, become its four columns. */
export function transpose4(f: FunctionBuilder, rows: readonly Local[]): void {
  const [a, b, c, d] = rows as [Local, Local, Local, Local]
  const [p, q] = [f.local('v128'), f.local('v128')]
  mix(f, a, b, lowPairs, p)
  mix(f, a, b, highPairs, a)
  mix(f, c, d, lowPairs, q)
  mix(f, c, d, highPairs, c)
  // p = a0 b0 a1 b1, q = c0 d0 c1 d1, a = a2 b2 a3 b3, c = c2 d2 c3 d3
  mix(f, p, q, highHalves, b)
  mix(f, p, q, lowHalves, p)
  mix(f, a, c, highHalves, d)
  mix(f, a, c, lowHalves, c)
  f.get(p)
  f.set(a)
  f.release(p)
  f.release(q)
}

function transposed(f: FunctionBuilder, spec: PackSpec, source: Local, target: Local): void {
  const { k, laneStride, lanes, panelStride } = spec
  const low = lowest(f, source, laneStride, lanes)
  const rows = [0, 1, 2, 3].map(() => f.local('v128'))
  const block = (count: number): void => {
    for (let first = 0; first < lanes; first += 4) {
      for (const [i, row] of rows.entries()) {
        if (first + i < lanes) loadVector(f, source, (first + i) * laneStride - low, count)
        else f.v128(new Uint8Array(16))
        f.set(row)
      }
      transpose4(f, rows)
      for (const [i, row] of rows.slice(0, count).entries()) {
        f.push(target, row)
        f.store('v128.store', i * panelStride + 4 * first)
      }
    }
  }
  f.times(Math.floor(k / 4), () => {
    block(4)
    f.bump(source, 16)
    f.bump(target, 4 * panelStride)
  })
  if (k % 4 > 0) block(k % 4)
  for (const row of rows) f.release(row)
}

/** A function (source, destination): `k` rows of `width` contiguous floats, `stride` bytes apart, become contiguous. */
export function emitTilePack(context: KernelContext, k: number, stride: number, width: number): FunctionRef {
  return context.module.helper(`tile ${k} ${stride} ${width}`, ['i32', 'i32'], [], (f, source, target) => {
    const [from, to] = [source as Local, target as Local]
    const x = f.local('v128')
    f.times(k, () => {
      for (let i = 0; i < width; i += 4) {
        const lanes = Math.min(4, width - i)
        loadVector(f, from, 4 * i, lanes)
        f.set(x)
        storeVector(f, to, 4 * i, lanes, x)
      }
      f.bump(from, stride)
      f.bump(to, 4 * width)
    })
  })
}
