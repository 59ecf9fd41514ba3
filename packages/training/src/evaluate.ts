import { compile, type HostArray, type Tensor } from '@tessella/tensor'
import { TrainingError } from './errors.ts'

type Batches<B> = AsyncIterable<B> | Iterable<B>

/**
 * Adds up scalars over batches: counts, sums of losses. Divide by the number of examples yourself, so that a smaller
 * last batch weighs what it should.
 *
 * @example
 * const test = evaluator((b: Batch) => ({ errors: errorCount(model(b.images), b.labels) }))
 * const { errors } = await test(batches(mnist.test, { size: 1000 }))
 */
export function evaluator<B, K extends string>(
  measure: (batch: B) => Readonly<Record<K, Tensor>>,
): (batches: Batches<B>, options?: { readonly signal?: AbortSignal }) => Promise<Record<K, number>> {
  const run = compile(measure as (...args: readonly [B]) => Readonly<Record<K, Tensor>>) as (b: B) => Record<K, Tensor>
  return async (batches, options = {}) => {
    const sums = {} as Record<K, number>
    let any = false
    for await (const batch of batches) {
      options.signal?.throwIfAborted()
      any = true
      const measured = run(batch)
      for (const name of Object.keys(measured) as K[])
        sums[name] = (sums[name] ?? 0) + Number(await measured[name].item())
    }
    if (!any) throw new TrainingError('no-batches', '[evaluate] there were no batches to evaluate')
    return sums
  }
}

/** Runs a model over batches and gives the elements of each result as they come. */
export async function* predict<B>(
  forward: (batch: B) => Tensor,
  batches: Batches<B>,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<HostArray, void, undefined> {
  const run = compile(forward as (...args: readonly [B]) => Tensor) as (b: B) => Tensor
  for await (const batch of batches) {
    options.signal?.throwIfAborted()
    yield await run(batch).data()
  }
}
