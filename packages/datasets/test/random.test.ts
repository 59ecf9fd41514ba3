import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { column, dataset, permutation, randomStream, shuffle } from '../src/index.ts'
import { threefry } from '../src/random.ts'
import { codeOf } from './errorCode.ts'

const words = (key: [number, number], low: number, high: number, n = 2) => [
  ...threefry(new Uint32Array(n), key, low, high),
]

describe('threefry', () => {
  // Known answers of Random123's kat_vectors, threefry2x32 with 20 rounds.
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [-1, -1],
      [-1, -1],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as [[number, number], [number, number], number[]][])('key %j and counter %j give %j', (key, [low, high], out) => {
    expect(words(key, low, high)).toEqual(out)
  })

  it('counts on past 2^32', () => {
    expect(words([1, 2], 0xffffffff, 7, 4)).toEqual([...words([1, 2], 0xffffffff, 7), ...words([1, 2], 0, 8)])
  })
})

describe('randomStream', () => {
  it('is fixed by seed and path, high bits of the seed and negative seeds included', () => {
    const first = (seed: number, ...path: number[]) => randomStream(seed, ...path).uint32()
    expect(first(0)).toBe(0x6b200159)
    expect(first(5, 1, 2)).toBe(first(5, 1, 2))
    const all = [
      first(5),
      first(5, 1),
      first(5, 2),
      first(5, 1, 2),
      first(5, 2, 1),
      first(5 + 2 ** 32),
      first(-5),
      first(2 ** 52),
    ]
    expect(new Set(all).size).toBe(all.length)
  })

  it('draws every whole number below n about equally often', () => {
    const random = randomStream(1)
    const counts = new Array<number>(6).fill(0)
    for (let i = 0; i < 6000; i++) counts[random.below(6)]!++
    for (const c of counts) expect(Math.abs(c - 1000)).toBeLessThan(4 * Math.sqrt(1000))
    expect(random.below(1)).toBe(0)
    expect(random.below(2 ** 32)).toBeLessThan(2 ** 32)
  })

  it('normal numbers have mean 0 and deviation 1', () => {
    const random = randomStream(2)
    const x = Array.from({ length: 20_000 }, () => random.normal())
    const mean = x.reduce((a, b) => a + b) / x.length
    const variance = x.reduce((a, b) => a + b * b, 0) / x.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.05)
  })
})

describe('permutation', () => {
  // The contract: these orders never change. Computed by a second implementation, in Python.
  it.each([
    [10, 0, 0, [7, 6, 8, 0, 2, 5, 3, 1, 4, 9]],
    [10, 1, 0, [0, 9, 4, 6, 2, 7, 3, 8, 1, 5]],
    [10, 1, 1, [8, 9, 7, 5, 6, 3, 1, 2, 0, 4]],
    [10, -3, 2, [9, 2, 7, 5, 3, 6, 4, 1, 0, 8]],
    [7, 2 ** 40, 0, [4, 1, 5, 3, 2, 0, 6]],
    [1, 3, 3, [0]],
    [0, 3, 3, []],
  ])('of %i with seed %d and epoch %i', (n, seed, epoch, order) => {
    expect([...permutation(n, seed, epoch)]).toEqual(order)
  })

  it('of 60,000 is the same everywhere', () => {
    const p = permutation(60_000, 42, 7)
    expect([...p.subarray(0, 5)]).toEqual([9580, 15619, 19760, 35957, 29928])
    // A weighted sum modulo 2^32 stands for all of it.
    expect(p.reduce((h, x) => (Math.imul(h, 31) + x) >>> 0, 0)).toBe(1077395838)
  })

  it('holds every number once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.maxSafeInteger(), fc.nat(50), (n, seed, epoch) => {
        expect([...permutation(n, seed, epoch)].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
      }),
      { numRuns: 60 },
    )
  })

  it('reaches every order of four about equally often', () => {
    const counts = new Map<string, number>()
    for (let seed = 0; seed < 4800; seed++) {
      const key = permutation(4, seed).join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    for (const c of counts.values()) expect(Math.abs(c - 200)).toBeLessThan(5 * Math.sqrt(200))
  })

  it.each([
    ['a negative n', () => permutation(-1)],
    ['a fraction', () => permutation(1.5)],
    ['an n past 2^32', () => permutation(2 ** 33)],
    ['a seed that is no whole number', () => permutation(3, 0.5)],
    ['a negative epoch', () => permutation(3, 0, -1)],
  ])('refuses %s', (_, f) => expect(codeOf(f)).toBe('bad-option'))
})

it('shuffle is a view in the order of the permutation', () => {
  const data = dataset({ x: column(Uint8Array.of(10, 11, 12, 13, 14), [5]) })
  expect([...shuffle(data, 9).columns.x.data]).toEqual([...permutation(5, 9)].map((i) => i + 10))
})
