import type { Node } from '@tessella/ir'

/** Puts lanes into a graph: outputs with a leading axis, from `inputs` replaced by `batched`. */
export type Vectorize = (
  outputs: readonly Node[],
  inputs: readonly Node[],
  batched: readonly Node[],
  size: number,
) => readonly Node[]

/** What a batching rule knows beside its node. A lane is one example; lanes lie along a new leading axis. */
export interface Lanes {
  readonly size: number
  /** The sources as they are: with the leading axis where `isBatched` says so. */
  readonly src: readonly Node[]
  /** Whether source `i` has the leading axis. */
  readonly isBatched: (i: number) => boolean
  /** Source `i` with the leading axis, repeated if it had none. */
  readonly all: (i: number) => Node
  /** For rules that carry graphs of their own. */
  readonly vectorize: Vectorize
}

/** From a node with at least one batched source to its value with the leading axis. */
export type BatchRule<T extends Node = Node> = (node: T, lanes: Lanes) => Node
