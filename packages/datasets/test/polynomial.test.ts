import { describe, expect, it } from 'vitest'
import { column, polynomialFeatures } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

describe('polynomialFeatures', () => {
  it('are all products up to the degree', () => {
    const { features, exponents } = polynomialFeatures(column(Float32Array.of(2, 3, -1, 0.5), [2, 2]), 2)
    expect(exponents).toEqual([
      [1, 0],
      [0, 1],
      [2, 0],
      [1, 1],
      [0, 2],
    ])
    expect(features.shape).toEqual([2, 5])
    expect(Array.from(features.data)).toEqual([2, 3, 4, 6, 9, -1, 0.5, 1, -0.5, 0.25])
  })

  it.each([
    [1, 5, 5],
    [3, 2, 9],
    [3, 3, 19],
    [4, 3, 34],
  ])('%d features of degree %d have %d products, each once', (width, degree, count) => {
    const { exponents, features } = polynomialFeatures(column(new Uint8Array(width).fill(2), [1, width]), degree)
    expect(new Set(exponents.map(String)).size).toBe(count)
    expect(exponents.every((e) => e.reduce((a, b) => a + b, 0) <= degree)).toBe(true)
    for (const [i, e] of exponents.entries()) expect(features.data[i]).toBe(2 ** e.reduce((a, b) => a + b, 0))
  })

  it('tells faults', () => {
    const values = column(new Float32Array(60), [2, 30])
    expect(codeOf(() => polynomialFeatures(values, 0))).toBe('bad-option')
    expect(codeOf(() => polynomialFeatures(values, 6))).toBe('too-large')
    expect(codeOf(() => polynomialFeatures(column(new Float32Array(4), [4]), 2))).toBe('bad-column')
  })
})
