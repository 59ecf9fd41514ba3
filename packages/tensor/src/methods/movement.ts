import type { DType } from '@tessella/ir'
import { nodeOf } from '../handle.ts'
import { chunk, split, unbind } from '../ops/joining.ts'
import * as ops from '../ops/movement.ts'
import { type PadOptions, type PadWidths, pad } from '../ops/padding.ts'
import { narrow, type RangeArgument, select, slice } from '../ops/slicing.ts'
import type { PartOf, Sliced } from '../signatures.ts'
import type { Tensor } from '../tensor.ts'
import type {
  Axes,
  Expand,
  Fits,
  Flatten,
  Ok,
  Pad,
  Permute,
  Reduce,
  Reshape,
  Shape,
  Squeeze,
  Transpose,
  UnknownSizes,
  Unsqueeze,
} from '../types/index.ts'
import { ReduceMethods } from './reduce.ts'

/** Changes of shape and order, which compute nothing. */
export abstract class MovementMethods<S extends Shape, D extends DType> extends ReduceMethods<S, D> {
  /** The elements in another shape; one size may be -1 and follows from the others. */
  reshape<S extends Shape, D extends DType, const To extends Shape>(
    this: Tensor<S, D>,
    shape: Fits<Reshape<S, To>, To>,
  ): Tensor<Ok<Reshape<S, To>>, D> {
    return this.wrap(ops.reshape(nodeOf(this), shape as Shape))
  }
  /** Merges the dimensions from `start` to `end`, both included. */
  flatten<S extends Shape, D extends DType, const A extends number = 0, const B extends number = -1>(
    this: Tensor<S, D>,
    start?: A,
    end?: Fits<Flatten<S, A, B>, B>,
  ): Tensor<Ok<Flatten<S, A, B>>, D> {
    return this.wrap(ops.flatten(nodeOf(this), start ?? 0, (end ?? -1) as number))
  }
  /** Reorders dimensions: dimension i of the result is dimension axes[i]. */
  permute<S extends Shape, D extends DType, const P extends Shape>(
    this: Tensor<S, D>,
    axes: Fits<Permute<S, P>, P>,
  ): Tensor<Ok<Permute<S, P>>, D> {
    return this.wrap(ops.permute(nodeOf(this), axes as Shape))
  }
  /** Exchanges two dimensions, the last two unless given. */
  transpose<S extends Shape, D extends DType, const A extends number = -2, const B extends number = -1>(
    this: Tensor<S, D>,
    a?: A,
    b?: Fits<Transpose<S, A, B>, B>,
  ): Tensor<Ok<Transpose<S, A, B>>, D> {
    return this.wrap(ops.transpose(nodeOf(this), a ?? -2, (b ?? -1) as number))
  }
  /** A matrix with rows and columns exchanged. */
  get T(): Tensor<Ok<Transpose<S>>, D> {
    return this.wrap(ops.transpose(nodeOf(this), -2, -1))
  }
  /** Moves one axis to another place. */
  moveAxis<S extends Shape, D extends DType>(this: Tensor<S, D>, from: number, to: number): Tensor<UnknownSizes<S>, D> {
    return this.wrap(ops.moveAxis(nodeOf(this), from, to))
  }
  /** Drops dimensions of size 1: the named ones, or all. */
  squeeze<S extends Shape, D extends DType, const A extends Axes = undefined>(
    this: Tensor<S, D>,
    axis?: Fits<Squeeze<S, A>, A>,
  ): Tensor<Ok<Squeeze<S, A>>, D> {
    return this.wrap(ops.squeeze(nodeOf(this), axis as Axes))
  }
  /** Puts a dimension of size 1 before an axis, which counts in the result. */
  unsqueeze<S extends Shape, D extends DType, const A extends number>(
    this: Tensor<S, D>,
    axis: Fits<Unsqueeze<S, A>, A>,
  ): Tensor<Ok<Unsqueeze<S, A>>, D> {
    return this.wrap(ops.unsqueeze(nodeOf(this), axis as number))
  }
  /** Grows sizes of 1 and adds leading dimensions; -1 keeps a size. */
  expand<S extends Shape, D extends DType, const To extends Shape>(
    this: Tensor<S, D>,
    shape: Fits<Expand<S, To>, To>,
  ): Tensor<Ok<Expand<S, To>>, D> {
    return this.wrap(ops.expand('expand', nodeOf(this), shape as Shape))
  }
  /** The NumPy name of {@link expand}. */
  broadcastTo<S extends Shape, D extends DType, const To extends Shape>(
    this: Tensor<S, D>,
    shape: Fits<Expand<S, To, 'broadcastTo'>, To>,
  ): Tensor<Ok<Expand<S, To, 'broadcastTo'>>, D> {
    return this.wrap(ops.expand('broadcastTo', nodeOf(this), shape as Shape))
  }
  /**
   * A range for each leading dimension: `null` all of it, a number one element (the dimension goes away),
   * `[start, stop, step]` as Python's `start:stop:step`.
   * @example x.slice([0, 5], null, [null, null, -1], 3) // x[0:5, :, ::-1, 3]
   */
  slice<S extends Shape, D extends DType, const R extends readonly RangeArgument[]>(
    this: Tensor<S, D>,
    ...ranges: R
  ): Tensor<Sliced<S, R>, D> {
    return this.wrap(slice(nodeOf(this), ranges))
  }
  /** One element of a dimension, which goes away. */
  at<S extends Shape, D extends DType, const A extends number>(
    this: Tensor<S, D>,
    axis: Fits<Reduce<S, A, false, 'at'>, A>,
    index: number,
  ): Tensor<Ok<Reduce<S, A, false, 'at'>>, D> {
    return this.wrap(select('at', nodeOf(this), axis as number, index))
  }
  /** `length` elements of a dimension from `start` on. */
  narrow<S extends Shape, D extends DType, const A extends number, const L extends number>(
    this: Tensor<S, D>,
    axis: A,
    start: number,
    length: L,
  ): Tensor<PartOf<S, A, L>, D> {
    return this.wrap(narrow(nodeOf(this), axis, start, length))
  }
  /** Parts along an axis: of the sizes given, or of one size with a smaller last part. */
  split<S extends Shape, D extends DType, const A extends number = 0>(
    this: Tensor<S, D>,
    sizes: number | readonly number[],
    axis?: A,
  ): Tensor<PartOf<S, A, number>, D>[] {
    return split(nodeOf(this), sizes, axis ?? 0).map((node) => this.wrap(node))
  }
  /** At most `count` parts of one size along an axis; the last may be smaller. */
  chunk<S extends Shape, D extends DType, const A extends number = 0>(
    this: Tensor<S, D>,
    count: number,
    axis?: A,
  ): Tensor<PartOf<S, A, number>, D>[] {
    return chunk(nodeOf(this), count, axis ?? 0).map((node) => this.wrap(node))
  }
  /** The slices of an axis, which goes away. */
  unbind<S extends Shape, D extends DType, const A extends number = 0>(
    this: Tensor<S, D>,
    axis?: A,
  ): Tensor<Ok<Reduce<S, A, false, 'unbind'>>, D>[] {
    return unbind(nodeOf(this), axis ?? 0).map((node) => this.wrap(node))
  }
  /** Adds a border: a width for all sides, or `[before, after]` for each dimension. */
  pad<S extends Shape, D extends DType, const P extends PadWidths>(
    this: Tensor<S, D>,
    widths: Fits<Pad<S, P>, P>,
    options: PadOptions = {},
  ): Tensor<Ok<Pad<S, P>>, D> {
    return this.wrap(pad(nodeOf(this), widths as PadWidths, options))
  }
  /** Reverses the order along axes, all unless given. */
  flip<S extends Shape, D extends DType>(this: Tensor<S, D>, axis?: Axes): Tensor<S, D> {
    return this.wrap(ops.flip(nodeOf(this), axis))
  }
  /** Shifts elements along an axis; those that leave come back at the other end. Without an axis, of the flattened tensor. */
  roll<S extends Shape, D extends DType>(this: Tensor<S, D>, shift: number, axis?: number): Tensor<S, D> {
    return this.wrap(ops.roll(nodeOf(this), shift, axis))
  }
  /** The whole tensor side by side, `reps` times along each of the last dimensions. */
  tile<D extends DType>(this: Tensor<Shape, D>, reps: readonly number[]): Tensor<Shape, D> {
    return this.wrap(ops.tile('tile', nodeOf(this), reps))
  }
  /** The lower triangle of the last two dimensions; zeros above. */
  tril<S extends Shape, D extends DType>(this: Tensor<S, D>, diagonal = 0): Tensor<S, D> {
    return this.wrap(ops.tril(nodeOf(this), diagonal))
  }
  /** The upper triangle of the last two dimensions; zeros below. */
  triu<S extends Shape, D extends DType>(this: Tensor<S, D>, diagonal = 0): Tensor<S, D> {
    return this.wrap(ops.triu(nodeOf(this), diagonal))
  }
}
