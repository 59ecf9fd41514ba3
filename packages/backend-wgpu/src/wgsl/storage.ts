import type { DType } from '@tessella/ir'
import { internalError } from '@tessella/ir'

/** How a dtype lies in words of 32 bits, and what stands for it in WGSL. */
export interface StorageText {
  /** float16 is its 16 bits, uint8 a number below 256. */
  readonly type: 'f32' | 'i32' | 'u32' | 'bool'
  /** Elements of one word. */
  readonly lanes: 1 | 2 | 4
  /** A value out of the word (one lane) or the low bits of one (several). */
  readonly decode: (word: string) => string
  readonly encode: (value: string) => string
}

const rows: { readonly [D in Exclude<DType, 'float64'>]: StorageText } = {
  float32: { type: 'f32', lanes: 1, decode: (w) => `bitcast<f32>(${w})`, encode: (v) => `bitcast<u32>(${v})` },
  int32: { type: 'i32', lanes: 1, decode: (w) => `bitcast<i32>(${w})`, encode: (v) => `bitcast<u32>(${v})` },
  uint32: { type: 'u32', lanes: 1, decode: (w) => w, encode: (v) => v },
  uint8: { type: 'u32', lanes: 4, decode: (w) => w, encode: (v) => v },
  float16: { type: 'u32', lanes: 2, decode: (w) => w, encode: (v) => v },
  bool: { type: 'bool', lanes: 4, decode: (w) => `(${w} != 0u)`, encode: (v) => `select(0u, 1u, ${v})` },
}

export type StoredDType = keyof typeof rows

/** The dtype, which the backend must have. */
export function stored(dtype: DType): StoredDType {
  if (dtype === 'float64') throw internalError('float64 in the wgpu backend')
  return dtype
}

export const storageOf = (dtype: DType): StorageText => rows[stored(dtype)]
