import type { Affine } from '@tessella/compiler'
import type { Address, Value } from './dataflow.ts'

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
