import type { Column } from './column.ts'
import { column } from './column.ts'
import { DatasetError } from './errors.ts'

/** Products of features. */
export interface PolynomialFeatures {
  /** [rows, products] */
  readonly features: Column<readonly [number, number], 'float32'>
  /** What each product is made of: how often every feature stands in it. `[1, 2]` is x0 x1^2. */
  readonly exponents: readonly (readonly number[])[]
}

/** Exponents of one total degree, those with more of the first features first. */
function ofDegree(features: number, degree: number): number[][] {
  if (features === 1) return [[degree]]
  return Array.from({ length: degree + 1 }, (_, i) => degree - i).flatMap((first) =>
    ofDegree(features - 1, degree - first).map((rest) => [first, ...rest]),
  )
}

// A slip of the degree should not fill the memory.
const MOST = 10_000

/**
 * All products of up to `degree` features, without the constant 1, which a bias stands for: (a, b) becomes
 * (a, b, a^2, a b, b^2) for degree 2. A linear model of them is polynomial in the features. Standardise afterwards.
 *
 * ```ts
 * const { features, exponents } = polynomialFeatures(table.numbers('area', 'floor', 'distance'), 2)
 * features.shape // [n, 9]
 * ```
 * @throws DatasetError `bad-column` for other than [rows, features], `bad-option`, `too-large` above 10,000 products
 */
export function polynomialFeatures(values: Column, degree: number): PolynomialFeatures {
  const op = 'polynomialFeatures'
  const [n = 0, width = 0] = values.shape
  if (values.shape.length !== 2 || width === 0)
    throw new DatasetError(op, 'bad-column', `needs [rows, features], not [${values.shape.join(', ')}].`)
  if (!Number.isSafeInteger(degree) || degree < 1)
    throw new DatasetError(op, 'bad-option', `the degree must be a whole number from 1 on, not ${degree}.`)
  let count = 1
  for (let i = 1; i <= degree && count <= MOST + 1; i++) count = (count * (width + i)) / i
  if (count - 1 > MOST)
    throw new DatasetError(
      op,
      'too-large',
      `${width} features of degree ${degree} have more than ${MOST} products. Lower it.`,
    )
  const exponents = Array.from({ length: degree }, (_, d) => ofDegree(width, d + 1)).flat()
  const data = new Float32Array(n * exponents.length)
  for (let row = 0; row < n; row++)
    for (const [j, powers] of exponents.entries()) {
      let product = 1
      for (const [k, power] of powers.entries())
        if (power > 0) product *= (values.data[row * width + k] as number) ** power
      data[row * exponents.length + j] = product
    }
  return { features: column(data, [n, exponents.length]), exponents }
}
