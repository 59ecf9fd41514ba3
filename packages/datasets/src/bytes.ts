import { DatasetError } from './errors.ts'

/** Where bytes come from: memory, a file picked in a page, a `fetch` response, a stream, or a promise of one. */
export type ByteSource =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
export type ByteInput = ByteSource | PromiseLike<ByteSource>

/** How far a reader may go: asked again after every chunk, with all the bytes read so far. */
export type ByteLimit = (head: Uint8Array) => number

type Reader = { next(): Promise<Uint8Array | undefined>; cancel(): Promise<void> }

const CHUNK = 1 << 16

function readerOf(op: string, source: ByteSource): Reader {
  if (source instanceof ArrayBuffer) return memoryReader(new Uint8Array(source))
  if (source instanceof Uint8Array) return memoryReader(source)
  if (source instanceof Blob) return streamReader(source.stream())
  if (source instanceof Response) {
    if (!source.ok)
      throw new DatasetError(
        op,
        'bad-response',
        `${source.url || 'the request'} answered ${source.status} ${source.statusText}.`,
      )
    if (!source.body || source.bodyUsed)
      throw new DatasetError(op, 'bad-response', 'the response has no body left to read. Pass it before reading it.')
    return streamReader(source.body)
  }
  if (source instanceof ReadableStream) return streamReader(source)
  checkIterable(op, source)
  const iterator = source[Symbol.asyncIterator]()
  return {
    next: async () => {
      const step = await iterator.next()
      return step.done ? undefined : step.value
    },
    cancel: async () => void (await iterator.return?.()),
  }
}

function checkIterable(op: string, source: unknown): void {
  if (typeof source === 'object' && source !== null && Symbol.asyncIterator in source) return
  throw new DatasetError(
    op,
    'bad-option',
    typeof source === 'string'
      ? `expected bytes, got the text '${source}'. Read a file first: readFile(path), or fetch(url) in a page.`
      : `expected bytes, got ${source === null || source === undefined ? String(source) : `a ${typeof source}`}. ` +
          'Pass a Uint8Array, a Response, a Blob or a stream.',
  )
}

function memoryReader(bytes: Uint8Array): Reader {
  let at = 0
  return {
    next: async () => {
      const chunk = bytes.subarray(at, at + CHUNK)
      at += chunk.length
      return chunk.length > 0 ? chunk : undefined
    },
    cancel: async () => {},
  }
}

function streamReader(stream: ReadableStream<Uint8Array>): Reader {
  const reader = stream.getReader()
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel().catch(() => {}),
  }
}

/** A reader that first gives back the chunks already taken. */
function resume(taken: readonly Uint8Array[], reader: Reader): Reader {
  const queue = [...taken]
  return { next: async () => queue.shift() ?? reader.next(), cancel: () => reader.cancel() }
}

function inflate(reader: Reader): Reader {
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const chunk = await reader.next()
      if (chunk) controller.enqueue(chunk as Uint8Array<ArrayBuffer>)
      else controller.close()
    },
    cancel: () => reader.cancel(),
  })
  return streamReader(compressed.pipeThrough(new DecompressionStream('gzip')))
}

/** Settles with the promise, or rejects with the signal's reason as soon as it aborts. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  // A promise left behind by an abort must not surface as an unhandled rejection.
  promise.catch(() => {})
  signal.throwIfAborted()
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks
  if (chunks.length === 1 && first) return first
  const out = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}

/**
 * Reads a source to its end, unpacking gzip when it starts with 1f 8b, and stops as soon as there are more bytes
 * than `limit` allows: a small file that inflates without end costs no more memory than that.
 * The answer holds at most one byte more than the limit.
 *
 * @throws DatasetError `bad-gzip`, `bad-response`; rejects with `signal.reason` on abort
 */
export async function readBytes(
  op: string,
  input: ByteInput,
  limit: ByteLimit,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  signal?.throwIfAborted()
  const source = await orAbort(Promise.resolve(input), signal)
  const opened = readerOf(op, source)
  let sourceError: unknown
  const raw: Reader = {
    next: () =>
      opened.next().catch((error) => {
        sourceError = error
        throw error
      }),
    cancel: opened.cancel,
  }
  const taken: Uint8Array[] = []
  let reader = raw
  let gzip = false
  try {
    let length = 0
    while (length < 2) {
      const chunk = await orAbort(raw.next(), signal)
      if (!chunk) break
      taken.push(chunk)
      length += chunk.length
    }
    const magic = concat(taken, length)
    gzip = magic[0] === 0x1f && magic[1] === 0x8b
    // Plain bytes in memory need no copy; their reader's checks ask for the limit themselves.
    if (!gzip && source instanceof Uint8Array) return source
    if (!gzip && source instanceof ArrayBuffer) return new Uint8Array(source)
    reader = gzip ? inflate(resume(taken, raw)) : resume(taken, raw)
    return await collect(reader, limit, signal)
  } catch (error) {
    if (sourceError !== undefined) throw sourceError
    if (!gzip || signal?.aborted || error instanceof DatasetError) throw error
    throw new DatasetError(op, 'bad-gzip', 'the gzip data is cut short or damaged. Fetch the file again.', {
      cause: error,
    })
  } finally {
    // Not awaited: a source that hangs must not hold up an abort.
    reader.cancel().catch(() => {})
  }
}

async function collect(reader: Reader, limit: ByteLimit, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  let head = new Uint8Array(0)
  for (;;) {
    const chunk = await orAbort(reader.next(), signal)
    if (!chunk) return concat(chunks, length)
    chunks.push(chunk)
    length += chunk.length
    if (head.length < HEAD) head = new Uint8Array(concat([head, chunk], head.length + chunk.length).subarray(0, HEAD))
    const most = limit(head)
    if (length > most) return concat(chunks, length).subarray(0, most + 1)
  }
}

/** As many leading bytes as a limit may look at: an IDX header of the highest rank. */
const HEAD = 4 + 4 * 255
