import { fromData, type HostArrays, pace, type Tensor } from '@tessella/tensor'
import type { Column, ColumnDType } from './column.ts'
import type { Columns, RowSource } from './dataset.ts'
import { type Batches, type BatchOptions, hostBatches } from './hostBatches.ts'

/** The tensor dtype that holds a column's values: the language has no int8 and int16. */
export type TensorDType<D extends ColumnDType> = D extends 'int8' | 'int16' ? 'int32' : D

/** The columns of a batch as tensors: leading dimension `number`, the rest literal. */
export type TensorBatch<C extends Columns> = {
  readonly [K in keyof C]: C[K] extends Column<infer S, infer D> ? Tensor<[...S], TensorDType<D>> : never
}

type Held = TensorDType<ColumnDType>

function tensorOf({ data, shape, dtype }: Column): Tensor {
  // Narrow integers have no dtype of their own. Gathered rows are fresh memory, so the tensor may own it.
  const held: Held = dtype === 'int8' || dtype === 'int16' ? 'int32' : dtype
  const owned = held === dtype ? data : Int32Array.from(data)
  return fromData<readonly number[], Held>(owned as HostArrays[Held], shape, held)
}

/**
 * Batches as tensors, assembled on the host while the device works: `{ images, labels }` of the data set's columns.
 * Every iteration is an epoch; its order depends on (seed, epoch) alone. uint8 stays uint8: cast in the step.
 *
 * ```ts
 * for await (const { images, labels } of batches(mnist.train, { size: 64, shuffle: true, seed: 1 }))
 *   step(images, labels)
 * ```
 * @throws DatasetError `empty` for no rows or no batch at all, `bad-option` for a bad size, seed, epoch or prefetch
 */
export function batches<C extends Columns>(source: RowSource<C>, options: BatchOptions): Batches<TensorBatch<C>> {
  const all = hostBatches(source, {
    ...options,
    map: ({ index: _, ...columns }) =>
      Object.fromEntries(Object.entries(columns).map(([name, c]) => [name, tensorOf(c as Column)])) as TensorBatch<C>,
  })
  return { ...all, [Symbol.asyncIterator]: () => paced(all[Symbol.asyncIterator]()) }
}

/** A loop that reads nothing would queue steps without end: the next batch comes when the device has room for it. */
function paced<T>(iterator: AsyncIterableIterator<T, undefined>): AsyncIterableIterator<T, undefined> {
  const next = () => iterator.next()
  const outer: AsyncIterableIterator<T, undefined> = {
    next: () => pace().then(next),
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]: () => outer,
  }
  return outer
}
