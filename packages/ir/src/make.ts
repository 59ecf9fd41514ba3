import type { DType } from './dtype.ts'
import { inferNode } from './infer.ts'
import type { Attrs, Node, NodeOf, OpName, Sources } from './ops.ts'
import type { Dims } from './shape.ts'

let nextId = 1

interface MutableNode {
  id: number
  op: OpName
  attrs: object
  src: readonly Node[]
  shape: Dims
  dtype: DType
  value: object | undefined
}

/** The id the next node will get: nodes with a smaller one existed before now. */
export const idMark = (): number => nextId

/** Infers, checks, freezes the facts. Throws {@link OpError} on a wrong operand. */
export function make<K extends OpName>(op: K, src: Sources[K], attrs: Attrs[K]): NodeOf<K> {
  const { shape, dtype } = inferNode(op, src, attrs)
  const node: MutableNode = { id: nextId++, op, attrs, src, shape, dtype, value: undefined }
  return node as unknown as NodeOf<K>
}

/** A node like this one on other sources, which have the shapes and dtypes of the old ones: nothing is inferred anew. */
export function twin({ op, attrs, shape, dtype }: Node, src: readonly Node[]): Node {
  const node: MutableNode = { id: nextId++, op, attrs, src, shape, dtype, value: undefined }
  return node as unknown as Node
}

/** A fresh leaf; `value` binds it to a settled value. */
export function parameter(shape: Dims, dtype: DType, value?: object): NodeOf<'parameter'> {
  const node = make('parameter', [], { shape, dtype })
  if (value !== undefined) (node as unknown as MutableNode).value = value
  return node
}

/** A settled leaf with the shape and dtype of another node. */
export function parameterLike({ shape, dtype }: Node, value: object): Node {
  const node: MutableNode = { id: nextId++, op: 'parameter', attrs: { shape, dtype }, src: [], shape, dtype, value }
  return node as unknown as Node
}

/** Turns a pending node into a parameter that holds its value and drops its history. The one change of a node's life. */
export function settle(node: Node, value: object): void {
  const target = node as unknown as MutableNode
  target.op = 'parameter'
  target.attrs = { shape: node.shape, dtype: node.dtype }
  target.src = []
  target.value = value
}
