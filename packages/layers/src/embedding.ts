import { arange, OpError, type Tensor, take, type Variable, where } from '@tessella/tensor'
import { checkCount, checkOptions } from './checks.ts'
import type { Initializer } from './facts.ts'
import { normal } from './init.ts'
import { defineLayer } from './layer.ts'
import { parameter } from './recipe.ts'
import type { LayerCall, LookupSpec } from './types/index.ts'

/** Settings of an embedding. */
export interface EmbeddingOptions {
  /** This index starts as zeros and is never learned. */
  readonly paddingIndex?: number
  /** Default PyTorch's: normal with std 1. */
  readonly init?: Initializer
  /** Fixes the numbers drawn; without it the layer's place in the model does. */
  readonly seed?: number
}

/** A table of vectors. */
export type Embedding<N extends number, D extends number> = LayerCall<LookupSpec<'embedding', D>> & {
  readonly weight: Variable<[N, D], 'float32'>
}

/**
 * A row of a learned table [count, dim] for each index, as `torch.nn.Embedding`. Indices are integers below `count`;
 * one outside gives NaN.
 * @example embedding(5000, 64)(zeros([32, 10], 'int32')) // Tensor<[32, 10, 64], 'float32'>
 */
export function embedding<const N extends number, const D extends number>(
  count: N,
  dim: D,
  options: EmbeddingOptions = {},
): Embedding<N, D> {
  checkCount('embedding', 'count', count)
  checkCount('embedding', 'dim', dim)
  checkOptions('embedding', options, ['paddingIndex', 'init', 'seed'])
  const { paddingIndex, init = normal(), seed } = options
  if (paddingIndex !== undefined && !(Number.isInteger(paddingIndex) && paddingIndex >= 0 && paddingIndex < count))
    throw new OpError('embedding', `paddingIndex must be an index below ${count}, got ${paddingIndex}`)
  const draw: Initializer = (key, shape) => {
    const table = init(key, shape)
    return paddingIndex === undefined
      ? table
      : table.maskedFill(
          arange(count as number)
            .eq(paddingIndex)
            .unsqueeze(1) as Tensor,
          0,
        )
  }
  const { variable, recipe } = parameter('weight', [count, dim], draw, { role: 'weight', seed })
  return defineLayer({
    spec: { kind: 'lookup', name: 'embedding', dim },
    modal: false,
    parts: { weight: variable },
    recipes: [recipe],
    forward: (index) => {
      const rows = take(variable.value as unknown as Tensor, index) as Tensor
      if (paddingIndex === undefined) return rows
      return where(index.eq(paddingIndex).unsqueeze(-1) as Tensor, rows.detach(), rows) as Tensor
    },
  }) as unknown as Embedding<N, D>
}
