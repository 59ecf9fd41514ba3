import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnArray } from '../src/index.ts'
import { column, parseIdx, readIdx, writeIdx } from '../src/index.ts'
import { codeOf, codeOfAsync } from './errorCode.ts'

type Bytes = Uint8Array<ArrayBuffer>

const gzip = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer(),
  )

const bytes = (...values: number[]): Bytes => Uint8Array.from(values)
const small: Bytes = bytes(0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9)

/** A stream in pieces of `size` bytes. */
function pieces(data: Bytes, size: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull: (c) => {
      if (at >= data.length) return c.close()
      c.enqueue(data.slice(at, at + size))
      at += size
    },
  })
}

describe('parseIdx', () => {
  it.each([
    ['uint8', bytes(0, 0, 0x08, 1, 0, 0, 0, 2, 1, 255), [1, 255]],
    ['int8', bytes(0, 0, 0x09, 1, 0, 0, 0, 2, 1, 255), [1, -1]],
    ['int16', bytes(0, 0, 0x0b, 1, 0, 0, 0, 2, 1, 2, 255, 254), [258, -2]],
    ['int32', bytes(0, 0, 0x0c, 1, 0, 0, 0, 1, 255, 255, 255, 0), [-256]],
    ['float32', bytes(0, 0, 0x0d, 1, 0, 0, 0, 1, 0xbf, 0xc0, 0, 0), [-1.5]],
    ['float64', bytes(0, 0, 0x0e, 1, 0, 0, 0, 1, 0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18), [Math.PI]],
  ] as const)('reads %s, big-endian', (dtype, file, values) => {
    const c = parseIdx(file)
    expect(c.dtype).toBe(dtype)
    expect([...c.data]).toEqual(values)
  })

  it('reads what writeIdx wrote, whatever the type, the shape and the offset in the buffer', () => {
    const arrays: readonly ((n: number[]) => ColumnArray)[] = [
      (n) => Uint8Array.from(n),
      (n) => Int8Array.from(n),
      (n) => Int16Array.from(n),
      (n) => Int32Array.from(n),
      (n) => Float32Array.from(n),
      (n) => Float64Array.from(n),
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...arrays),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 7 }),
        (make, shape, offset) => {
          const size = shape.reduce((a, b) => a * b, 1)
          const c = column(make(Array.from({ length: size }, (_, i) => i * 7919 - 300)), shape as [number, ...number[]])
          const file = writeIdx(c)
          const moved = new Uint8Array(file.length + offset)
          moved.set(file, offset)
          expect(parseIdx(moved.subarray(offset))).toEqual(c)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('shares the bytes of one-byte types', () => {
    expect(parseIdx(small).data.buffer).toBe(small.buffer)
  })

  const max = [255, 255, 255, 255]
  it.each([
    ['no byte', bytes(), 'truncated'],
    ['three bytes', bytes(0, 0, 8), 'truncated'],
    ['half a header', bytes(0, 0, 8, 3, 0, 0, 0, 1), 'truncated'],
    ['a missing element', small.subarray(0, -1), 'truncated'],
    ['half an element', bytes(0, 0, 0x0c, 1, 0, 0, 0, 1, 0, 0), 'truncated'],
    ['one byte too many', bytes(...small, 0), 'trailing-bytes'],
    ['two files in one', bytes(...small, ...small), 'trailing-bytes'],
    ['another format', bytes(0x89, 0x50, 0x4e, 0x47), 'bad-magic'],
    ['gzip, which only readIdx unpacks', bytes(0x1f, 0x8b, 8, 0), 'bad-magic'],
    ['an unknown type', bytes(0, 0, 0x0a, 1, 0, 0, 0, 0), 'bad-dtype'],
    ['no dimension', bytes(0, 0, 8, 0, 1), 'bad-shape'],
    ['4 GiB declared by 8 bytes', bytes(0, 0, 8, 1, ...max), 'too-large'],
    ['a product past 2^53', bytes(0, 0, 0x0e, 3, ...max, ...max, ...max), 'too-large'],
    ['a product of exactly 2^64, 0 in 32 bits', bytes(0, 0, 8, 2, ...[128, 0, 0, 0], ...[128, 0, 0, 0]), 'too-large'],
    ['an infinite product', bytes(0, 0, 8, 255, ...Array<number>(255 * 4).fill(255)), 'too-large'],
  ])('refuses %s', (_, file, code) => expect(codeOf(() => parseIdx(file))).toBe(code))

  it('reads an empty file with zero rows, however large the other dimensions', () => {
    expect(parseIdx(bytes(0, 0, 8, 2, 0, 0, 0, 0, ...max))).toMatchObject({
      shape: [0, 2 ** 32 - 1],
      data: { length: 0 },
    })
  })

  it('heeds maxBytes', () => {
    expect(codeOf(() => parseIdx(small, { maxBytes: 10 }))).toBe('too-large')
    expect(parseIdx(small, { maxBytes: 11 }).data).toHaveLength(3)
    expect(codeOf(() => parseIdx(small, { maxBytes: 0 }))).toBe('bad-option')
    expect(codeOf(() => parseIdx(small, { maxBytes: Number.NaN }))).toBe('bad-option')
  })
})

describe('writeIdx', () => {
  it('writes the published header', () => {
    expect(writeIdx(column(bytes(7, 8, 9), [3]))).toEqual(small)
  })
  it('refuses what the format lacks', () => {
    expect(codeOf(() => writeIdx(column(new Uint32Array(1), [1])))).toBe('bad-dtype')
  })
})

describe('readIdx', () => {
  const sources: [string, (b: Bytes) => Parameters<typeof readIdx>[0]][] = [
    ['bytes', (b) => b],
    ['an ArrayBuffer', (b) => b.slice().buffer],
    ['a Blob', (b) => new Blob([b])],
    ['a Response', (b) => new Response(b)],
    ['a promise of a Response', async (b) => new Response(b)],
    ['a stream of single bytes', (b) => pieces(b, 1)],
    [
      'an async iterable',
      (b) =>
        (async function* () {
          yield b.subarray(0, 1)
          yield b.subarray(1, 1)
          yield b.subarray(1)
        })(),
    ],
  ]
  it.each(sources)('reads %s, plain and compressed', async (_, of) => {
    expect([...(await readIdx(of(small))).data]).toEqual([7, 8, 9])
    expect([...(await readIdx(of(await gzip(small)))).data]).toEqual([7, 8, 9])
  })

  it.each([
    ['truncated', async () => (await gzip(small)).slice(0, -4), 'bad-gzip'],
    [
      'a damaged checksum',
      async () => (await gzip(small)).map((b, i, all) => (i === all.length - 6 ? b ^ 1 : b)),
      'bad-gzip',
    ],
    ['the two magic bytes alone', async () => bytes(0x1f, 0x8b), 'bad-gzip'],
    ['compressed nothing', () => gzip(bytes()), 'truncated'],
    ['a compressed file cut before compression', () => gzip(small.slice(0, -1)), 'truncated'],
    ['compressed twice', async () => gzip(await gzip(small)), 'bad-magic'],
    ['an HTML page', async () => new TextEncoder().encode('<!doctype html>'), 'bad-magic'],
  ])('refuses %s', async (_, file, code) => {
    expect(await codeOfAsync(readIdx(await file()))).toBe(code)
  })

  // Zeros pack 1000 to 1: without a limit, reading these would never end.
  it.each([
    ['whose header declares three bytes', small, {}, 'trailing-bytes'],
    ['whose header declares more than maxBytes', bytes(0, 0, 8, 1, 1, 0, 0, 0), { maxBytes: 1_000_000 }, 'too-large'],
  ])('stops an endless gzip bomb %s', async (_, head, options, code) => {
    let fed = 0
    let closed = false
    const zeros = new ReadableStream<Bytes>(
      {
        start: (c) => c.enqueue(head),
        pull: (c) => {
          fed++
          c.enqueue(new Uint8Array(100_000))
        },
        cancel: () => {
          closed = true
        },
      },
      { highWaterMark: 0 },
    )
    expect(await codeOfAsync(readIdx(zeros.pipeThrough(new CompressionStream('gzip')), options))).toBe(code)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(closed).toBe(true)
    expect(fed).toBeLessThan(2000)
  })

  it('stops an endless plain stream', async () => {
    const endless = (async function* () {
      yield small
      for (;;) yield bytes(0)
    })()
    expect(await codeOfAsync(readIdx(endless))).toBe('trailing-bytes')
  })

  it('names the status of a failed response', async () => {
    await expect(readIdx(new Response('gone', { status: 404, statusText: 'Not Found' }))).rejects.toThrow(
      '404 Not Found',
    )
    const used = new Response(small)
    await used.arrayBuffer()
    expect(await codeOfAsync(readIdx(used))).toBe('bad-response')
  })

  it('passes on the error of the source, inside gzip too', async () => {
    const failure = new Error('network lost')
    const packed = await gzip(small)
    for (const head of [small, packed]) {
      const broken = (async function* () {
        yield head.subarray(0, 6)
        throw failure
      })()
      await expect(readIdx(broken)).rejects.toBe(failure)
    }
  })

  it('rejects with the reason of the signal, before and while reading', async () => {
    const reason = new Error('enough')
    await expect(readIdx(small, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const head of [small.subarray(0, 6), (await gzip(small)).subarray(0, 12)]) {
      const controller = new AbortController()
      const hanging = (async function* () {
        yield head
        await new Promise(() => {})
      })()
      const reading = readIdx(hanging, { signal: controller.signal })
      setTimeout(() => controller.abort(reason), 5)
      await expect(reading).rejects.toBe(reason)
    }
  })
})

describe('readIdx of what holds no bytes', () => {
  it.each([
    ['a path', 'train-images', /got the text 'train-images'/],
    ['nothing', undefined, /expected bytes, got undefined/],
    ['a number', 3, /expected bytes, got a number/],
  ])('refuses %s', async (_, source, message) => {
    expect(await codeOfAsync(readIdx(source as never))).toBe('bad-option')
    await expect(readIdx(source as never)).rejects.toThrow(message)
  })
})
