import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

const N = 20_000
const values = async (x: t.Tensor): Promise<number[]> => Array.from(await x.data())
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length
const moment = (xs: readonly number[], k: number): number => {
  const m = mean(xs)
  return mean(xs.map((x) => (x - m) ** k))
}

describe('bits', () => {
  // Known answers of Random123's kat_vectors for threefry2x32, 20 rounds, counter (0, 0).
  it('are Threefry-2x32 with 20 rounds', async () => {
    expect(await values(t.randomBits(t.key(0), [1]))).toEqual([0x6b200159])
  })
  it('depend on key and place only', async () => {
    const long = await values(t.randomBits(t.key(5), [8]))
    expect(await values(t.randomBits(t.key(5), [2, 4]))).toEqual(long)
    expect(await values(t.randomBits(t.key(5), [3]))).toEqual(long.slice(0, 3))
    expect(await values(t.randomBits(t.key(6), [8]))).not.toEqual(long)
  })
  it('come from both words of a large seed', async () => {
    const far = await values(t.randomBits(t.key(2 ** 32 + 5), [4]))
    expect(far).not.toEqual(await values(t.randomBits(t.key(5), [4])))
  })
})

describe('derived keys', () => {
  it('differ from each other, from the parent and from its bits', async () => {
    const parent = t.key(1)
    const keys = [
      ...(await values(t.splitKey(parent, 3))),
      ...(await values(t.foldIn(parent, 0))),
      ...(await values(t.foldIn(parent, 1))),
      ...(await values(t.randomBits(parent, [6]))),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })
  it('take a tensor as data, as a number', async () => {
    const data = t.scalar(7, 'int32')
    expect(await values(t.foldIn(t.key(1), data))).toEqual(await values(t.foldIn(t.key(1), 7)))
  })
})

describe('distributions', () => {
  it('uniform', async () => {
    const u = await values(t.uniform(t.key(2), [N], { low: -1, high: 3 }))
    expect(Math.min(...u)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...u)).toBeLessThan(3)
    expect(mean(u)).toBeCloseTo(1, 1)
    expect(moment(u, 2)).toBeCloseTo(16 / 12, 1)
  })
  it('uniform float64 uses more than 24 bits', async () => {
    const u = await values(t.uniform(t.key(2), [8], { dtype: 'float64' }))
    expect(u.some((x) => !Number.isInteger(x * 2 ** 32))).toBe(true)
    expect(u.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 53))).toBe(true)
  })
  it('normal', async () => {
    const z = await values(t.normal(t.key(3), [N], { mean: 2, std: 3 }))
    expect(mean(z)).toBeCloseTo(2, 0)
    expect(moment(z, 2) / 9).toBeCloseTo(1, 1)
    expect(moment(z, 3) / 27).toBeCloseTo(0, 0)
    expect(moment(z, 4) / 81).toBeCloseTo(3, 0)
  })
  it('truncatedNormal', async () => {
    const z = await values(t.truncatedNormal(t.key(4), [N]))
    expect(Math.max(...z.map(Math.abs))).toBeLessThanOrEqual(2)
    // The variance of a normal cut at two standard deviations.
    expect(moment(z, 2)).toBeCloseTo(0.774, 1)
  })
  it('bernoulli', async () => {
    const p = t.tensor([0.1, 0.9])
    const [low, high] = (await t.mean(t.bernoulli(t.key(5), [N, 2], p), 0).array()) as [number, number]
    expect(low).toBeCloseTo(0.1, 1)
    expect(high).toBeCloseTo(0.9, 1)
    const even = await values(t.bernoulli(t.key(5), [100], 0.3))
    const u = await values(t.uniform(t.key(5), [100]))
    expect(even).toEqual(u.map((x) => Number(x < 0.3)))
    expect(await t.any(t.bernoulli(t.key(5), [100], 0)).item()).toBe(false)
    expect(await t.all(t.bernoulli(t.key(5), [100], 1)).item()).toBe(true)
  })
  it('randint', async () => {
    const xs = await values(t.randint(t.key(6), [N], -2, 3))
    expect(new Set(xs)).toEqual(new Set([-2, -1, 0, 1, 2]))
    expect(mean(xs)).toBeCloseTo(0, 1)
  })
  it('permutation', async () => {
    const order = await values(t.permutation(t.key(7), 100))
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(order.filter((x, i) => x === i).length).toBeLessThan(10)
  })
  it('exponential', async () => {
    const xs = await values(t.exponential(t.key(8), [N], { rate: 2 }))
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(0)
    expect(mean(xs)).toBeCloseTo(0.5, 1)
    expect(moment(xs, 2)).toBeCloseTo(0.25, 1)
  })
  it('gumbel', async () => {
    const xs = await values(t.gumbel(t.key(9), [N]))
    expect(xs.every(Number.isFinite)).toBe(true)
    expect(mean(xs)).toBeCloseTo(0.5772, 1)
  })
  it('categorical', async () => {
    const logits = t.log(t.tensor([0.2, 0.5, 0.3])).expand([N, 3])
    const draws = await values(t.categorical(t.key(10), logits))
    for (const [i, p] of [0.2, 0.5, 0.3].entries()) expect(draws.filter((x) => x === i).length / N).toBeCloseTo(p, 1)
  })
})

describe('Generator', () => {
  it('gives a new key each time, and the same ones from the same seed', async () => {
    const [a, b] = [new t.Generator(3), new t.Generator(3)]
    const first = await values(a.next())
    expect(await values(b.next())).toEqual(first)
    expect(await values(a.next())).not.toEqual(first)
    a.reseed(3)
    expect(await values(a.next())).toEqual(first)
  })
  it('moves on in a compiled step', async () => {
    const generator = new t.Generator(1)
    const step = t.compile(() => t.uniform(generator.next(), [4]))
    const first = await values(step())
    const second = await values(step())
    expect(second).not.toEqual(first)
    const plain = new t.Generator(1)
    plain.next()
    expect(await values(t.uniform(plain.next(), [4]))).toEqual(second)
  })
})
