import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { checkDigest } from '../src/files.ts'
import { column, fashionMnist, iris, writeIdx } from '../src/index.ts'
import { codeOf, codeOfAsync } from './errorCode.ts'

describe('iris', () => {
  it('has fifty flowers of each species, with the means that Fisher gives', async () => {
    const { flowers, features, species } = await iris()
    expect(flowers.length).toBe(150)
    expectTypeOf(flowers.columns.sizes.shape).toEqualTypeOf<readonly [number, 4]>()
    const labels = Array.from(flowers.columns.species.data)
    expect(species.map((_, s) => labels.filter((l) => l === s).length)).toEqual([50, 50, 50])
    const mean = (s: number, f: number): number =>
      labels.reduce((sum, l, i) => sum + (l === s ? (flowers.columns.sizes.data[4 * i + f] as number) : 0), 0) / 50
    // Fisher (1936), table II: setosa, versicolor.
    expect(features.map((_, f) => Number(mean(0, f).toFixed(3)))).toEqual([5.006, 3.428, 1.462, 0.246])
    expect(features.map((_, f) => Number(mean(1, f).toFixed(3)))).toEqual([5.936, 2.77, 4.26, 1.326])
  })
})

describe('fashionMnist', () => {
  it('says what to do when there are no files, and refuses files that are others', async () => {
    const root = await mkdtemp(join(tmpdir(), 'fashion-'))
    expect(await codeOfAsync(fashionMnist({ root }))).toBe('not-found')
    await expect(fashionMnist({ root })).rejects.toThrow('dataset-fashion-mnist')
    const images = writeIdx(column(new Uint8Array(784), [1, 28, 28]))
    const labels = writeIdx(column(Uint8Array.of(1), [1]))
    for (const part of ['train', 't10k']) {
      await writeFile(join(root, `${part}-images-idx3-ubyte`), images)
      await writeFile(join(root, `${part}-labels-idx1-ubyte`), labels)
    }
    expect(await codeOfAsync(fashionMnist({ root }))).toBe('corrupt')
    await rm(root, { recursive: true })
  })
})

describe('checkDigest', () => {
  it('takes one of several digests', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(() => checkDigest('x', 'a file', new Uint8Array(), ['0', empty], '')).not.toThrow()
    expect(codeOf(() => checkDigest('x', 'a file', Uint8Array.of(1), [empty], ''))).toBe('corrupt')
  })
})
