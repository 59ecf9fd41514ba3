import type { DType } from '@tessella/ir'

/** The order of promotion, the widest first; `promote` of `@tessella/ir` follows the same order. */
type Order = readonly ['float64', 'float32', 'float16', 'int32', 'uint32', 'uint8', 'bool']

/**
 * The dtype that two operands are promoted to.
 * @example Promote<'int32', 'float32'> // 'float32'
 */
export type Promote<A extends DType, B extends DType> = [A] extends [B]
  ? [B] extends [A]
    ? A
    : PromoteEach<A, B>
  : PromoteEach<A, B>

type PromoteEach<A extends DType, B extends DType> = DType extends A
  ? DType
  : DType extends B
    ? DType
    : A extends DType
      ? B extends DType
        ? Widest<A | B, Order>
        : never
      : never

type Widest<D extends DType, From extends readonly DType[]> = From extends readonly [
  infer First extends DType,
  ...infer Rest extends readonly DType[],
]
  ? First extends D
    ? First
    : Widest<D, Rest>
  : never

/** Floating-point dtypes stay, others become float32: what mean, exp, a layer and the like answer. */
export type FloatOf<D extends DType> = D extends 'float16' | 'float32' | 'float64' ? D : 'float32'
