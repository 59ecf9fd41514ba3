/** The work of a case, as plain data: it travels to other processes and pages. */
export type Work =
  | { readonly kind: 'matmul'; readonly m: number; readonly k: number; readonly n: number }
  | {
      readonly kind: 'conv3x3'
      readonly mode: 'fwd' | 'train'
      readonly batch: number
      readonly channels: number
      readonly size: number
    }
  | { readonly kind: 'elementwise'; readonly fn: ElementwiseFn; readonly size: number }
  | { readonly kind: 'rows'; readonly fn: 'softmax' | 'layernorm'; readonly rows: number; readonly columns: number }
  | {
      readonly kind: 'train'
      readonly model: ModelName
      readonly optimizer: 'sgd' | 'adam'
      readonly batch: number
    }
  | { readonly kind: 'overhead' }

export type ElementwiseFn = 'add' | 'exp' | 'gelu' | 'adam'
export type ModelName = 'lenet' | 'mlp' | 'resnet8' | 'gpt-tiny'

/** What every system trains with. */
export const rates = { sgd: 0.05, adam: 1e-3 } as const

/** Sizes of gpt-tiny. */
export const gpt = { layers: 4, width: 128, heads: 4, context: 128, vocabulary: 256 } as const

/** Distinct examples of a training batch, repeated to fill it: the mean loss then does not depend on the batch. */
export const distinct = (model: ModelName): number => (model === 'gpt-tiny' ? 1 : 4)

/** Floats of arithmetic in one run, a multiply-add as two; direct count for convolutions; rough for the others. */
export function flops(work: Work): number {
  switch (work.kind) {
    case 'matmul':
      return 2 * work.m * work.k * work.n
    case 'conv3x3':
      return (work.mode === 'fwd' ? 1 : 3) * 2 * work.batch * work.channels ** 2 * 9 * work.size ** 2
    case 'elementwise':
      return work.size
    case 'rows':
      return 5 * work.rows * work.columns
    case 'train':
      return work.batch * { lenet: 1.52e6, mlp: 0.66e6, resnet8: 75e6, 'gpt-tiny': 700e6 }[work.model]
    case 'overhead':
      return 1
  }
}
