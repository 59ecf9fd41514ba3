import { OpError, sameShape, type Tensor } from '@tessella/tensor'

function checkLabels(op: string, logits: Tensor, target: Tensor): void {
  if (logits.ndim !== 2 || !sameShape(target.shape, [logits.shape[0] as number]))
    throw new OpError(op, 'needs logits [N, C] and labels [N]', { shapes: [logits.shape, target.shape] })
}

/** Number of rows whose largest logit is not the label: int32 scalar. */
export function errorCount(logits: Tensor, target: Tensor): Tensor<readonly [], 'int32'> {
  checkLabels('errorCount', logits, target)
  return logits.argmax(1).ne(target.cast('int32')).cast('int32').sum() as unknown as Tensor<readonly [], 'int32'>
}

/** Share of rows whose largest logit is the label, in [0, 1]. */
export function accuracy(logits: Tensor, target: Tensor): Tensor<readonly [], 'float32'> {
  checkLabels('accuracy', logits, target)
  if (logits.shape[0] === 0) throw new OpError('accuracy', 'the batch is empty', { shapes: [logits.shape] })
  return logits.argmax(1).eq(target.cast('int32')).cast('float32').mean() as unknown as Tensor<readonly [], 'float32'>
}
