import { type DType, type HostArray, hostArray, isFloat } from '@tessella/ir'
import { halfToNumber, numberToHalf } from './half.ts'

const limits: { readonly [D in DType]?: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint8: [0, 255],
}

/** How a dtype stores a real number: floats round, integers truncate and saturate, bool is `!= 0`. */
export function encoder(dtype: DType): (value: number) => number {
  if (dtype === 'bool') return (value) => (value !== 0 ? 1 : 0)
  if (dtype === 'float16') return numberToHalf
  const range = limits[dtype]
  if (range === undefined) return (value) => value
  const [low, high] = range
  return (value) => (Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high))
}

/** The elements of a tensor as numbers; only float16 needs decoding. */
export function decode(data: HostArray, dtype: DType): HostArray {
  return dtype === 'float16' ? Float64Array.from(data, halfToNumber) : data
}

/** `cast`: floats saturate on the way to integers; integers keep their low bits. */
export function castArray(data: HostArray, from: DType, to: DType): HostArray {
  const values = decode(data, from)
  const out = hostArray(to, values.length)
  const wraps = !isFloat(from) && to !== 'bool' && to !== 'float16'
  const encode = wraps ? (value: number) => value : encoder(to)
  for (let i = 0; i < out.length; i++) out[i] = encode(values[i] as number)
  return out
}

/** What a gather answers outside its source: NaN for floats, 0 for the rest. */
export const outsideOf = (dtype: DType): number => (isFloat(dtype) ? encoder(dtype)(Number.NaN) : 0)
