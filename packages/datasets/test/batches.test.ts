import { disposeBackend, type Tensor, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { batches, column, dataset } from '../src/index.ts'

beforeAll(async () => {
  await useBackend(reference())
  return disposeBackend
})

const data = dataset({
  images: column(
    Uint8Array.from({ length: 10 }, (_, i) => i),
    [5, 2],
  ),
  small: column(Int8Array.from([-1, -2, -3, -4, -5]), [5]),
})

describe('batches', () => {
  it('yields tensors with the batch size unknown to the types', async () => {
    const seen: unknown[] = []
    for await (const { images, small } of batches(data, { size: 2 })) {
      expectTypeOf(images).toEqualTypeOf<Tensor<[number, 2], 'uint8'>>()
      expectTypeOf(small).toEqualTypeOf<Tensor<[number], 'int32'>>()
      seen.push(await images.array(), await small.array())
    }
    expect(seen).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      [-1, -2],
      [
        [4, 5],
        [6, 7],
      ],
      [-3, -4],
      [[8, 9]],
      [-5],
    ])
  })

  it('orders by seed and epoch', async () => {
    const labels = async (epoch: number): Promise<number[]> => {
      const out: number[] = []
      for await (const { small } of batches(data, { size: 5, shuffle: true, seed: 3, epoch }))
        out.push(...(await small.data()))
      return out
    }
    expect(await labels(0)).toEqual(await labels(0))
    expect(await labels(0)).not.toEqual(await labels(1))
    expect((await labels(1)).sort()).toEqual([-1, -2, -3, -4, -5])
  })
})

it('the next batch waits for room in the queue of the backend in use', async () => {
  const backend = reference()
  let give = (): void => {}
  let full = new Promise<void>((resolve) => {
    give = resolve
  })
  const waits: string[] = []
  await useBackend(
    Object.assign(backend, {
      pace: () => {
        waits.push('asked')
        return full
      },
    }),
  )
  const iterator = batches(data, { size: 2 })[Symbol.asyncIterator]()
  const first = iterator.next().then(() => waits.push('first'))
  await new Promise((resolve) => setTimeout(resolve))
  expect(waits).toEqual(['asked'])
  full = Promise.resolve()
  give()
  await first
  await iterator.next()
  expect(waits).toEqual(['asked', 'first', 'asked'])
  await iterator.return?.()
  expect((await iterator.next()).done).toBe(true)
})
