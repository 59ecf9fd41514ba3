import type { DType } from '@tessella/ir'
import type { FloatOf } from '../dtypes.ts'
import { nodeIn } from '../operand.ts'
import { type InterpolateOptions, interpolate as resized } from '../ops/resample.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Shape, UnknownSizes } from '../types/index.ts'

/**
 * Resizes [N, C, L], [N, C, H, W] or [N, C, D, H, W] to a size or by a factor, with the nearest element or straight lines
 * between neighbours, as torch.nn.functional.interpolate. Linear modes give floats.
 * @throws OpError for a mode of another number of dimensions, or neither or both of size and scaleFactor
 * @example interpolate(ones([1, 3, 8, 8]), { scaleFactor: 2, mode: 'bilinear' }).shape // [1, 3, 16, 16]
 */
export const interpolate = <S extends Shape, D extends DType, const O extends InterpolateOptions>(
  x: Tensor<S, D>,
  options: O,
): Tensor<UnknownSizes<S>, O['mode'] extends 'linear' | 'bilinear' | 'trilinear' ? FloatOf<D> : D> =>
  fromNode(resized(nodeIn('interpolate', x), options))
