import { OpError, sameShape, type Tensor } from '@tessella/tensor'

/** Which rows have their largest logit elsewhere than the label says. */
function wrong(op: string, logits: Tensor, target: Tensor): Tensor<readonly number[], 'bool'> {
  if (logits.ndim !== 2 || !sameShape(target.shape, logits.shape.slice(0, 1)))
    throw new OpError(op, 'needs logits [N, C] and labels [N]', { shapes: [logits.shape, target.shape] })
  return logits.argmax(1).ne(target.cast('int32'))
}

/** Number of rows whose largest logit is not the label: an int32 scalar. Logits [N, C], labels [N]. */
export const errorCount = (logits: Tensor, target: Tensor): Tensor<[], 'int32'> =>
  wrong('errorCount', logits, target).sum()

/** Share of rows whose largest logit is the label, in [0, 1]. Logits [N, C], labels [N]. */
export function accuracy(logits: Tensor, target: Tensor): Tensor<[], 'float32'> {
  const rows = wrong('accuracy', logits, target)
  if (rows.size === 0) throw new OpError('accuracy', 'the batch is empty', { shapes: [logits.shape] })
  return rows.logicalNot().mean()
}
