import type { DType } from './dtype.ts'
import type { BinaryFn, ReduceFn, UnaryFn } from './scalar.ts'
import type { Dims } from './shape.ts'

/** The version of this language; a backend states the one it was built for. */
export const irVersion = 1

/** Geometry shared by convolution and pooling; one entry per spatial dimension. Padding is [before, after]. */
export interface WindowAttrs {
  readonly stride: Dims
  readonly padding: readonly (readonly [number, number])[]
  readonly dilation: Dims
}
export interface ConvAttrs extends WindowAttrs {
  readonly groups: number
}
export interface PoolAttrs extends WindowAttrs {
  readonly kernel: Dims
}

/** The gradient rule that a `custom` node carries; built from nodes, so it can be differentiated again. */
export type CustomVjp = (inputs: readonly Node[], output: Node, grad: Node) => readonly (Node | undefined)[]

type S0 = readonly []
type S1 = readonly [Node]
type S2 = readonly [Node, Node]
type S3 = readonly [Node, Node, Node]

/**
 * The structural operations: sources and attributes, one line each. Shapes in the comments;
 * `infer.ts` is the law. Operands are explicit: no implicit broadcast, no implicit cast.
 */
export interface Ops {
  /** A scalar; bool as 0 or 1. */
  constant: { src: S0; attrs: { readonly value: number; readonly dtype: DType } }
  /** A leaf bound when the graph runs: an argument, or a settled node. */
  parameter: { src: S0; attrs: { readonly shape: Dims; readonly dtype: DType } }
  /** out[i] = i[axis]. */
  iota: { src: S0; attrs: { readonly shape: Dims; readonly axis: number; readonly dtype: DType } }
  unary: { src: S1; attrs: { readonly fn: UnaryFn } }
  /** Operands of one shape and dtype. */
  binary: { src: S2; attrs: { readonly fn: BinaryFn } }
  /** condition (bool) ? a : b, all of one shape. */
  select: { src: S3; attrs: object }
  /** Float to integer truncates and saturates, NaN gives 0; integer to integer keeps the low bits; anything to bool is `!= 0`. */
  cast: { src: S1; attrs: { readonly dtype: DType } }
  /** Removes `axes` (sorted). */
  reduce: { src: S1; attrs: { readonly fn: ReduceFn; readonly axes: Dims } }
  /** int32 index of the first extreme along `axis`, which is removed; the first NaN wins. */
  argReduce: { src: S1; attrs: { readonly fn: 'max' | 'min'; readonly axis: number } }
  /** Inclusive running reduction along `axis`. */
  cumulative: { src: S1; attrs: { readonly fn: ReduceFn; readonly axis: number; readonly reverse: boolean } }
  /** [...B, M, K] x [...B, K, N] -> [...B, M, N], equal batch dimensions. */
  matmul: { src: S2; attrs: object }
  /** Cross-correlation: x [N, C, ...in], w [O, C/groups, ...k] -> [N, O, ...out]. */
  conv: { src: S2; attrs: ConvAttrs }
  /** (dy [N, O, ...out], w) -> dx [N, C, ...inputSize]; also the transposed convolution. */
  convGradInput: { src: S2; attrs: ConvAttrs & { readonly inputSize: Dims } }
  /** (x, dy) -> dw [O, C/groups, ...kernelSize]. */
  convGradWeight: { src: S2; attrs: ConvAttrs & { readonly kernelSize: Dims } }
  /** Window maximum of x [N, C, ...in]; padding counts as -infinity, NaN wins. */
  maxPool: { src: S1; attrs: PoolAttrs }
  /** (x, dy) -> dx: each dy goes to the first maximum of its window, overlaps add. */
  maxPoolGrad: { src: S2; attrs: PoolAttrs }
  /** (x, v of x's shape) -> v at the first maximum of each window of x. */
  maxPoolPick: { src: S2; attrs: PoolAttrs }
  /** (x, index int32) -> out[i] = x[i with axis := index[i]]; other sizes equal; outside gives NaN (0 for non-floats). */
  gather: { src: S2; attrs: { readonly axis: number } }
  /** (index int32, v of the same shape) -> zeros with `size` along axis, plus v at index; outside is dropped. */
  scatterAdd: { src: S2; attrs: { readonly axis: number; readonly size: number } }
  /** Stable int32 order along `axis`; NaN is the largest. */
  argsort: { src: S1; attrs: { readonly axis: number; readonly descending: boolean } }
  reshape: { src: S1; attrs: { readonly shape: Dims } }
  /** out dimension i is input dimension perm[i]. */
  permute: { src: S1; attrs: { readonly perm: Dims } }
  /** Same rank; sizes 1 grow. */
  expand: { src: S1; attrs: { readonly shape: Dims } }
  /** out[i] = x[start + i * step], step >= 1. */
  slice: { src: S1; attrs: { readonly start: Dims; readonly size: Dims; readonly step: Dims } }
  flip: { src: S1; attrs: { readonly axes: Dims } }
  /** `interior` values between neighbours, then `lo` before and `hi` after, all of `value`. */
  pad: { src: S1; attrs: { readonly lo: Dims; readonly hi: Dims; readonly interior: Dims; readonly value: number } }
  /** One or more sources, equal but for `axis`. */
  concat: { src: readonly Node[]; attrs: { readonly axis: number } }
  /** key uint32 [2] -> uint32: word 0 of Threefry-2x32 (20 rounds) of the counter (linear index, 0). */
  randomBits: { src: S1; attrs: { readonly shape: Dims } }
  /** The value itself under a new identity, which `grad` uses to tell its inputs from history. */
  alias: { src: S1; attrs: object }
  /** The value itself; its gradient is zero. */
  stopGradient: { src: S1; attrs: object }
  /** (value, event): the value, computed only after the event; keeps recomputation from being shared. */
  after: { src: S2; attrs: object }
  /** (value, ...inputs): the value; its gradient goes to the inputs by the rule and not to the value. */
  custom: { src: readonly [Node, ...Node[]]; attrs: { readonly name: string; readonly vjp: CustomVjp } }
}

export type OpName = keyof Ops
export type Attrs = { [K in OpName]: Ops[K]['attrs'] }
export type Sources = { [K in OpName]: Ops[K]['src'] }

/**
 * One immutable value of a graph. It changes at most once, when `settle` turns it into a
 * `parameter` that holds a computed value and forgets its sources.
 */
interface NodeShape<K extends OpName> {
  /** Grows with creation; sources have smaller ids than their users. */
  readonly id: number
  readonly op: K
  readonly attrs: Ops[K]['attrs']
  readonly src: Ops[K]['src']
  readonly shape: Dims
  readonly dtype: DType
  /** The computed value of a settled node; owned by whoever evaluates. */
  readonly value: object | undefined
}
export type NodeOf<K extends OpName> = { [P in K]: NodeShape<P> }[K]
export type Node = NodeOf<OpName>

/** A set of values to compute, closed over its inputs. */
export interface Graph {
  /** Every `parameter` reachable from the outputs is listed; order is the binding order. Unused inputs may be listed. */
  readonly inputs: readonly NodeOf<'parameter'>[]
  readonly outputs: readonly Node[]
  /** Outputs that replace an input of the same shape and dtype: a donated input's buffer may hold the output. */
  readonly updates?: readonly { readonly input: number; readonly output: number }[]
}
