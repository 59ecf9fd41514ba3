import { checkOptions, compile, type HostArray, type Tensor } from '@tessella/tensor'
import { TrainingError } from './errors.ts'

type Batches<B> = AsyncIterable<B> | Iterable<B>

interface EvaluateOptions {
  /** Ends it with the signal's reason, between batches. */
  readonly signal?: AbortSignal
}

/** {@link compile} for a function of one batch, which holds tensors only. */
const compiledOn = <B, R>(fn: (batch: B) => R): ((batch: B) => R) => compile(fn) as unknown as (batch: B) => R

/**
 * Adds up scalars over batches: counts, sums of losses. Divide by the number of examples yourself, so that a smaller
 * last batch weighs what it should.
 *
 * @throws TrainingError `no-batches`
 * @example
 * const test = evaluator((b: Batch) => ({ errors: errorCount(model(b.images), b.labels) }))
 * const { errors } = await test(batches(mnist.test, { size: 1000 }))
 */
export function evaluator<B, K extends string>(
  measure: (batch: B) => Readonly<Record<K, Tensor>>,
): (batches: Batches<B>, options?: EvaluateOptions) => Promise<Record<K, number>> {
  const run = compiledOn(measure)
  return async (batches, options = {}) => {
    checkOptions('evaluator', options, ['signal'])
    const { signal } = options
    let sums: Record<K, number> | undefined
    for await (const batch of batches) {
      signal?.throwIfAborted()
      const entries = Object.entries<Tensor>(run(batch)) as [K, Tensor][]
      const values = await Promise.all(entries.map(async ([name, t]) => [name, Number(await t.item())] as const))
      const before = sums
      sums = Object.fromEntries(values.map(([name, v]) => [name, (before?.[name] ?? 0) + v])) as Record<K, number>
    }
    if (sums === undefined) throw new TrainingError('no-batches', '[evaluate] there were no batches to evaluate')
    return sums
  }
}

/** Runs a model over batches and gives the elements of each result as they come. */
export async function* predict<B>(
  forward: (batch: B) => Tensor,
  batches: Batches<B>,
  options: EvaluateOptions = {},
): AsyncGenerator<HostArray, void, undefined> {
  checkOptions('predict', options, ['signal'])
  const { signal } = options
  const run = compiledOn(forward)
  for await (const batch of batches) {
    signal?.throwIfAborted()
    yield await run(batch).data()
  }
}
