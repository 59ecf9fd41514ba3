import { describe, expect, it } from 'vitest'
import { change, isSteady, median, summarize } from '../src/measure/statistics.ts'

describe('statistics', () => {
  it('take the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([7])).toBe(7)
    expect(() => median([])).toThrow(RangeError)
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, runs: 3 })
  })

  it('see when warm-up is over', () => {
    expect(isSteady([9, 5, 1, 1.01, 1.02])).toBe(true)
    expect(isSteady([1, 1])).toBe(false)
    expect(isSteady([1, 1, 1.2])).toBe(false)
  })

  it('tell a change from noise', () => {
    const before = summarize([10, 11, 12])
    expect(change(before, summarize([11.5, 13, 14]))).toBe('noise')
    expect(change(before, summarize([12.5, 13, 14]))).toBe('more')
    expect(change(before, summarize([7, 8, 9]))).toBe('less')
    expect(change(summarize([100]), summarize([102]))).toBe('noise')
  })
})
