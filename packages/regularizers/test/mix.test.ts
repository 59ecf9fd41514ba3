import { cpu } from '@tessella/backend-cpu'
import { arange, compile, disposeBackend, eye, Generator, key, type Tensor, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutmix, mixup, symmetricBeta } from '../src/index.ts'

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length

describe.each(Object.entries({ reference, cpu }))('on %s', (_, create) => {
  beforeAll(() => useBackend(create()))
  afterAll(disposeBackend)

  it.each([[0.2], [0.5], [1], [2]])('Beta(%d, same) has its mean and variance', async (alpha) => {
    const generator = new Generator(3)
    const draw = compile(() => symmetricBeta(generator.next(), alpha))
    const draws: number[] = []
    for (let i = 0; i < 200; i++) draws.push(Number(await draw().item()))
    expect(draws.every((s) => s >= 0 && s <= 1)).toBe(true)
    const m = mean(draws)
    expect(Math.abs(m - 0.5)).toBeLessThan(0.08)
    // 1 / (4 (2 alpha + 1))
    const variance = mean(draws.map((s) => (s - m) ** 2))
    expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.03)
  })

  it('mixup mixes examples and targets by the same share', async () => {
    const x = arange(6).mul(10) as Tensor
    const { x: mixed, y, share } = mixup(x.unsqueeze(1) as Tensor, eye(6) as Tensor, { key: key(5), alpha: 0.5 })
    const targets = (await y.array()) as number[][]
    const values = await numbers(mixed as Tensor)
    const s = Number(await share.item())
    for (const [i, row] of targets.entries()) {
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
      // An example that is its own partner keeps all of itself.
      expect([s, 1]).toContainEqual(expect.closeTo(row[i] as number, 5))
      const expected = row.reduce((sum, p, j) => sum + 10 * j * p, 0)
      expect(values[i]).toBeCloseTo(expected, 3)
    }
  })

  it('cutmix puts a box of one partner into each image and mixes targets by its area', async () => {
    const n = 5
    const images = arange(n).cast('float32').reshape([n, 1, 1, 1]).expand([n, 2, 8, 6]) as Tensor
    const { x, y, share } = cutmix(images, eye(n) as Tensor, { key: key(2), share: 0.6 })
    const pixels = (await x.array()) as number[][][][]
    const targets = (await y.array()) as number[][]
    const s = Number(await share.item())
    expect(s).toBeGreaterThanOrEqual(0.5)
    expect(s).toBeLessThan(1)
    for (const [i, image] of pixels.entries()) {
      const flat = (image[0] as number[][]).flat()
      const foreign = flat.filter((v) => v !== i)
      const partner = (targets[i] as number[]).findIndex((p, j) => j !== i && p > 0)
      if (partner < 0) continue
      expect(foreign.length / 48).toBeCloseTo(1 - s, 5)
      expect(new Set(foreign)).toEqual(new Set([partner]))
      expect(targets[i]?.[partner]).toBeCloseTo(1 - s, 5)
      // One rectangle: the foreign rows are equal and have one run.
      const rows = (image[1] as number[][])
        .filter((row) => row.some((v) => v !== i))
        .map((row) => row.map((v) => (v === i ? '.' : '#')).join(''))
      expect(new Set(rows).size).toBe(1)
      expect(rows[0]).toMatch(/^\.*#+\.*$/)
    }
  })

  it('a compiled step draws anew at every call, the same from the same seed', async () => {
    const run = () => {
      const generator = new Generator(7)
      const step = compile((x: Tensor, y: Tensor) => mixup(x, y, { key: generator.next() }).share)
      return async () => {
        const shares: number[] = []
        for (let i = 0; i < 4; i++)
          shares.push(Number(await step(arange(6).unsqueeze(1) as Tensor, eye(6) as Tensor).item()))
        return shares
      }
    }
    const [a, b] = [await run()(), await run()()]
    expect(new Set(a).size).toBe(4)
    expect(b).toEqual(a)
  })

  it('says what does not fit', () => {
    const x = arange(6).unsqueeze(1) as Tensor
    expect(() => mixup(x, arange(6) as Tensor, { key: key(1) })).toThrow('targets [n, classes]')
    expect(() => mixup(x, eye(5) as Tensor, { key: key(1) })).toThrow('targets [n, classes]')
    expect(() => cutmix(x, eye(6) as Tensor, { key: key(1) })).toThrow('expects images')
    expect(() => mixup(x, eye(6) as Tensor, { key: key(1), alpha: 3 })).toThrow('alpha must be above 0 and at most 2')
  })
})
