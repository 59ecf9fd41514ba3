import { OpError, type Shape } from '@tessella/tensor'
import { checkCount } from './checks.ts'
import { defineLayer } from './layer.ts'
import type { FlattenSpec, InputSpec, LayerCall, UnflattenSpec } from './types/index.ts'

/**
 * Makes the axes from `start` to `end` one; without arguments all but the batch axis, as `torch.nn.Flatten`.
 * @example flatten()(zeros([64, 16, 4, 4])) // Tensor<[64, 256], 'float32'>
 */
export const flatten = <const A extends number = 1, const B extends number = -1>(
  start?: A,
  end?: B,
): LayerCall<FlattenSpec<A, B>> => {
  const [from, to] = [start ?? 1, end ?? -1]
  return defineLayer({
    spec: { kind: 'flatten', name: 'flatten', start: from, end: to },
    modal: false,
    parts: {},
    forward: (x) => x.flatten(from, to),
  }) as unknown as LayerCall<FlattenSpec<A, B>>
}

/**
 * Splits an axis into several, as `torch.nn.Unflatten`.
 * @example unflatten(1, [16, 4, 4])(zeros([64, 256])) // Tensor<[64, 16, 4, 4], 'float32'>
 */
export const unflatten = <const A extends number, const S extends Shape>(
  axis: A,
  sizes: S,
): LayerCall<UnflattenSpec<A, S>> => {
  for (const n of sizes) checkCount('unflatten', 'size', n)
  const product = sizes.reduce((a, b) => a * b, 1)
  return defineLayer({
    spec: { kind: 'unflatten', name: 'unflatten', axis, sizes },
    modal: false,
    parts: {},
    forward: (x) => {
      const at = axis < 0 ? x.ndim + axis : axis
      if (x.shape[at] !== product)
        throw new OpError(
          'unflatten',
          `to [${sizes.join(', ')}] expects ${product} features, the input has ${x.shape[at] ?? 'none'}`,
          {
            shapes: [x.shape, sizes],
            hint: 'The sizes must multiply to the size of the axis.',
          },
        )
      return x.reshape([...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)])
    },
  }) as unknown as LayerCall<UnflattenSpec<A, S>>
}

/**
 * Declares the sizes of one example, without the batch axis: the first member of `sequential`, which can then check
 * all that follow where the model is written. Throws `OpError` for other inputs.
 * @example sequential(input(1, 28, 28), flatten(), linear(784, 10))
 */
export const input = <const S extends Shape>(...sizes: S): LayerCall<InputSpec<S>> => {
  for (const n of sizes) checkCount('input', 'size', n)
  return defineLayer({
    spec: { kind: 'input', name: 'input', sizes },
    modal: false,
    parts: {},
    forward: (x) => {
      if (x.shape.slice(1).join() !== sizes.join())
        throw new OpError('input', 'the model expects other inputs', {
          shapes: [['n', ...sizes] as unknown as Shape, x.shape],
          hint: 'The first axis is the batch.',
        })
      return x
    },
  }) as unknown as LayerCall<InputSpec<S>>
}
