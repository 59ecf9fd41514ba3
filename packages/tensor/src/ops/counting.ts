import { build, type Node, OpError, sameShape } from '@tessella/ir'
import { checkShape } from './create.ts'
import { compare } from './elementwise.ts'
import { asCompute, asIndex } from './promotion.ts'
import { sum } from './reduce.ts'

/** How often each number from 0 to length - 1 occurs in x, or the sum of its weights; others are left out. */
export function bincount(x: Node, length: number, weights: Node | undefined): Node {
  const index = asIndex('bincount', x)
  checkShape('bincount', [length])
  if (index.shape.length !== 1)
    throw new OpError('bincount', 'needs a vector', { shapes: [x.shape], hint: 'Flatten it first.' })
  if (weights !== undefined && !sameShape(weights.shape, index.shape))
    throw new OpError('bincount', 'needs one weight for each number', { shapes: [x.shape, weights.shape] })
  const values = weights === undefined ? build.full(index.shape, 1, 'int32') : asCompute(weights)
  return build.scatterAdd(index, values, 0, length)
}

/** Where values would go in sequences that are sorted along the last axis: before equal elements, or behind them. */
export function searchsorted(sorted: Node, values: Node, right: boolean): Node {
  const lead = sorted.shape.slice(0, -1)
  const n = sorted.shape.at(-1)
  const fits = sorted.shape.length === 1 || sameShape(lead, values.shape.slice(0, -1))
  if (n === undefined || !fits)
    throw new OpError('searchsorted', 'needs one sequence, or one for each vector of values', {
      shapes: [sorted.shape, values.shape],
      hint: 'All sizes but the last must agree.',
    })
  const axis = values.shape.length
  const row = build.reshape(sorted, [...(sorted.shape.length === 1 ? values.shape.map(() => 1) : [...lead, 1]), n])
  const column = build.reshape(values, [...values.shape, 1])
  return sum(build.cast(compare(right ? 'le' : 'lt', row, column), 'int32'), axis, false)
}
