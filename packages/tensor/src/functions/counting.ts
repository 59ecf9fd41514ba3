import { checkOptions, type DType } from '@tessella/ir'
import type { ArithOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/counting.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Shape } from '../types/index.ts'

/**
 * How often each number from 0 to length - 1 occurs in a vector (int32), or the sum of the weights that stand beside it.
 * Other numbers are left out. The length is given, because shapes do not depend on values.
 * @example bincount(tensor([0, 2, 2], 'int32'), 4) // [1, 0, 2, 0]
 */
export const bincount = <const N extends number, W extends DType = 'int32'>(
  x: Tensor<[number]>,
  length: N,
  weights?: Tensor<[number], W>,
): Tensor<[N], ArithOf<W>> =>
  fromNode(ops.bincount(nodeIn('bincount', x), length, weights && nodeIn('bincount', weights)))

/**
 * Where each value would go in a sequence sorted along the last axis (one, or one for each vector of values): before equal
 * elements, or behind them with `right`. Compares with every element, in one kernel.
 * @example searchsorted(tensor([1, 3, 5]), tensor([0, 3, 9])) // [0, 1, 3]
 */
export const searchsorted = <S extends Shape>(
  sorted: Tensor,
  values: Tensor<S>,
  options: { readonly right?: boolean | undefined } = {},
): Tensor<S, 'int32'> => {
  checkOptions('searchsorted', options, ['right'])
  return fromNode(
    ops.searchsorted(nodeIn('searchsorted', sorted), nodeIn('searchsorted', values), options.right ?? false),
  )
}
