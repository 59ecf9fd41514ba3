import { type DType, isFloat, type Node } from '@tessella/ir'

/** The number that every element is, for values in the form of `Rewriter.full`. */
export function constantOf(x: Node): number | undefined {
  let node: Node = x
  while (node.op === 'expand' || node.op === 'reshape') node = node.src[0]
  return node.op === 'constant' ? node.attrs.value : undefined
}

/** A factor whose product with any float is exact but for underflow. */
export const isPowerOfTwo = (x: number): boolean =>
  Number.isFinite(x) && x !== 0 && 2 ** Math.round(Math.log2(Math.abs(x))) === Math.abs(x)

/** Division by these is multiplication by the inverse, to the last bit. */
export const hasExactInverse = (x: number, dtype: DType): boolean =>
  isFloat(dtype) && isPowerOfTwo(x) && Math.abs(x) < 2 ** 100 && Math.abs(x) > 2 ** -100
