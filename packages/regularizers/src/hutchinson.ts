import { bernoulli, checkOptions, foldIn, type Key, OpError, type Tensor } from '@tessella/tensor'
import type { ByName } from './pruning.ts'

/** Settings of {@link hutchinsonDiagonal}. */
export interface HutchinsonOptions {
  /** Fixes the random signs. */
  readonly key: Key
  /** Directions to average over. Default 16. */
  readonly samples?: number
}

/**
 * The diagonal second derivatives of any criterion, estimated: the mean of v * (H v) over random signs v (Bekas et al., 2007).
 * Without bias; exact where the second derivatives are diagonal, and else the error falls with the root of the samples.
 * Serves models that `denseCurvature` does not know.
 * @param hvp from a direction to the product of the second derivatives with it, by the same names:
 *   `v => hvp(loss, model, v)` of `@tessella/autograd`
 * @param like tensors of the parameters' shapes, by name
 */
export function hutchinsonDiagonal(
  hvp: (direction: Record<string, Tensor>) => ByName,
  like: ByName,
  options: HutchinsonOptions,
): Record<string, Tensor> {
  checkOptions('hutchinsonDiagonal', options, ['key', 'samples'])
  const { key, samples = 16 } = options
  if (!Number.isInteger(samples) || samples < 1)
    throw new OpError('hutchinsonDiagonal', `samples must be a positive integer, got ${samples}`)
  const names = Object.keys(like)
  const sums: Record<string, Tensor> = {}
  for (let s = 0; s < samples; s++) {
    const signs = Object.fromEntries(
      names.map((name, i) => {
        const coin = bernoulli(foldIn(key, s * names.length + i), (like[name] as Tensor).shape, 0.5)
        return [name, coin.cast('float32').mul(2).sub(1) as Tensor]
      }),
    )
    const product = hvp(signs)
    for (const name of names) {
      const p = product[name]
      if (p === undefined) throw new OpError('hutchinsonDiagonal', `the product has nothing for '${name}'`)
      const term = p.mul(signs[name] as Tensor) as Tensor
      sums[name] = sums[name] === undefined ? term : (sums[name].add(term) as Tensor)
    }
  }
  return Object.fromEntries(names.map((name) => [name, (sums[name] as Tensor).div(samples) as Tensor]))
}
