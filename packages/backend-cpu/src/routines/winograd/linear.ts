import type { Lanes } from '../../math/lanes.ts'
import type { Value } from '../../wasm/dataflow.ts'
import type { Matrix } from './scheme.ts'

/*
 * Products of a scheme's matrices with vectors of a few values. Rows of p and -p have the same even coefficients and
 * opposite odd ones: half of the work is shared.
 */

interface Term {
  readonly factor: number
  readonly x: Value
}

/** The sum of the terms; starts with one whose factor is 1, the last of them. */
function sumOf(l: Lanes, terms: readonly Term[]): Value {
  const rest = terms.filter((t) => t.factor !== 0).reverse()
  const start = Math.max(
    0,
    rest.findIndex((t) => t.factor === 1),
  )
  const [first] = rest.splice(start, 1) as [Term]
  const begin = first.factor === 1 ? first.x : l.mul(l.c(first.factor), first.x)
  return rest.reduce((sum, t) => added(l, sum, t), begin)
}

function added(l: Lanes, sum: Value, { factor, x }: Term): Value {
  if (factor === 1) return l.add(sum, x)
  if (factor === -1) return l.sub(sum, x)
  return factor > 0 ? l.madd(l.c(factor), x, sum) : l.nmadd(l.c(-factor), x, sum)
}

/** One of the factors, such that all of them divided by it are float32 numbers, where there is one. */
function exactScale(factors: readonly number[]): number {
  const some = factors.filter((x) => x !== 0)
  return some.find((s) => some.every((x) => Math.fround(x / s) === x / s)) ?? (some.at(-1) as number)
}

/** matrix * xs, as [row, result] in the order in which they need the fewest registers. */
export function timesRows(l: Lanes, matrix: Matrix, xs: readonly Value[]): readonly (readonly [number, Value])[] {
  const dot = (factors: readonly number[]): Value =>
    sumOf(
      l,
      factors.map((factor, i) => ({ factor, x: xs[i] as Value })),
    )
  const last = matrix.length - 1
  const results: [number, Value][] = [0, last].map((row) => [row, dot(matrix[row] as readonly number[])])
  for (let row = 1; row < last; row += 2) {
    const [plus, minus] = [matrix[row], matrix[row + 1]] as [readonly number[], readonly number[]]
    const odd = plus.map((x, i) => (x - (minus[i] as number)) / 2)
    const scale = exactScale(odd)
    const even = dot(plus.map((x, i) => (x + (minus[i] as number)) / 2))
    const x = dot(odd.map((factor) => factor / scale))
    results.push([row, added(l, even, { factor: scale, x })], [row + 1, added(l, even, { factor: -scale, x })])
  }
  return results
}

/** transpose(matrix) * xs, as [row, result]. */
export function timesColumns(l: Lanes, matrix: Matrix, xs: readonly Value[]): readonly (readonly [number, Value])[] {
  const last = matrix.length - 1
  const width = (matrix[0] as readonly number[]).length
  const factor = (row: number, column: number): number => matrix[row]?.[column] as number
  const pairs: { row: number; sum: Value; difference: Value }[] = []
  for (let row = 1; row < last; row += 2) {
    const [x, y] = [xs[row], xs[row + 1]] as [Value, Value]
    pairs.push({ row, sum: l.add(x, y), difference: l.sub(x, y) })
  }
  return Array.from({ length: width }, (_, column) => {
    const terms: Term[] = pairs.flatMap(({ row, sum, difference }) => [
      { factor: (factor(row, column) + factor(row + 1, column)) / 2, x: sum },
      { factor: (factor(row, column) - factor(row + 1, column)) / 2, x: difference },
    ])
    const ends: Term[] = [0, last].map((row) => ({ factor: factor(row, column), x: xs[row] as Value }))
    return [column, sumOf(l, [...terms, ...ends])] as const
  })
}
