import type { NodeOf, OpName } from './ops.ts'

/** One row per operation; a missing row does not compile. */
export type Table<C, R> = { readonly [K in OpName]: (node: NodeOf<K>, context: C) => R }

/** The row of a node's operation, applied to it: the only dynamic call of a table. */
export function dispatch<K extends OpName, C, R>(
  table: { readonly [P in K]: (node: NodeOf<P>, context: C) => R },
  node: NodeOf<K>,
  context: C,
): R {
  return table[node.op as K](node, context)
}
