import { describe, expect, it } from 'vitest'
import type { PointDataset, PointOptions } from '../src/index.ts'
import { blobs, circles, spirals, twoMoons, xor } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

const rows = (data: PointDataset): [x: number, y: number, label: number][] =>
  Array.from({ length: data.length }, (_, i) => {
    const { points, labels } = data.at(i)
    return [points[0]!, points[1]!, labels]
  })

const sets: [string, (o: PointOptions) => PointDataset, number][] = [
  ['twoMoons', twoMoons, 2],
  ['circles', circles, 2],
  ['spirals', spirals, 2],
  ['blobs', blobs, 3],
  ['xor', xor, 2],
]

describe.each(sets)('%s', (_, make, classes) => {
  it('is fixed by its seed, in turns of the classes', () => {
    const data = make({ n: 12, seed: 1, noise: 0.1 })
    expect(data.columns.points).toMatchObject({ shape: [12, 2], dtype: 'float32' })
    expect([...data.columns.labels.data]).toEqual(Array.from({ length: 12 }, (_, i) => i % classes))
    expect(make({ n: 12, seed: 1, noise: 0.1 }).columns).toEqual(data.columns)
    expect(make({ n: 12, seed: 2, noise: 0.1 }).columns.points).not.toEqual(data.columns.points)
  })

  it('adds noise of the deviation asked for', () => {
    const n = 4000
    const exact = make({ n, noise: 0 }).columns.points.data
    const noisy = make({ n, noise: 0.2 }).columns.points.data
    // Means agree because the noise has none; spreads differ by its variance.
    const moments = (xs: Float32Array): [number, number] => {
      const mean = xs.reduce((a, b) => a + b, 0) / xs.length
      return [mean, xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length]
    }
    const [mean, variance] = moments(exact)
    const [noisyMean, noisyVariance] = moments(noisy)
    expect(Math.abs(noisyMean - mean)).toBeLessThan(0.05)
    expect(Math.abs(noisyVariance - variance - 0.04)).toBeLessThan(0.04)
  })

  it.each([
    ['a negative n', { n: -1 }],
    ['a fraction', { n: 1.5 }],
    ['negative noise', { n: 4, noise: -1 }],
    ['noise that is no number', { n: 4, noise: Number.NaN }],
    ['a fractional seed', { n: 4, seed: 0.5 }],
  ])('refuses %s', (_, options) => expect(codeOf(() => make(options))).toBe('bad-option'))
})

describe('exact places without noise', () => {
  it('moons lie on their half circles', () => {
    for (const [x, y, label] of rows(twoMoons({ n: 100 }))) {
      if (label === 0) expect(Math.hypot(x, y)).toBeCloseTo(1, 5)
      else expect(Math.hypot(x - 1, y - 0.5)).toBeCloseTo(1, 5)
      expect(label === 0 ? y : 0.5 - y).toBeGreaterThanOrEqual(-1e-6)
    }
  })

  it('circles have radius 1 and factor', () => {
    for (const [x, y, label] of rows(circles({ n: 100, factor: 0.3 }))) {
      expect(Math.hypot(x, y)).toBeCloseTo(label === 0 ? 1 : 0.3, 5)
    }
  })

  it('a point of a spiral turns with its radius, from where its arm starts', () => {
    for (const [x, y, label] of rows(spirals({ n: 99, classes: 3, turns: 1.25 }))) {
      const radius = Math.hypot(x, y)
      expect(radius).toBeLessThanOrEqual(1.000001)
      const angle = 2 * Math.PI * (1.25 * radius + label / 3)
      expect(x).toBeCloseTo(radius * Math.cos(angle), 4)
      expect(y).toBeCloseTo(radius * Math.sin(angle), 4)
    }
  })

  it('blobs sit on their centres, given or drawn', () => {
    const data = blobs({
      n: 5,
      noise: 0,
      centers: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    })
    expect([...data.at(3).points]).toEqual([4, 5, 6])
    const drawn = blobs({ n: 8, noise: 0, centers: 4, features: 5, seed: 2 })
    expect(drawn.columns.points.shape).toEqual([8, 5])
    expect(drawn.at(1).points).toEqual(drawn.at(5).points)
    expect(Math.max(...drawn.columns.points.data.map(Math.abs))).toBeLessThanOrEqual(10)
  })

  it('xor is 1 where exactly one coordinate is positive', () => {
    const seen = new Set<string>()
    for (const [x, y, label] of rows(xor({ n: 100 }))) {
      expect(label).toBe(x > 0 !== y > 0 ? 1 : 0)
      expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(1)
      seen.add(`${x > 0} ${y > 0}`)
    }
    expect(seen.size).toBe(4)
  })

  it.each([
    ['circles of factor 1', () => circles({ n: 4, factor: 1 })],
    ['spirals of no class', () => spirals({ n: 4, classes: 0 })],
    ['spirals that turn NaN times', () => spirals({ n: 4, turns: Number.NaN })],
    ['blobs of no centre', () => blobs({ n: 4, centers: 0 })],
    ['blobs of an empty list', () => blobs({ n: 4, centers: [] })],
    ['blobs of unequal centres', () => blobs({ n: 4, centers: [[1], [1, 2]] })],
    ['blobs of no feature', () => blobs({ n: 4, features: 0 })],
  ])('refuses %s', (_, f) => expect(codeOf(f)).toBe('bad-option'))
})
