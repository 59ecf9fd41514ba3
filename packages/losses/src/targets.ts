import { arange, labelled, OpError, ones, sameShape, type Tensor, where } from '@tessella/tensor'

/** Integer classes beside logits [N, C, ...], read without a gather so that their gradient needs no scatter. */
interface Targets {
  /** Which class is the target: bool, shape of the logits. */
  readonly isTarget: Tensor
  /** 0 for an ignored target, else 1 or the target's class weight: float, shape of the targets. */
  readonly weights: Tensor
  /** Terms with 0 where ignored, and NaN, to be noticed, where the target is neither a class nor ignored. */
  masked(terms: Tensor): Tensor
}

/** Classes are axis 1, or axis 0 of a single example. */
export const classAxis = (x: Tensor): number => (x.ndim === 1 ? 0 : 1)

/** The number of classes. */
export const classCount = (x: Tensor): number => x.shape[classAxis(x)] as number

/** Values of the classes [C], shaped to broadcast along the class axis. */
const alongClasses = (x: Tensor, values: Tensor): Tensor =>
  values.reshape(x.shape.map((size, i) => (i === classAxis(x) ? size : 1)))

export function checkLogits(op: string, x: Tensor): void {
  if (x.ndim === 0)
    throw new OpError(op, 'needs a dimension of classes: [N, C], [N, C, ...] or [C]', { shapes: [x.shape] })
  if (x.size === 0) throw new OpError(op, 'the batch is empty', { shapes: [x.shape], hint: 'Skip empty batches.' })
}

/** Class weights [C] along the class axis; ones when there are none. */
export function classWeights(op: string, x: Tensor, weight: Tensor | undefined): Tensor {
  const size = classCount(x)
  if (weight !== undefined && !sameShape(weight.shape, [size]))
    throw new OpError(op, `needs one weight per class, [${size}]`, { shapes: [weight.shape] })
  return alongClasses(x, weight ?? ones([size]))
}

/** Whether targets are class numbers rather than probabilities. */
export const isInteger = (t: Tensor): boolean => t.dtype === 'int32' || t.dtype === 'uint8' || t.dtype === 'uint32'

/** Reads integer classes; throws unless they have the shape of the logits without the class axis. */
export function resolveTargets(
  op: string,
  x: Tensor,
  target: Tensor,
  options: { readonly weight?: Tensor | undefined; readonly ignoreIndex?: number } = {},
): Targets {
  const { weight, ignoreIndex } = options
  const axis = classAxis(x)
  const size = classCount(x)
  const expected = x.shape.filter((_, i) => i !== axis)
  if (!isInteger(target))
    throw new OpError(op, `class numbers must be integers, got ${target.dtype}`, {
      dtypes: [target.dtype],
      hint: "Cast them: target.cast('int32').",
    })
  if (!sameShape(target.shape, expected))
    throw new OpError(op, 'class numbers must have the shape of the logits without the dimension of classes', {
      shapes: [x.shape, target.shape],
      hint: `Expected [${expected.join(', ')}].`,
    })
  const labels = target.cast('int32')
  const isTarget = labels.unsqueeze(axis).eq(alongClasses(x, arange(size)))
  const invalid = labels.lt(0).logicalOr(labels.ge(size))
  const ofClass = weight ? where(isTarget, classWeights(op, x, weight), 0).sum(axis) : ones(expected)
  const orNaN = (terms: Tensor): Tensor =>
    labelled(`${op}: a target is not one of the classes 0 to ${size - 1}`, () => where(invalid, Number.NaN, terms))
  if (ignoreIndex === undefined) return { isTarget, weights: ofClass, masked: orNaN }
  const ignored = labels.eq(ignoreIndex)
  return { isTarget, weights: where(ignored, 0, ofClass), masked: (terms) => where(ignored, 0, orNaN(terms)) }
}
