import type { DType } from '@tessella/ir'
import type { FloatOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/patches.ts'
import type { PerDim } from '../ops/window.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Shape } from '../types/index.ts'

type Columns = [number, number, number]
type Images = [number, number, number, number]

/**
 * The windows of [N, C, ...in] as columns [N, C * |kernel|, windows] (torch.nn.Unfold, im2col), of 1 to 3 spatial
 * dimensions. Options: stride, padding, dilation.
 * @example unfold(ones([1, 2, 4, 4]), 3).shape // [1, 18, 4]
 */
export const unfold = <D extends DType>(
  x: Tensor<Shape, D>,
  kernel: PerDim,
  options: ops.PatchOptions = {},
): Tensor<Columns, D> => fromNode(ops.unfold(nodeIn('unfold', x), kernel, options))

/**
 * Sums columns [N, C * |kernel|, windows] back to [N, C, ...outputSize], where windows overlap all of them: the transpose of
 * {@link unfold} (torch.nn.Fold).
 * @example fold(ones([1, 18, 4]), [4, 4], 3).shape // [1, 2, 4, 4]
 */
export const fold = <D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: readonly number[],
  kernel: PerDim,
  options: ops.PatchOptions = {},
): Tensor<Shape, FloatOf<D>> => fromNode(ops.fold(nodeIn('fold', x), outputSize, kernel, options))

/** [N, C r^2, H, W] to [N, C, H r, W r]: channels become the pixels of r x r blocks (Shi et al., 2016). */
export const pixelShuffle = <D extends DType>(x: Tensor<Shape, D>, factor: number): Tensor<Images, D> =>
  fromNode(ops.pixelShuffle(nodeIn('pixelShuffle', x), factor))

/** [N, C, H r, W r] to [N, C r^2, H, W]: the inverse of {@link pixelShuffle}. */
export const pixelUnshuffle = <D extends DType>(x: Tensor<Shape, D>, factor: number): Tensor<Images, D> =>
  fromNode(ops.pixelUnshuffle(nodeIn('pixelUnshuffle', x), factor))
