import type { Target } from '@tessella/compiler'
import type { DType } from '@tessella/ir'
import { nativeBinary, nativeUnary } from './wasm/functions.ts'

/** All but float64. */
export const dtypes: ReadonlySet<DType> = new Set<DType>(['float32', 'float16', 'int32', 'uint32', 'uint8', 'bool'])

/** What the compiler must know of this backend. */
export const target: Target = {
  name: 'cpu',
  dtypes,
  unary: nativeUnary,
  binary: nativeBinary,
  alignment: 64,
  maxBuffers: 1024,
  // A row of 256 KB stays in the second cache between passes.
  rows: { elements: 65536, keep: true },
}
