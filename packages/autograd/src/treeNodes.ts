import { build, isFloat, type Node, OpError } from '@tessella/ir'
import {
  fromNode,
  isTensor,
  isVariable,
  leaves,
  mapTree,
  namedVariables,
  nodeOf,
  type Tensor,
  type Tree,
} from '@tessella/tensor'

/** Tensors by dotted path, as `namedVariables` names the Variables of a model; what optimizers take. */
export type Grads = { [path: string]: Tensor }

const modelHint = 'Gradients of a model go by its Variables: pass the model after the function, valueAndGrad(f, model).'

const place = (what: string, path: string): string => (path === '' ? what : `${what} at '${path}'`)

function notATensor(op: string, where: string, value: unknown): OpError {
  const found = value === null || value === undefined ? String(value) : `a ${typeof value}`
  return new OpError(op, `${where} is ${found}, not a tensor`, {
    hint: typeof value === 'number' ? `Wrap it: tensor(${value}).` : 'Trees hold tensors in arrays and plain objects.',
  })
}

/** The nodes of a tree in order. Throws `OpError` with the path of what is not a floating tensor. */
export function floatNodes(op: string, what: string, tree: unknown): Node[] {
  if (isVariable(tree) || Object.keys(namedVariables(tree)).length > 0)
    throw new OpError(op, `${what} holds Variables`, { hint: modelHint })
  const nodes: Node[] = []
  for (const { path, value } of leaves(tree)) if (!isTensor(value)) throw notATensor(op, place(what, path), value)
  mapTree(tree as Tree, (tensor, path) => {
    if (!isFloat(tensor.dtype))
      throw new OpError(op, `${place(what, path)} is ${tensor.dtype}, which has no derivative`, {
        shapes: [tensor.shape],
        dtypes: [tensor.dtype],
        hint: "Cast it to float32, or leave it out: choose the arguments by 'argnums' or close over it.",
      })
    nodes.push(nodeOf(tensor))
    return tensor
  })
  return nodes
}

/** The same nesting with the tensors replaced, in order, by those of `nodes`. */
export function treeLike<T>(tree: T, nodes: readonly Node[]): T {
  let next = 0
  return mapTree(tree as Tree, () => fromNode(nodes[next++] as Node)) as T
}

/** The tensors of any nesting, in order; everything else is passed over. */
export function tensorNodes(tree: unknown): Node[] {
  const nodes: Node[] = []
  mapTree(tree as Tree, (tensor) => {
    nodes.push(nodeOf(tensor))
    return tensor
  })
  return nodes
}

/** New identities: what is traced from them is told from what came before. */
export const aliases = (nodes: readonly Node[]): Node[] => nodes.map(build.alias)

export const isPromise = (x: unknown): boolean => typeof x === 'object' && x !== null && 'then' in x && !isTensor(x)

/** The results of a traced function as floating nodes. */
export function outputNodes(op: string, result: unknown): Node[] {
  if (isPromise(result)) throw asyncError(op)
  return floatNodes(op, 'the result', result)
}

export const asyncError = (op: string): OpError =>
  new OpError(op, 'the function is async, but gradients are built from synchronous code', {
    hint: 'Read values with await outside of it.',
  })
