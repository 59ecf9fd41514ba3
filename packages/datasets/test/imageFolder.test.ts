import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batches, type DecodedImage, hostBatches, imageFolder } from '../src/index.ts'
import { codeOfAsync } from './errorCode.ts'

/** Portable pixmaps in bytes: `P6 width height 255`, then the pixels. */
function decode(bytes: Uint8Array): DecodedImage {
  const [, width, height] = /^P6 (\d+) (\d+) 255\n/.exec(new TextDecoder('latin1').decode(bytes.subarray(0, 30))) ?? []
  if (width === undefined || height === undefined) throw new Error('no pixmap')
  const [w, h] = [Number(width), Number(height)]
  return { width: w, height: h, channels: 3, data: bytes.subarray(bytes.length - w * h * 3) }
}
const pixmap = (width: number, height: number, first: number): Uint8Array =>
  Uint8Array.from([
    ...new TextEncoder().encode(`P6 ${width} ${height} 255\n`),
    ...Array.from({ length: width * height * 3 }, (_, i) => first + i),
  ])

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'images-'))
  for (const folder of ['set/dogs', 'set/cats/young', 'empty/cats', 'mixed/a'])
    await mkdir(join(root, folder), { recursive: true })
  await writeFile(join(root, 'set/dogs/1.ppm'), pixmap(2, 1, 0))
  await writeFile(join(root, 'set/cats/b.PPM'), pixmap(2, 1, 10))
  await writeFile(join(root, 'set/cats/young/a.ppm'), pixmap(2, 1, 20))
  await writeFile(join(root, 'set/cats/notes.txt'), 'none')
  await writeFile(join(root, 'mixed/a/1.ppm'), pixmap(2, 1, 0))
  await writeFile(join(root, 'mixed/a/2.ppm'), pixmap(1, 2, 0))
  await writeFile(join(root, 'mixed/a/3.ppm'), 'GIF89a')
})
afterAll(() => rm(root, { recursive: true }))
const options = { decode, extensions: ['ppm'] }

describe('imageFolder', () => {
  it('finds classes and pictures in the order of their names', async () => {
    const set = await imageFolder(join(root, 'set'), options)
    expect(set.classes).toEqual(['cats', 'dogs'])
    expect(set.paths.map((p) => p.slice(root.length + 5))).toEqual(['cats/b.PPM', 'cats/young/a.ppm', 'dogs/1.ppm'])
    expect(set.labels).toEqual(Int32Array.of(0, 0, 1))
    expect(set).toHaveLength(3)
  })

  it('puts channels before height and width', async () => {
    const { images, labels } = await (await imageFolder(join(root, 'set'), options)).gather([2, 0])
    expect(images.shape).toEqual([2, 3, 1, 2])
    expect(Array.from(images.data)).toEqual([0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15])
    expect(Array.from(labels.data)).toEqual([1, 0])
  })

  it('is read batch by batch, as arrays and as tensors', async () => {
    const set = await imageFolder(join(root, 'set'), options)
    const seen: number[] = []
    for await (const { labels, index } of hostBatches(set, { size: 2, shuffle: true, seed: 1 })) {
      seen.push(...index)
      expect(Array.from(labels.data)).toEqual(Array.from(index, (i) => set.labels[i]))
    }
    expect(seen.toSorted()).toEqual([0, 1, 2])
    for await (const { images } of batches(set, { size: 3 })) expect(images.shape).toEqual([3, 3, 1, 2])
  })

  it('names the file at fault', async () => {
    expect(await codeOfAsync(imageFolder(join(root, 'nowhere'), options))).toBe('not-found')
    expect(await codeOfAsync(imageFolder(join(root, 'empty'), options))).toBe('empty')
    const mixed = await imageFolder(join(root, 'mixed'), options)
    await expect(mixed.gather([1])).rejects.toThrow('2.ppm is 1x2 with 3 channels, the first picture 2x1 with 3')
    await expect(mixed.gather([2])).rejects.toThrow('3.ppm cannot be decoded')
    expect(await codeOfAsync(mixed.gather([5]))).toBe('bad-index')
  })
})
