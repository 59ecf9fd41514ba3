import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BatchOptions, RowSource } from '../src/index.ts'
import { column, dataset, hostBatches, mnist, permutation } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

const of = (n: number) =>
  dataset({
    x: column(
      Int32Array.from({ length: n * 2 }, (_, i) => i),
      [n, 2],
    ),
    y: column(new Uint8Array(n).fill(1), [n]),
  })

/** Row numbers of every batch of the next epoch, and a check that the values are those of the rows. */
async function epoch(batches: ReturnType<typeof hostBatches<ReturnType<typeof of>['columns']>>): Promise<number[][]> {
  const out: number[][] = []
  for await (const { x, y, index } of batches) {
    expect(x.shape).toEqual([index.length, 2])
    expect([...x.data]).toEqual([...index].flatMap((i) => [2 * i, 2 * i + 1]))
    expect(y.data).toHaveLength(index.length)
    out.push([...index])
  }
  return out
}
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3))

// Every test here must leave no rejection that nobody handles.
const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(async () => {
  await tick()
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

describe('hostBatches', () => {
  it('goes through the rows in order', async () => {
    const batches = hostBatches(of(5), { size: 2 })
    expect(batches.length).toBe(3)
    expect(await epoch(batches)).toEqual([[0, 1], [2, 3], [4]])
    expect(await epoch(batches)).toEqual([[0, 1], [2, 3], [4]])
  })

  it('dropLast leaves out the rest', async () => {
    const batches = hostBatches(of(5), { size: 2, dropLast: true })
    expect(batches.length).toBe(2)
    expect(await epoch(batches)).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(await epoch(hostBatches(of(4), { size: 4, dropLast: true }))).toHaveLength(1)
  })

  it('a size above the number of rows gives one batch', async () => {
    expect(await epoch(hostBatches(of(3), { size: 100 }))).toEqual([[0, 1, 2]])
  })

  it('shuffles anew every epoch, by (seed, epoch)', async () => {
    const batches = hostBatches(of(7), { size: 3, shuffle: true, seed: 4 })
    for (const e of [0, 1, 2]) expect((await epoch(batches)).flat()).toEqual([...permutation(7, 4, e)])
    const resumed = hostBatches(of(7), { size: 3, shuffle: true, seed: 4, epoch: 2 })
    expect((await epoch(resumed)).flat()).toEqual([...permutation(7, 4, 2)])
  })

  it('sync() gives the same batches and counts epochs with the rest', async () => {
    const batches = hostBatches(of(7), { size: 3, shuffle: true, seed: 4 })
    const rows = [...batches.sync()].flatMap(({ index }) => [...index])
    expect(rows).toEqual([...permutation(7, 4, 0)])
    expect((await epoch(batches)).flat()).toEqual([...permutation(7, 4, 1)])
  })

  it('holds every row once an epoch, in an order that prefetching does not change', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(4),
        fc.nat(),
        fc.boolean(),
        async (n, size, prefetch, seed, slowConsumer) => {
          const options: BatchOptions = { size, shuffle: true, seed }
          const expected = await epoch(hostBatches(of(n), { ...options, prefetch: 0 }))
          expect(expected.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
          const seen: number[][] = []
          for await (const { index } of hostBatches(of(n), { ...options, prefetch })) {
            seen.push([...index])
            if (slowConsumer) await new Promise((resolve) => setImmediate(resolve))
          }
          expect(seen).toEqual(expected)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('map makes what is yielded, with promises too', async () => {
    const seen: number[] = []
    const slow = {
      size: 1,
      prefetch: 3,
      map: async ({ x }: { x: { data: ArrayLike<number> } }) => {
        const first = x.data[0] ?? -1
        // Later batches are ready first and must still come later.
        await new Promise((resolve) => setTimeout(resolve, 6 - first))
        return first
      },
    }
    for await (const first of hostBatches(of(4), slow)) seen.push(first)
    expect(seen).toEqual([0, 2, 4, 6])
    expect([...hostBatches(of(3), { size: 2, map: ({ index }) => index.length }).sync()]).toEqual([2, 1])
    expect(
      codeOf(() =>
        hostBatches(of(2), { size: 1, map: async () => 1 })
          .sync()
          .next(),
      ),
    ).toBe('bad-option')
  })

  it('draws from any source of rows', async () => {
    const files: RowSource<{ readonly squares: number[] }> = {
      length: 3,
      gather: async (rows) => ({ squares: Array.from(rows, (i) => i * i) }),
    }
    const seen: number[][] = []
    for await (const { squares } of hostBatches(files, { size: 2 })) seen.push(squares)
    expect(seen).toEqual([[0, 1], [4]])
    expect(codeOf(() => hostBatches(files, { size: 2 }).sync().next())).toBe('bad-option')
  })
})

describe('prefetching', () => {
  const counted = (n: number) => {
    const started: number[] = []
    const source: RowSource<{ readonly row: number }> = {
      length: n,
      gather: (rows) => {
        started.push(rows[0] as number)
        return { row: rows[0] as number }
      },
    }
    return { source, started }
  }

  it('assembles that many ahead while the consumer is busy, and no more', async () => {
    for (const prefetch of [0, 1, 3]) {
      const { source, started } = counted(10)
      const iterator = hostBatches(source, { size: 1, prefetch })[Symbol.asyncIterator]()
      await tick()
      expect(started).toEqual([])
      for (const taken of [1, 2]) {
        await iterator.next()
        await tick()
        expect(started).toHaveLength(taken + prefetch)
      }
    }
  })

  it('hands over a batch before it assembles the next', async () => {
    const { source, started } = counted(3)
    const iterator = hostBatches(source, { size: 1, prefetch: 2 })[Symbol.asyncIterator]()
    await iterator.next()
    expect(started).toEqual([0])
  })

  it('stops at a break', async () => {
    const { source, started } = counted(10)
    for await (const { row } of hostBatches(source, { size: 1, prefetch: 2 })) if (row === 1) break
    const before = started.length
    await tick()
    expect(started).toHaveLength(before)
  })

  it('answers overlapping calls in order, and calls after the end', async () => {
    const iterator = hostBatches(counted(2).source, { size: 1 })[Symbol.asyncIterator]()
    const answers = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
    expect(answers.map((a) => a.value?.row)).toEqual([0, 1, undefined, undefined])
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
  })
})

describe('failures', () => {
  const reason = new Error('enough')

  it('an error surfaces at its batch, and the iteration is over', async () => {
    const failure = new Error('disk')
    const source: RowSource<{ readonly row: number }> = {
      length: 5,
      gather: (rows) => {
        if (rows[0] === 2) throw failure
        return { row: rows[0] as number }
      },
    }
    const seen: number[] = []
    const run = async (): Promise<void> => {
      for await (const { row } of hostBatches(source, { size: 1, prefetch: 3 })) {
        seen.push(row)
        await tick()
      }
    }
    await expect(run()).rejects.toBe(failure)
    expect(seen).toEqual([0, 1])
  })

  it('an error ahead of a break stays silent', async () => {
    const source: RowSource<object> = {
      length: 5,
      gather: async (rows) => {
        if (rows[0] === 1) throw new Error('never asked for')
        return {}
      },
    }
    for await (const _ of hostBatches(source, { size: 1, prefetch: 2 })) {
      await tick()
      break
    }
    await tick()
    expect(unhandled).toEqual([])
  })

  it('an aborted signal rejects with its reason: at the start, between batches and while one is made', async () => {
    const drain = async (signal: AbortSignal, map?: () => unknown): Promise<void> => {
      for await (const _ of hostBatches(of(9), { size: 1, signal, map: map ?? (() => 0) })) await tick()
    }
    await expect(drain(AbortSignal.abort(reason))).rejects.toBe(reason)

    const between = new AbortController()
    setTimeout(() => between.abort(reason), 8)
    await expect(drain(between.signal)).rejects.toBe(reason)

    const during = new AbortController()
    setTimeout(() => during.abort(reason), 5)
    await expect(drain(during.signal, () => new Promise(() => {}))).rejects.toBe(reason)

    const iterator = hostBatches(of(2), { size: 1, signal: AbortSignal.abort(reason) }).sync()
    expect(() => iterator.next()).toThrow(reason)
  })

  it.each([
    ['no rows', 0, { size: 1 }, 'empty'],
    ['dropLast with a size above the rows', 3, { size: 4, dropLast: true }, 'empty'],
    ['size 0', 3, { size: 0 }, 'bad-option'],
    ['a negative size', 3, { size: -2 }, 'bad-option'],
    ['a fraction', 3, { size: 1.5 }, 'bad-option'],
    ['an infinite size', 3, { size: Infinity }, 'bad-option'],
    ['NaN', 3, { size: Number.NaN }, 'bad-option'],
    ['a negative prefetch', 3, { size: 1, prefetch: -1 }, 'bad-option'],
    ['a fractional seed', 3, { size: 1, seed: 0.5 }, 'bad-option'],
    ['a negative epoch', 3, { size: 1, epoch: -1 }, 'bad-option'],
  ])('refuses %s', (_, n, options, code) => {
    expect(codeOf(() => hostBatches(of(n), options))).toBe(code)
  })

  it.each([
    ['the function mnist', mnist, /expected a data set, got function.*\(await mnist\(\)\).train/],
    ['its train, which is undefined', undefined, /expected a data set, got undefined/],
    ['an array', [1, 2], /expected a data set, got an array/],
  ])('refuses %s', (_, source, message) => {
    expect(codeOf(() => hostBatches(source as never, { size: 1 }))).toBe('bad-option')
    expect(() => hostBatches(source as never, { size: 1 })).toThrow(message)
  })
  it('refuses a bare size', () => {
    expect(codeOf(() => hostBatches(of(3), 2 as never))).toBe('bad-option')
    expect(codeOf(() => hostBatches(of(3), undefined as never))).toBe('bad-option')
  })
})
