import { stridesOf } from '@tessella/ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { combine, digits, isInjective, type Place, rowMajor, splitAffine, splitDims } from '../src/affine.ts'
import type { Affine } from '../src/program.ts'
import { isSplit } from '../src/view.ts'
import { points } from './support/numbers.ts'

const placesOf = (shape: readonly number[]): Place[] =>
  stridesOf(shape).map((coefficient, d) => ({ coefficient, extent: shape[d] as number }))
const at = (a: Affine, index: readonly number[]): number =>
  a.strides.reduce((sum, s, d) => sum + s * (index[d] as number), a.offset)

describe('an affine form is injective', () => {
  it.each([
    [[4, 1], [3, 4], true],
    [[-1, 3], [3, 4], true],
    [[0, 1], [1, 4], true],
    [[0, 1], [3, 4], false],
    [[1, 1], [3, 4], false],
    [[3, 1], [3, 4], false],
  ] as const)('strides %j over %j: %s', (strides, domain, expected) => {
    expect(isInjective({ offset: 7, strides }, domain)).toBe(expected)
  })
})

describe('digits of an affine form', () => {
  it('are the dimensions themselves for a row-major position', () => {
    expect(digits(rowMajor([2, 3, 4]), [2, 3, 4], placesOf([2, 3, 4]))).toEqual([
      { offset: 0, strides: [1, 0, 0] },
      { offset: 0, strides: [0, 1, 0] },
      { offset: 0, strides: [0, 0, 1] },
    ])
  })

  it('join dimensions that are parts of one', () => {
    expect(digits(rowMajor([2, 3, 4]), [2, 3, 4], placesOf([6, 4]))).toEqual([
      { offset: 0, strides: [3, 1, 0] },
      { offset: 0, strides: [0, 0, 1] },
    ])
  })

  it('ask for a cut where one dimension spans two places', () => {
    expect(digits(rowMajor([24]), [24], placesOf([6, 4]))).toEqual({ dim: 0, inner: 4 })
  })

  it('mirror dimensions that count down', () => {
    expect(digits({ offset: 11, strides: [-4, -1] }, [3, 4], placesOf([3, 4]))).toEqual([
      { offset: 2, strides: [-1, 0] },
      { offset: 3, strides: [0, -1] },
    ])
  })

  it('do not exist across misaligned sizes', () => {
    expect(digits(rowMajor([4, 6]), [4, 6], placesOf([6, 4]))).toBeUndefined()
    expect(digits({ offset: 1, strides: [2, 1] }, [2, 2], placesOf([2, 2]))).toBeUndefined()
  })

  it('do not exist past the end of a single dimension', () => {
    for (const offset of [-1, 1]) expect(digits({ offset, strides: [1] }, [3], placesOf([3]))).toBeUndefined()
    expect(digits({ offset: 2, strides: [-1] }, [3], placesOf([3]))).toEqual([{ offset: 2, strides: [-1] }])
  })

  it('add up to the form and stay in range wherever they exist', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(sizes, sizes, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), (from, to, flips) => {
        let domain: readonly number[] = from
        const plain = rowMajor(from)
        const offset = plain.strides.reduce((sum, s, d) => sum + (flips[d] ? s * ((from[d] as number) - 1) : 0), 0)
        let value: Affine = { offset, strides: plain.strides.map((s, d) => (flips[d] ? -s : s)) }
        let found = digits(value, domain, placesOf(to))
        while (found && isSplit(found)) {
          value = splitAffine(value, found)
          domain = splitDims(domain, found)
          found = digits(value, domain, placesOf(to))
        }
        if (found === undefined || from.reduce((a, b) => a * b) > to.reduce((a, b) => a * b)) return
        const whole = combine(0, stridesOf(to), found, domain.length)
        for (const index of points(domain)) {
          expect(at(whole, index)).toBe(at(value, index))
          for (const [d, digit] of found.entries()) {
            expect(at(digit, index)).toBeGreaterThanOrEqual(0)
            expect(at(digit, index)).toBeLessThan(to[d] as number)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
