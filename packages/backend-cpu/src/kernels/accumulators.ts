import type { Accumulator } from '@tessella/compiler'
import type { DType } from '@tessella/ir'
import type { Lanes as Ops } from '../math/lanes.ts'
import { floatBits } from '../wasm/constants.ts'
import type { Value } from '../wasm/dataflow.ts'

/** How lanes are combined: a commutative operation with its neutral element's bits. */
export interface Fold {
  readonly neutral: number
  combine(l: Ops, a: Value, b: Value): Value
}

type FoldFn = 'sum' | 'prod' | 'max' | 'min'
type FoldTable = { readonly [F in FoldFn]: Fold }

const op =
  (name: Parameters<Ops['g']['v']>[0]): Fold['combine'] =>
  (l, a, b) =>
    l.g.v(name, a, b)

const floats: FoldTable = {
  sum: { neutral: 0, combine: op('f32x4.add') },
  prod: { neutral: floatBits(1), combine: op('f32x4.mul') },
  // These let NaN win.
  max: { neutral: floatBits(Number.NEGATIVE_INFINITY), combine: op('f32x4.max') },
  min: { neutral: floatBits(Number.POSITIVE_INFINITY), combine: op('f32x4.min') },
}

const sums = {
  sum: { neutral: 0, combine: op('i32x4.add') },
  prod: { neutral: 1, combine: op('i32x4.mul') },
}

const ints: FoldTable = {
  ...sums,
  max: { neutral: 0x80000000, combine: op('i32x4.max_s') },
  min: { neutral: 0x7fffffff, combine: op('i32x4.min_s') },
}

const uints: FoldTable = {
  ...sums,
  max: { neutral: 0, combine: op('i32x4.max_u') },
  min: { neutral: 0xffffffff, combine: op('i32x4.min_u') },
}

/** On masks. */
const bools: FoldTable = {
  ...sums,
  max: { neutral: 0, combine: op('v128.or') },
  min: { neutral: 0xffffffff, combine: op('v128.and') },
}

export function foldOf(dtype: DType, fn: FoldFn): Fold {
  const table = dtype === 'float32' ? floats : dtype === 'uint32' ? uints : dtype === 'bool' ? bools : ints
  return table[fn]
}

export const isArg = (a: Accumulator): boolean => a.fn === 'argmax' || a.fn === 'argmin'

/** Lanes as signed integers in the order that argmax looks for: the greatest first, NaN above everything. */
export function orderKey(l: Ops, dtype: DType, descending: boolean, x: Value): Value {
  const { g } = l
  const flip = (key: Value): Value => (descending ? key : g.v('v128.not', key))
  switch (dtype) {
    case 'float32': {
      // Adding 0 makes -0 and 0 equal.
      const bits = l.add(x, l.c(0))
      const key = l.xor(bits, l.and(l.shr(bits, 31), l.bits(0x7fffffff)))
      return l.select(l.ne(x, x), l.bits(0x7fffffff), flip(key))
    }
    case 'uint32':
      return flip(l.xor(x, l.bits(0x80000000)))
    case 'bool':
      return flip(l.and(x, l.bits(1)))
    default:
      return flip(x)
  }
}

/** The least key: below every float, so that nothing that counts loses to it. */
export const leastKey = 0x80000000
