import type { DType } from '@tessella/ir'
import type { Promote } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import {
  chunk as chunkNode,
  concat as concatNodes,
  split as splitNode,
  stack as stackNodes,
  unbind as unbindNode,
} from '../ops/joining.ts'
import * as ops from '../ops/movement.ts'
import { type PadOptions, type PadWidths, pad as padNode } from '../ops/padding.ts'
import type { DTypeOf, PartOf } from '../signatures.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type {
  Axes,
  Concat,
  Expand,
  Fits,
  Flatten,
  Ok,
  Pad,
  Permute,
  Reduce,
  Reshape,
  Shape,
  ShapesOf,
  Squeeze,
  Stack,
  Transpose,
  Unsqueeze,
} from '../types/index.ts'

export type { PadMode, PadOptions, PadWidths } from '../ops/padding.ts'
export type { RangeArgument } from '../ops/slicing.ts'

/** The elements in another shape; one size may be -1 and follows from the others. */
export const reshape = <S extends Shape, D extends DType, const To extends Shape>(
  x: Tensor<S, D>,
  shape: Fits<Reshape<S, To>, To>,
): Tensor<Ok<Reshape<S, To>>, D> => fromNode(ops.reshape(nodeIn('reshape', x), shape as Shape))

/** Merges the dimensions from `start` to `end`, both included. */
export const flatten = <S extends Shape, D extends DType, const A extends number = 0, const B extends number = -1>(
  x: Tensor<S, D>,
  start?: A,
  end?: Fits<Flatten<S, A, B>, B>,
): Tensor<Ok<Flatten<S, A, B>>, D> => fromNode(ops.flatten(nodeIn('flatten', x), start ?? 0, (end ?? -1) as number))

/** Reorders dimensions: dimension i of the result is dimension axes[i]. */
export const permute = <S extends Shape, D extends DType, const P extends Shape>(
  x: Tensor<S, D>,
  axes: Fits<Permute<S, P>, P>,
): Tensor<Ok<Permute<S, P>>, D> => fromNode(ops.permute(nodeIn('permute', x), axes as Shape))

/** Exchanges two dimensions, the last two unless given. */
export const transpose = <S extends Shape, D extends DType, const A extends number = -2, const B extends number = -1>(
  x: Tensor<S, D>,
  a?: A,
  b?: Fits<Transpose<S, A, B>, B>,
): Tensor<Ok<Transpose<S, A, B>>, D> => fromNode(ops.transpose(nodeIn('transpose', x), a ?? -2, (b ?? -1) as number))

/** Drops dimensions of size 1: the named ones, or all. */
export const squeeze = <S extends Shape, D extends DType, const A extends Axes = undefined>(
  x: Tensor<S, D>,
  axis?: Fits<Squeeze<S, A>, A>,
): Tensor<Ok<Squeeze<S, A>>, D> => fromNode(ops.squeeze(nodeIn('squeeze', x), axis as Axes))

/** Puts a dimension of size 1 before an axis, which counts in the result. */
export const unsqueeze = <S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  axis: Fits<Unsqueeze<S, A>, A>,
): Tensor<Ok<Unsqueeze<S, A>>, D> => fromNode(ops.unsqueeze(nodeIn('unsqueeze', x), axis as number))

/** Grows sizes of 1 and adds leading dimensions; -1 keeps a size. */
export const expand = <S extends Shape, D extends DType, const To extends Shape>(
  x: Tensor<S, D>,
  shape: Fits<Expand<S, To>, To>,
): Tensor<Ok<Expand<S, To>>, D> => fromNode(ops.expand('expand', nodeIn('expand', x), shape as Shape))
/** The NumPy name of {@link expand}. */
export const broadcastTo = <S extends Shape, D extends DType, const To extends Shape>(
  x: Tensor<S, D>,
  shape: Fits<Expand<S, To, 'broadcastTo'>, To>,
): Tensor<Ok<Expand<S, To, 'broadcastTo'>>, D> =>
  fromNode(ops.expand('broadcastTo', nodeIn('broadcastTo', x), shape as Shape))

/** The dtype that all tensors of a list convert to. */
type DTypeOfAll<Ts extends readonly Tensor[]> = Ts extends readonly [
  infer First extends Tensor,
  infer Second extends Tensor,
  ...infer Rest extends readonly Tensor[],
]
  ? DTypeOfAll<readonly [Tensor<Shape, Promote<DTypeOf<First>, DTypeOf<Second>>>, ...Rest]>
  : DTypeOf<Ts[number]>

/** Tensors joined along an axis that they have, 0 unless given; the other sizes must be equal. */
export const concat = <const Ts extends readonly Tensor[], const A extends number = 0>(
  tensors: Fits<Concat<ShapesOf<Ts>, A>, Ts>,
  axis?: A,
): Tensor<Ok<Concat<ShapesOf<Ts>, A>>, DTypeOfAll<Ts>> =>
  fromNode(
    concatNodes(
      (tensors as readonly Tensor[]).map((x) => nodeIn('concat', x)),
      axis ?? 0,
    ),
  )
/** Tensors of one shape joined along a new axis, 0 unless given. */
export const stack = <const Ts extends readonly Tensor[], const A extends number = 0>(
  tensors: Fits<Stack<ShapesOf<Ts>, A>, Ts>,
  axis?: A,
): Tensor<Ok<Stack<ShapesOf<Ts>, A>>, DTypeOfAll<Ts>> =>
  fromNode(
    stackNodes(
      (tensors as readonly Tensor[]).map((x) => nodeIn('stack', x)),
      axis ?? 0,
    ),
  )

/** Parts along an axis: of the sizes given, or of one size with a smaller last part. */
export const split = <S extends Shape, D extends DType, const A extends number = 0>(
  x: Tensor<S, D>,
  sizes: number | readonly number[],
  axis?: A,
): Tensor<PartOf<S, A, number>, D>[] =>
  splitNode(nodeIn('split', x), sizes, axis ?? 0).map((node) => fromNode<PartOf<S, A, number>, D>(node))
/** At most `count` parts of one size along an axis; the last may be smaller. */
export const chunk = <S extends Shape, D extends DType, const A extends number = 0>(
  x: Tensor<S, D>,
  count: number,
  axis?: A,
): Tensor<PartOf<S, A, number>, D>[] =>
  chunkNode(nodeIn('chunk', x), count, axis ?? 0).map((node) => fromNode<PartOf<S, A, number>, D>(node))
/** The slices of an axis, which goes away. */
export const unbind = <S extends Shape, D extends DType, const A extends number = 0>(
  x: Tensor<S, D>,
  axis?: A,
): Tensor<Ok<Reduce<S, A, false, 'unbind'>>, D>[] =>
  unbindNode(nodeIn('unbind', x), axis ?? 0).map((node) => fromNode<Ok<Reduce<S, A, false, 'unbind'>>, D>(node))

/** Adds a border: a width for all sides, or `[before, after]` for each dimension. */
export const pad = <S extends Shape, D extends DType, const P extends PadWidths>(
  x: Tensor<S, D>,
  widths: Fits<Pad<S, P>, P>,
  options: PadOptions = {},
): Tensor<Ok<Pad<S, P>>, D> => fromNode(padNode(nodeIn('pad', x), widths as PadWidths, options))

/** Reverses the order along axes, all unless given. */
export const flip = <S extends Shape, D extends DType>(x: Tensor<S, D>, axis?: Axes): Tensor<S, D> =>
  fromNode(ops.flip(nodeIn('flip', x), axis))
/** Shifts elements along an axis, those that leave come back at the other end; without an axis, of the flattened tensor. */
export const roll = <S extends Shape, D extends DType>(x: Tensor<S, D>, shift: number, axis?: number): Tensor<S, D> =>
  fromNode(ops.roll(nodeIn('roll', x), shift, axis))
/** The whole tensor side by side, `reps` times along each of the last dimensions. */
export const tile = <D extends DType>(x: Tensor<Shape, D>, reps: readonly number[]): Tensor<Shape, D> =>
  fromNode(ops.tile('tile', nodeIn('tile', x), reps))
/** PyTorch's name of {@link tile}. */
export const repeat = <D extends DType>(x: Tensor<Shape, D>, reps: readonly number[]): Tensor<Shape, D> =>
  fromNode(ops.tile('repeat', nodeIn('repeat', x), reps))
/** Each element `times` times in a row along an axis, or of the flattened tensor. */
export const repeatInterleave = <D extends DType>(
  x: Tensor<Shape, D>,
  times: number,
  axis?: number,
): Tensor<Shape, D> => fromNode(ops.repeatInterleave(nodeIn('repeatInterleave', x), times, axis))

/** The lower triangle of the last two dimensions; zeros above the diagonal. */
export const tril = <S extends Shape, D extends DType>(x: Tensor<S, D>, diagonal = 0): Tensor<S, D> =>
  fromNode(ops.tril(nodeIn('tril', x), diagonal))
/** The upper triangle of the last two dimensions; zeros below the diagonal. */
export const triu = <S extends Shape, D extends DType>(x: Tensor<S, D>, diagonal = 0): Tensor<S, D> =>
  fromNode(ops.triu(nodeIn('triu', x), diagonal))
/** A vector on the diagonal of a matrix of zeros, or the diagonal of a matrix; `offset` counts to the right. */
export const diag = <D extends DType>(x: Tensor<Shape, D>, offset = 0): Tensor<Shape, D> =>
  fromNode(ops.diag(nodeIn('diag', x), offset))
/** The diagonal of the last two dimensions. */
export const diagonal = <D extends DType>(x: Tensor<Shape, D>, offset = 0): Tensor<Shape, D> =>
  fromNode(ops.diagonal('diagonal', nodeIn('diagonal', x), offset))
