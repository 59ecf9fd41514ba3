/** The element types of the language. `uint8` and `float16` are storage types: cast before arithmetic. */
export type DType = 'float32' | 'float16' | 'float64' | 'int32' | 'uint32' | 'uint8' | 'bool'

/** What the host sees of a tensor's elements: bool as 0 and 1, float16 as raw bits. */
export interface HostArrays {
  float32: Float32Array<ArrayBuffer>
  float16: Uint16Array<ArrayBuffer>
  float64: Float64Array<ArrayBuffer>
  int32: Int32Array<ArrayBuffer>
  uint32: Uint32Array<ArrayBuffer>
  uint8: Uint8Array<ArrayBuffer>
  bool: Uint8Array<ArrayBuffer>
}
export type HostArray = HostArrays[DType]

export const dtypes: readonly DType[] = ['float32', 'float16', 'float64', 'int32', 'uint32', 'uint8', 'bool']

const bytes: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  float64: 8,
  int32: 4,
  uint32: 4,
  uint8: 1,
  bool: 1,
}

/** Bytes of one element as stored and as seen by the host. */
export const byteWidth = (dtype: DType): number => bytes[dtype]

const constructors: { readonly [D in DType]: (length: number) => HostArrays[D] } = {
  float32: (n) => new Float32Array(n),
  float16: (n) => new Uint16Array(n),
  float64: (n) => new Float64Array(n),
  int32: (n) => new Int32Array(n),
  uint32: (n) => new Uint32Array(n),
  uint8: (n) => new Uint8Array(n),
  bool: (n) => new Uint8Array(n),
}

/** A zeroed host array for `length` elements of `dtype`. */
export function hostArray<D extends DType>(dtype: D, length: number): HostArrays[D] {
  return constructors[dtype](length)
}

export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64' || dtype === 'float16'
export const isInteger = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32' || dtype === 'uint8'
/** Arithmetic is not defined on storage types; cast them first. */
export const isStorageOnly = (dtype: DType): boolean => dtype === 'uint8' || dtype === 'float16'

const rank: Readonly<Record<DType, number>> = {
  bool: 0,
  uint8: 1,
  uint32: 2,
  int32: 3,
  float16: 4,
  float32: 5,
  float64: 6,
}

/** The smallest dtype that both operands convert to: bool < uint8 < uint32 < int32 < float16 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return rank[a] >= rank[b] ? a : b
}
