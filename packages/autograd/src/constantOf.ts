import type { Node, NodeOf } from '@tessella/ir'

/** The number that every element of `x` is known to be when it is a constant seen through views. */
export function constantOf(x: Node): number | undefined {
  let node: Node = x
  while (node.op === 'reshape' || node.op === 'expand' || node.op === 'permute') node = node.src[0] as Node
  return node.op === 'constant' ? (node as NodeOf<'constant'>).attrs.value : undefined
}
