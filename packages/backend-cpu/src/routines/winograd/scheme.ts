/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[]

/**
 * F(m x m, 3 x 3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015):
 * y = A^T [(G g G^T) . (B^T d B)] A for patches d of m + 2 that are m apart, and for the weight's gradient
 * g' = G^T [(A y' A^T) . (B^T d B)] G.
 *
 * Each row of `a`, `g` and `b` (which is B^T) belongs to a point at which polynomials are evaluated: 0, then the others by
 * twos, p and -p, then infinity.
 */
export interface Scheme {
  /** m: results along one side of a tile. */
  readonly tile: number
  /** Elements along one side of a patch of the image, m + 2. */
  readonly patch: number
  /** Products per tile, patch * patch. */
  readonly products: number
  readonly a: Matrix
  readonly g: Matrix
  readonly b: Matrix
}

export const kernelSize = 3

function schemeOf(tile: number, points: readonly number[]): Scheme {
  const patch = tile + kernelSize - 1
  const finite = [0, ...points.flatMap((p) => [p, -p])]
  const powers = (p: number, count: number): number[] => Array.from({ length: count }, (_, i) => p ** i)
  const atInfinity = (count: number): number[] => Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0))
  const others = finite.map((p) => finite.filter((q) => q !== p))
  return {
    tile,
    patch,
    products: patch * patch,
    a: [...finite.map((p) => powers(p, tile)), atInfinity(tile)],
    g: [
      ...finite.map((p, i) => {
        const scale = (others[i] as number[]).reduce((product, q) => product * (p - q), 1)
        return powers(p, kernelSize).map((x) => x / scale)
      }),
      atInfinity(kernelSize),
    ],
    b: [...others.map((roots) => [...withRoots(roots), 0]), withRoots(finite)],
  }
}

/** Coefficients of the polynomial with these roots, the constant one first. */
const withRoots = (roots: readonly number[]): number[] =>
  roots.reduce((c, root) => c.concat(0).map((_, i) => (c[i - 1] ?? 0) - root * (c[i] ?? 0)), [1])

/** As accurate as plain sums. */
export const f2: Scheme = schemeOf(2, [1])

/**
 * With the usual points 1 and 2 errors are twice as large on average, and three times at most. These were the best of the
 * fractions tried, and all numbers of A and B are exact.
 */
export const f4: Scheme = schemeOf(4, [5 / 8, 3 / 2])
