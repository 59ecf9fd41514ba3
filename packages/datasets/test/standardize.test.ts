import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StandardizerState } from '../src/index.ts'
import { column, standardize, standardizer } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

// [n, channels, 2]: the first channel counts, the second is constant.
const values = column(Float32Array.of(1, 2, 5, 5, 3, 4, 5, 5), [2, 2, 2])

describe('standardize', () => {
  it.each([
    ['feature', [2, 3, 5, 5], [1, 1, 0, 0], [-1, -1, 0, 0, 1, 1, 0, 0]],
    ['channel', [2.5, 5], [Math.sqrt(1.25), 0], [-1.5, -0.5, 0, 0, 0.5, 1.5, 0, 0].map((x) => x / Math.sqrt(1.25))],
    ['all', [3.75], [Math.sqrt(2.1875)], [1, 2, 5, 5, 3, 4, 5, 5].map((x) => (x - 3.75) / Math.sqrt(2.1875))],
  ] as const)('per %s', (per, mean, std, applied) => {
    const s = standardize(values, { per })
    expect([...s.mean]).toEqual(mean)
    expect([...s.std]).toEqual(std)
    const out = s.apply(values)
    expect(out).toMatchObject({ dtype: 'float32', shape: [2, 2, 2] })
    applied.forEach((x, i) => void expect(out.data[i]).toBeCloseTo(x, 6))
  })

  it('maps other rows by the training statistics', () => {
    const s = standardize(column(Float64Array.of(0, 10), [2, 1]))
    expect([...s.apply(column(Uint8Array.of(20), [1, 1])).data]).toEqual([3])
  })

  it('takes equal values for constant, whatever rounding leaves', () => {
    const s = standardize(column(new Float64Array(1000).fill(0.1), [1000, 1]))
    expect(s.std[0]).toBe(0)
    expect(Math.abs(s.apply(column(Float64Array.of(0.1), [1, 1])).data[0]!)).toBeLessThan(1e-12)
  })

  it('keeps small deviations of large values', () => {
    const s = standardize(column(Float64Array.of(1e8, 1e8 + 2), [2]), { per: 'all' })
    expect(s.std[0]).toBe(1)
  })

  it('invert takes apply back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 12 }), (xs) => {
        const c = column(Float64Array.from([...xs, ...xs]), [2, xs.length])
        for (const per of ['feature', 'all'] as const) {
          const s = standardize(c, { per })
          s.invert(s.apply(c)).data.forEach((x, i) => void expect(Math.abs(x - c.data[i]!)).toBeLessThan(1e-3))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('survives JSON', () => {
    const s = standardize(values, { per: 'channel' })
    const back = standardizer(JSON.parse(JSON.stringify(s)) as StandardizerState)
    expect(back.apply(values)).toEqual(s.apply(values))
    expect(back.toJSON()).toEqual(s.toJSON())
  })

  const s = standardize(values)
  it.each([
    ['no rows', () => standardize(column(new Uint8Array(0), [0, 3])), 'empty'],
    ['rows of nothing', () => standardize(column(new Uint8Array(0), [3, 0])), 'empty'],
    ['NaN', () => standardize(column(Float32Array.of(1, Number.NaN), [2])), 'corrupt'],
    ['infinity', () => standardize(column(Float32Array.of(1, Infinity), [2])), 'corrupt'],
    ['channels of rank 1', () => standardize(column(new Uint8Array(2), [2]), { per: 'channel' }), 'bad-shape'],
    ['other columns', () => s.apply(column(new Uint8Array(3), [1, 3])), 'bad-shape'],
    ['other columns back', () => s.invert(column(new Uint8Array(3), [1, 3])), 'bad-shape'],
    ['a state without means', () => standardizer({ per: 'all', mean: [], std: [] }), 'corrupt'],
    ['a state with a negative deviation', () => standardizer({ per: 'feature', mean: [0], std: [-1] }), 'corrupt'],
    ['a state of unequal lengths', () => standardizer({ per: 'feature', mean: [0, 1], std: [1] }), 'corrupt'],
  ])('refuses %s', (_, f, code) => expect(codeOf(f)).toBe(code))
})
