import type { DType, HostArray } from '@tessella/ir'
import { halfToNumber } from './reference/half.ts'

/** How far a result may be from the reference; any one of the bounds suffices. Integers and bool are always exact. */
export interface Tolerance {
  /** Units in the last place of the dtype. */
  readonly ulp?: number
  /** Times the expected magnitude. */
  readonly relative?: number
  readonly absolute?: number
  /** Times the largest finite expected magnitude of the whole tensor. */
  readonly scale?: number
}

export const exact: Tolerance = {}

/** The distance between `value` and the next larger magnitude of the dtype. */
export function ulpOf(value: number, dtype: DType): number {
  const [bits, smallest] = dtype === 'float64' ? [52, -1022] : dtype === 'float16' ? [10, -14] : [23, -126]
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), smallest)
  return 2 ** (exponent - bits)
}

/** A description of the worst element that is out of tolerance, or undefined. NaN equals NaN; the sign of zero is free. */
export function mismatch(
  actual: HostArray,
  expected: readonly HostArray[],
  dtype: DType,
  tolerance: Tolerance,
): string | undefined {
  const decode = dtype === 'float16' ? halfToNumber : (v: number) => v
  const first = expected[0] as HostArray
  if (actual.length !== first.length) return `${actual.length} elements instead of ${first.length}`
  if (actual.constructor !== first.constructor) return `${actual.constructor.name} instead of ${first.constructor.name}`
  const scale = tolerance.scale === undefined ? 0 : tolerance.scale * largest(first, decode)
  let count = 0
  let worst = 0
  let text = ''
  for (let i = 0; i < actual.length; i++) {
    const got = decode(actual[i] as number)
    const errors = expected.map((e) => excess(got, decode(e[i] as number), dtype, tolerance, scale))
    const error = Math.min(...errors)
    if (error === 0) continue
    count++
    if (error > worst) {
      worst = error
      text = `element ${i}: got ${got}, expected ${expected.map((e) => decode(e[i] as number)).join(' or ')}`
    }
  }
  return count === 0 ? undefined : `${count} of ${actual.length} ${dtype} elements differ; the worst is ${text}`
}

/** 0 when acceptable, else a positive badness. */
function excess(got: number, want: number, dtype: DType, t: Tolerance, scale: number): number {
  if (got === want || (Number.isNaN(got) && Number.isNaN(want))) return 0
  if (dtype !== 'float32' && dtype !== 'float64' && dtype !== 'float16') return Math.abs(got - want)
  if (!Number.isFinite(got) || !Number.isFinite(want)) return Number.POSITIVE_INFINITY
  const allowed = Math.max(
    (t.ulp ?? 0) * ulpOf(want, dtype),
    (t.relative ?? 0) * Math.abs(want),
    t.absolute ?? 0,
    scale,
  )
  const error = Math.abs(got - want)
  return error <= allowed ? 0 : error / Math.max(Math.abs(want), Number.MIN_VALUE)
}

function largest(data: HostArray, decode: (v: number) => number): number {
  let top = 0
  for (const raw of data) {
    const value = Math.abs(decode(raw))
    if (Number.isFinite(value) && value > top) top = value
  }
  return top
}
