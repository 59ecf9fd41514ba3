import type { Affine } from '@tessella/compiler'
import { byteWidth, type DType } from '@tessella/ir'
import type { Address, Dataflow, Value } from './dataflow.ts'

/** How many lanes count. Fewer than four read and write only their own elements; what the others hold is junk. */
export type Lanes = 1 | 2 | 3 | 4

/** The points of a kernel's domain that a piece of code computes: up to four neighbours along one dimension. */
export interface Site {
  readonly lanes: Lanes
  /** Byte address of the first lane's element. */
  address(buffer: number, at: Affine): Address
  /** The first lane's value of an affine form (i32). */
  index(at: Affine): Value
  /** How much the form grows from lane to lane, in elements; 0 for a single point. */
  laneStride(at: Affine): number
  /**
   * Where the site is one column of a square of 4 x 4 points (lanes by columns): its number, and how much a form grows
   * from column to column. Loads that are contiguous along the columns read rows and transpose them.
   */
  readonly column?: { readonly number: number; stride(at: Affine): number }
}

/** A site given by the value of every index. */
export interface IndexSite {
  readonly lanes: Lanes
  /** The domain dimension that the lanes run along. */
  readonly laneDimension: number
  /** One per domain dimension, of the first lane: an i32 value, or a number known now. */
  readonly indices: readonly (Value | number)[]
  /** Byte address (i32) of a buffer's first element. */
  readonly pointer: (buffer: number) => Value
  readonly dtypeOf: (buffer: number) => DType
}

/** Addresses computed from index values; equal parts are shared and invariant parts hoisted by the graph. */
export function indexSite(g: Dataflow, options: IndexSite): Site {
  const { lanes, laneDimension, indices, pointer, dtypeOf } = options
  /** sum of scale * stride * index over the unknown indices, and the rest as a number. */
  const split = (at: Affine, scale: number): { sum: Value | undefined; rest: number; negative: boolean } => {
    let sum: Value | undefined
    let rest = at.offset * scale
    let negative = false
    for (const [d, index] of indices.entries()) {
      const stride = (at.strides[d] as number) * scale
      if (stride === 0) continue
      if (typeof index === 'number') {
        rest += index * stride
        continue
      }
      if (stride < 0) negative = true
      const term = scaled(g, index, stride)
      sum = sum ? g.i('i32.add', sum, term) : term
    }
    return { sum, rest, negative }
  }
  return {
    lanes,
    laneStride: (at) => (lanes === 1 ? 0 : (at.strides[laneDimension] as number)),
    index: (at) => {
      const { sum, rest } = split(at, 1)
      if (!sum) return g.integer(rest)
      return rest === 0 ? sum : g.i('i32.add', sum, g.integer(rest))
    },
    address: (buffer, at) => {
      const { sum, rest, negative } = split(at, byteWidth(dtypeOf(buffer)))
      const base = sum ? g.i('i32.add', pointer(buffer), sum) : pointer(buffer)
      // An immediate is added without wrapping, so the base must not be below the address space.
      if (rest >= 0 && !negative) return { base, offset: rest }
      return { base: rest === 0 ? base : g.i('i32.add', base, g.integer(rest)), offset: 0 }
    },
  }
}

function scaled(g: Dataflow, x: Value, factor: number): Value {
  if (factor === 1) return x
  const power = Math.log2(factor)
  if (Number.isInteger(power)) return g.i('i32.shl', x, g.integer(power))
  return g.i('i32.mul', x, g.integer(factor))
}
