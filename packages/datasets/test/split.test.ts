import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { column, dataset, kFold, permutation, split, trainTestSplit } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

/** A set whose `id` column tells the row; its classes are `labels`. */
const of = (labels: readonly number[]) =>
  dataset({
    id: column(Int32Array.from(labels.keys()), [labels.length]),
    labels: column(Uint8Array.from(labels), [labels.length]),
  })
const plain = (n: number) => of(new Array<number>(n).fill(0))
type Labelled = ReturnType<typeof of>

const ids = (d: Labelled): number[] => [...d.columns.id.data]
const sorted = (xs: number[]): number[] => xs.sort((a, b) => a - b)
const share = (d: Labelled, label: number): number => d.columns.labels.data.filter((l) => l === label).length

describe('split', () => {
  it('has the parts asked for and no other, in the types too', () => {
    const data = plain(10)
    const one = split(data, { validation: 0.2 })
    const two = split(data, { validation: 0.2, test: 3 })
    expect([one.train.length, one.validation.length]).toEqual([8, 2])
    expect([two.train.length, two.validation.length, two.test.length]).toEqual([5, 2, 3])
    expect('test' in one).toBe(false)
    // @ts-expect-error no test part was asked for
    expect(one.test).toBeUndefined()
    expectTypeOf(two.test).toEqualTypeOf(data)
  })

  it('draws the same rows from the same seed, others from another', () => {
    const rows = (seed: number) => ids(split(plain(20), { validation: 5, seed }).validation)
    expect(rows(1)).toEqual([11, 9, 1, 5, 14])
    expect(rows(2)).not.toEqual(rows(1))
    expect(ids(split(plain(20), { validation: 5, seed: 1 }).train)).toEqual([...permutation(20, 1)].slice(0, 15))
  })

  it('keeps the order without shuffling: the last rows are the last part', () => {
    const { train, validation, test } = split(plain(10), { validation: 2, test: 3, shuffle: false })
    expect([ids(train), ids(validation), ids(test)]).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6],
      [7, 8, 9],
    ])
  })

  it('puts every row into exactly one part and keeps the shares of the classes to within a row', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 8, maxLength: 60 }),
        fc.nat(),
        fc.boolean(),
        (labels, seed, stratify) => {
          const data = of(labels)
          const n = labels.length
          const parts = split(data, {
            validation: 0.3,
            test: 0.2,
            seed,
            ...(stratify ? { stratify: 'labels' as const } : {}),
          })
          expect(sorted([parts.train, parts.validation, parts.test].flatMap(ids))).toEqual([...labels.keys()])
          expect(parts.validation.length).toBe(Math.round(0.3 * n))
          if (!stratify) return
          for (const label of new Set(labels)) {
            const exact = (parts.validation.length * share(data, label)) / n
            expect(Math.abs(share(parts.validation, label) - exact)).toBeLessThan(1)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('stratifies exactly where the shares are whole', () => {
    const data = of(Array.from({ length: 100 }, (_, i) => (i < 10 ? 2 : i < 40 ? 1 : 0)))
    const { train, test } = trainTestSplit(data, { test: 0.2, stratify: 'labels', seed: 3 })
    expect([0, 1, 2].map((l) => share(test, l))).toEqual([12, 6, 2])
    expect([0, 1, 2].map((l) => share(train, l))).toEqual([48, 24, 8])
    // Mixed, not class after class.
    expect(new Set(test.take(8).columns.labels.data).size).toBeGreaterThan(1)
  })

  const images = dataset({ images: column(new Uint8Array(8), [4, 2]) })
  it.each([
    ['no part', () => split(plain(4), {})],
    ['a share of nothing', () => split(plain(4), { validation: 0.01 })],
    ['no row for training', () => split(plain(4), { validation: 2, test: 2 })],
    ['everything', () => trainTestSplit(plain(4), { test: 4 })],
    ['zero', () => split(plain(4), { validation: 0 })],
    ['a negative share', () => split(plain(4), { validation: -0.5 })],
    ['NaN', () => split(plain(4), { validation: Number.NaN })],
    ['a number of rows that is not whole', () => split(plain(4), { validation: 1.5 })],
    ['an empty set', () => split(plain(0), { validation: 0.5 })],
    // @ts-expect-error a class column has one value per row
    ['classes in a column of rank 2', () => split(images, { validation: 0.5, stratify: 'images' })],
    // @ts-expect-error no such column
    ['classes in a missing column', () => split(images, { validation: 0.5, stratify: 'labels' })],
  ])('refuses %s', (_, f) => expect(codeOf(f)).toBe('bad-option'))
})

describe('kFold', () => {
  it('validates every row once, on folds and classes that differ by a row at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2), { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 2, max: 5 }),
        fc.nat(),
        (labels, k, seed) => {
          const data = of(labels)
          const folds = kFold(data, { k, seed, stratify: 'labels' })
          expect(sorted(folds.flatMap((f) => ids(f.validation)))).toEqual([...labels.keys()])
          for (const f of folds) expect(sorted([...ids(f.train), ...ids(f.validation)])).toEqual([...labels.keys()])
          const spread = (of: (d: Labelled) => number): number => {
            const sizes = folds.map((f) => of(f.validation))
            return Math.max(...sizes) - Math.min(...sizes)
          }
          expect(spread((d) => d.length)).toBeLessThanOrEqual(1)
          for (const label of [0, 1, 2]) expect(spread((d) => share(d, label))).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('is fixed by the seed', () => {
    expect(kFold(plain(6), { k: 3, seed: 1 }).map((f) => ids(f.validation))).toEqual([
      [0, 2],
      [4, 3],
      [1, 5],
    ])
    expect(kFold(plain(5), { k: 2, shuffle: false }).map((f) => ids(f.validation))).toEqual([
      [0, 2, 4],
      [1, 3],
    ])
  })

  it.each([[1], [7], [2.5], [Number.NaN]])('refuses k = %d of 6 rows', (k) => {
    expect(codeOf(() => kFold(plain(6), { k }))).toBe('bad-option')
  })
})
