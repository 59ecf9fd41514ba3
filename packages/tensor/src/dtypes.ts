import type { DType } from '@tessella/ir'

interface NotAbove {
  bool: 'bool'
  uint8: 'bool' | 'uint8'
  uint32: 'bool' | 'uint8' | 'uint32'
  int32: 'bool' | 'uint8' | 'uint32' | 'int32'
  float16: 'bool' | 'uint8' | 'uint32' | 'int32' | 'float16'
  float32: 'bool' | 'uint8' | 'uint32' | 'int32' | 'float16' | 'float32'
  float64: DType
}

/** The smallest dtype that both convert to: bool < uint8 < uint32 < int32 < float16 < float32 < float64. */
export type Promote<A extends DType, B extends DType> = A extends DType
  ? B extends DType
    ? B extends NotAbove[A]
      ? A
      : B
    : never
  : never

interface Compute {
  bool: 'bool'
  uint8: 'int32'
  uint32: 'uint32'
  int32: 'int32'
  float16: 'float32'
  float32: 'float32'
  float64: 'float64'
}
/** The dtype that elements compute in: uint8 widens to int32, float16 to float32. */
export type ComputeOf<D extends DType> = Compute[D]
/** As {@link ComputeOf}, and bool counts in int32. */
export type ArithOf<D extends DType> = (Omit<Compute, 'bool'> & { bool: 'int32' })[D]

interface Float {
  bool: 'float32'
  uint8: 'float32'
  uint32: 'float32'
  int32: 'float32'
  float16: 'float32'
  float32: 'float32'
  float64: 'float64'
}
/** The dtype of functions that leave the integers: float64 stays, everything else is float32. */
export type FloatOf<D extends DType> = Float[D]
/** Rounding keeps integers and computes floats. */
export type RoundOf<D extends DType> = D extends 'float16' ? 'float32' : D

/**
 * A tensor's dtype beside a number: floats stay, whole numbers keep integers, fractions give float32.
 * A number that is not a literal may be either.
 */
export type WithNumber<D extends DType, N extends number> = D extends 'float16' | 'float32' | 'float64'
  ? D
  : number extends N
    ? (D extends 'uint32' ? 'uint32' : 'int32') | 'float32'
    : `${N}` extends `${bigint}`
      ? D extends 'uint32'
        ? 'uint32'
        : 'int32'
      : 'float32'
