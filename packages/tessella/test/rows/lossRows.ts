import * as losses from '@tessella/losses'
import type { Tensor } from '@tessella/tensor'
import { type Attrs, fn, type Row, type Rows } from './row.ts'

const loss = (run: (x: Tensor, target: Tensor, attrs: Attrs) => Tensor): Row =>
  fn((i, a) => run(i('x'), i('target'), a))

export const lossRows: Rows = {
  mse: loss(losses.mse),
  crossEntropy: fn((i, { reduction, labelSmoothing = 0, ignoreIndex = -100 }, c) =>
    losses.crossEntropy(i('x'), i('target'), {
      reduction,
      labelSmoothing,
      ignoreIndex,
      ...('weight' in c.inputs ? { weight: i('weight') } : {}),
    }),
  ),
  binaryCrossEntropy: loss(losses.binaryCrossEntropy),
  binaryCrossEntropyWithLogits: loss((x, target, { reduction }) =>
    losses.binaryCrossEntropyWithLogits(x, target, { reduction }),
  ),
  nll: loss((x, target, { reduction }) => losses.nll(x, target, { reduction })),
  l1: loss(losses.l1Loss),
  huber: loss(losses.huber),
  smoothL1: loss(losses.smoothL1),
  klDiv: loss((x, target) => losses.klDiv(x, target, { reduction: 'batchmean' })),
  multiMargin: loss((x, target, { reduction }) => losses.multiMargin(x, target, { reduction })),
  cosineEmbedding: fn((i, { reduction, margin }) =>
    losses.cosineEmbedding(i('a'), i('b'), i('target'), { reduction, margin }),
  ),
  tripletMargin: fn((i, { reduction, margin }) =>
    losses.tripletMargin(i('anchor'), i('positive'), i('negative'), { reduction, margin }),
  ),
  poissonNll: loss(losses.poissonNll),
  gaussianNll: fn((i, { reduction }) => losses.gaussianNll(i('x'), i('target'), i('variance'), { reduction })),
}
