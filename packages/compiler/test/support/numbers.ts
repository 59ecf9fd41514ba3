import { type DType, type HostArray, type ReduceFn, sizeOf, stridesOf } from '@tessella/ir'

export type Arrays = readonly HostArray[]

export const isWord = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32' || dtype === 'uint8'

export function store(value: number, dtype: DType): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(value)
    case 'int32':
      return value | 0
    case 'uint32':
      return value >>> 0
    case 'uint8':
      return value & 255
    case 'bool':
      return value !== 0 ? 1 : 0
    default:
      return value
  }
}

export function read(array: HostArray, at: number): number {
  const value = array[at]
  if (value === undefined) throw new Error(`a read at ${at} of ${array.length} elements`)
  return value
}

export function* points(domain: readonly number[]): Generator<number[]> {
  const total = sizeOf(domain)
  const strides = stridesOf(domain)
  for (let p = 0; p < total; p++) yield domain.map((n, d) => Math.floor(p / (strides[d] as number)) % n)
}

export const folds: { readonly [F in ReduceFn]: readonly [number, (a: number, b: number, dtype: DType) => number] } = {
  sum: [0, (a, b, d) => (isWord(d) ? (a + b) | 0 : a + b)],
  prod: [1, (a, b, d) => (isWord(d) ? Math.imul(a, b) : a * b)],
  max: [Number.NEGATIVE_INFINITY, (a, b) => Math.max(a, b)],
  min: [Number.POSITIVE_INFINITY, (a, b) => Math.min(a, b)],
}
