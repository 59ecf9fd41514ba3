import { orAbort } from './bytes.ts'
import type { RowSource } from './dataset.ts'
import { checkNames, DatasetError } from './errors.ts'
import { permutation } from './permutation.ts'
import { checkSeed } from './random.ts'

export interface BatchOptions {
  /** Rows of a batch. */
  readonly size: number
  /** Draw the rows in a new order every epoch. Default false. */
  readonly shuffle?: boolean
  /** With the epoch, fixes the order of a shuffle. Default 0. */
  readonly seed?: number
  /** The epoch of the first iteration; every further one counts up. Default 0. */
  readonly epoch?: number
  /** Leave out a last batch with fewer rows. Default false. */
  readonly dropLast?: boolean
  /** Batches assembled ahead while the one before is in use; 0 assembles on demand. Default 1. */
  readonly prefetch?: number
  /** Ends the iteration: it rejects with `signal.reason`. */
  readonly signal?: AbortSignal
}

/** The rows of a batch, and their numbers in the data set. */
export type HostBatch<B> = B & { readonly index: Uint32Array }

/** Batches, epoch after epoch: each iteration is one epoch, in the order that (seed, epoch) fixes. */
export interface Batches<T> extends AsyncIterable<T> {
  /** Number of batches of an epoch. */
  readonly length: number
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined>
  /** One epoch without promises. @throws DatasetError `bad-option` when rows or `map` need a promise */
  sync(): IterableIterator<T, undefined>
}

const bad = (message: string): DatasetError => new DatasetError('batches', 'bad-option', message)

function checkWhole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw bad(`${name} must be a whole number from ${least} on, not ${value}.`)
}

function checkSource(source: unknown): void {
  if (typeof source === 'object' && source !== null && 'gather' in source && 'length' in source) return
  const got =
    source === null || source === undefined ? String(source) : Array.isArray(source) ? 'an array' : typeof source
  throw bad(
    `expected a data set, got ${got}. Make one with dataset({ ... }); mnist() gives one: (await mnist()).train.`,
  )
}

function checkIsOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw bad('the second argument holds the options: { size: 64 }.')
}

const isPromise = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' && value !== null && 'then' in value

/** Runs `f` once the current turn of the event loop is over; the answer calls it off. */
function afterThisTurn(f: () => void): () => void {
  if (typeof setImmediate === 'function') {
    const handle = setImmediate(f)
    return () => clearImmediate(handle)
  }
  const handle = setTimeout(f, 0)
  return () => clearTimeout(handle)
}

/**
 * Batches of typed arrays from a data set: `{ images, labels, index }` with `index` the row numbers.
 * The order depends on (seed, epoch) alone, never on prefetching. `map` turns a batch into what is yielded.
 *
 * ```ts
 * const batches = hostBatches(train, { size: 64, shuffle: true, seed: 1 })
 * for (let epoch = 0; epoch < 3; epoch++) for await (const { images, labels } of batches) use(images.data, labels.data)
 * ```
 * @throws DatasetError `empty` for no rows or no batch at all, `bad-option` for a bad size, seed, epoch or prefetch
 */
export function hostBatches<B extends object, T>(
  source: RowSource<B>,
  options: BatchOptions & { readonly map: (batch: HostBatch<B>) => T | PromiseLike<T> },
): Batches<T>
export function hostBatches<B extends object>(source: RowSource<B>, options: BatchOptions): Batches<HostBatch<B>>
export function hostBatches<B extends object>(
  source: RowSource<B>,
  options: BatchOptions & { readonly map?: (batch: HostBatch<B>) => unknown },
): Batches<unknown> {
  checkSource(source)
  checkIsOptions(options)
  checkNames('batches', options, ['size', 'shuffle', 'seed', 'epoch', 'dropLast', 'prefetch', 'signal', 'map'])
  const { shuffle = false, dropLast = false, signal, map } = options
  const size = checkWhole('size', options.size, 1)
  const prefetch = checkWhole('prefetch', options.prefetch ?? 1, 0)
  const seed = checkSeed('batches', options.seed ?? 0)
  let epochs = checkWhole('epoch', options.epoch ?? 0, 0)
  const n = source.length
  if (n === 0)
    throw new DatasetError('batches', 'empty', 'the data set has no rows. Check the subset it was taken from.')
  const length = dropLast ? Math.floor(n / size) : Math.ceil(n / size)
  if (length === 0)
    throw new DatasetError(
      'batches',
      'empty',
      `dropLast with size ${size} leaves no batch of ${n} rows. Use a smaller size.`,
    )

  const orderOf = (epoch: number): Uint32Array =>
    shuffle ? permutation(n, seed, epoch) : Uint32Array.from({ length: n }, (_, i) => i)
  const finished = (batch: HostBatch<B>): unknown => (map ? map(batch) : batch)
  const rowsOf = (order: Uint32Array, batch: number): Uint32Array => order.subarray(batch * size, (batch + 1) * size)

  function* sync(epoch: number): Generator<unknown, undefined> {
    const order = orderOf(epoch)
    for (let batch = 0; batch < length; batch++) {
      signal?.throwIfAborted()
      const index = rowsOf(order, batch)
      const rows = source.gather(index)
      const value = isPromise(rows) ? rows : finished({ ...rows, index })
      if (isPromise(value)) throw bad('sync() met a promise from the data set or from map. Use for await instead.')
      yield value
    }
    return undefined
  }

  return {
    length,
    sync: () => sync(epochs++),
    [Symbol.asyncIterator]: () => {
      const order = orderOf(epochs++)
      const produce = async (batch: number): Promise<unknown> => {
        const index = rowsOf(order, batch)
        return finished({ ...(await source.gather(index)), index })
      }
      return prefetched(length, prefetch, produce, signal)
    },
  }
}

/** Yields produce(0), produce(1), ... in order, with at most `ahead` of them started before they are asked for. */
function prefetched<T>(
  count: number,
  ahead: number,
  produce: (i: number) => Promise<T>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<T, undefined> {
  const started: Promise<T>[] = []
  let next = 0
  let finished = false
  let callOff = (): void => {}
  let turn: Promise<unknown> = Promise.resolve()

  const start = (): void => {
    const value = produce(next++)
    // Whoever asks gets the error; one that nobody asks for must not surface as an unhandled rejection.
    value.catch(() => {})
    started.push(value)
  }
  const finish = (): void => {
    finished = true
    callOff()
    started.length = 0
  }
  const step = async (): Promise<IteratorResult<T, undefined>> => {
    if (finished) return { done: true, value: undefined }
    try {
      signal?.throwIfAborted()
      if (started.length === 0 && next < count) start()
      const head = started.shift()
      if (head === undefined) {
        finish()
        return { done: true, value: undefined }
      }
      const value = await orAbort(head, signal)
      // The consumer gets its batch first; the next ones are assembled while it waits for the device.
      if (!finished) {
        callOff()
        callOff = afterThisTurn(() => {
          while (!finished && !signal?.aborted && started.length < ahead && next < count) start()
        })
      }
      return { done: false, value }
    } catch (error) {
      finish()
      throw error
    }
  }
  const iterator: AsyncIterableIterator<T, undefined> = {
    // Calls that overlap are answered one after the other, as an async generator does.
    next: () => {
      const answer = turn.then(step)
      turn = answer.catch(() => {})
      return answer
    },
    return: async () => {
      finish()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
