import type { Node, NodeOf, OpName } from '@tessella/ir'

/**
 * How an operation becomes code: `leaf` is given; `pointwise` and `view` fold into the expressions of kernels;
 * `reduce` and `routine` are kernels with an epilogue; `whole` kernels write a whole buffer; `region` values are written in
 * parts by several kernels; `copy` is a map of its own memory.
 */
export type Role = 'leaf' | 'pointwise' | 'view' | 'reduce' | 'routine' | 'whole' | 'region' | 'copy'

const roles = {
  constant: 'pointwise',
  parameter: 'leaf',
  iota: 'pointwise',
  unary: 'pointwise',
  binary: 'pointwise',
  select: 'pointwise',
  cast: 'pointwise',
  reduce: 'reduce',
  argReduce: 'reduce',
  cumulative: 'whole',
  matmul: 'routine',
  conv: 'routine',
  convGradInput: 'routine',
  convGradWeight: 'routine',
  maxPool: 'routine',
  maxPoolGrad: 'routine',
  maxPoolPick: 'routine',
  gather: 'pointwise',
  scatterAdd: 'whole',
  argsort: 'whole',
  reshape: 'view',
  permute: 'view',
  expand: 'view',
  slice: 'view',
  flip: 'view',
  pad: 'region',
  concat: 'region',
  randomBits: 'pointwise',
  alias: 'copy',
  stopGradient: 'view',
  after: 'view',
  custom: 'view',
} as const satisfies { readonly [K in OpName]: Role }

type WithRole<R extends Role> = { [K in OpName]: (typeof roles)[K] extends R ? K : never }[OpName]
export type ReduceNode = NodeOf<WithRole<'reduce'>>
export type RoutineNode = NodeOf<WithRole<'routine'>>
export type WholeNode = NodeOf<WithRole<'whole'>>
export type RegionNode = NodeOf<WithRole<'region'>>

export const roleOf = (node: Node): Role => roles[node.op]
export const isReduce = (node: Node): node is ReduceNode => roles[node.op] === 'reduce'
export const isRoutine = (node: Node): node is RoutineNode => roles[node.op] === 'routine'
export const isWhole = (node: Node): node is WholeNode => roles[node.op] === 'whole'
export const isRegion = (node: Node): node is RegionNode => roles[node.op] === 'region'
