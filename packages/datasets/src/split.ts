import type { Columns, Dataset } from './dataset.ts'
import { checkNames, DatasetError } from './errors.ts'
import { permutation } from './permutation.ts'

/** The names of the columns with one value per row. */
export type ScalarColumn<C extends Columns> = {
  [K in keyof C]: C[K]['shape'] extends readonly [number] ? K : number extends C[K]['shape']['length'] ? K : never
}[keyof C] &
  string

export interface SplitOptions<C extends Columns> {
  /** Fixes which rows go where. Default 0. */
  readonly seed?: number
  /** Keep the rows' order instead of drawing at random: the last rows become the last part. Default true. */
  readonly shuffle?: boolean
  /** A column of classes whose shares every part keeps, to within one row. */
  readonly stratify?: ScalarColumn<C>
}

type Part<C extends Columns, N extends string, O> = O extends { readonly [K in N]: number }
  ? { readonly [K in N]: Dataset<C> }
  : unknown

const wrong = (op: string, message: string): DatasetError => new DatasetError(op, 'bad-option', message)

function partSize(op: string, name: string, size: number, length: number): number {
  const fraction = size > 0 && size < 1
  if (!fraction && !(Number.isSafeInteger(size) && size >= 1))
    throw wrong(op, `${name} must be a share between 0 and 1 or a whole number of rows from 1 on, not ${size}.`)
  const rows = fraction ? Math.round(size * length) : size
  if (rows === 0) throw wrong(op, `${name} ${size} of ${length} rows is no row at all. Ask for a larger share.`)
  return rows
}

/** For every row the number of its class, counted in the order of appearance. */
function classesOf<C extends Columns>(op: string, data: Dataset<C>, name: string): Uint32Array {
  const values = data.columns[name]
  if (values?.shape.length !== 1)
    throw wrong(
      op,
      `stratify needs a column with one class per row, and "${name}" is ${values ? `[${values.shape.join(', ')}]` : 'missing'}.`,
    )
  const seen = new Map<number, number>()
  const out = new Uint32Array(data.length)
  for (let i = 0; i < out.length; i++) {
    const value = values.data[i] as number
    let id = seen.get(value)
    if (id === undefined) {
      id = seen.size
      seen.set(value, id)
    }
    out[i] = id
  }
  return out
}

/** Shares of `size` in proportion to `counts`, whole, by the largest remainders; earlier classes win ties. */
function apportion(size: number, counts: readonly number[]): number[] {
  const total = counts.reduce((a, b) => a + b, 0)
  const quotas = counts.map((c) => (size * c) / total)
  const shares = quotas.map(Math.floor)
  const byRemainder = quotas.map((q, i) => [q - Math.floor(q), i] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1])
  let left = size - shares.reduce((a, b) => a + b, 0)
  for (const [, i] of byRemainder) {
    if (left-- <= 0) break
    shares[i] = (shares[i] as number) + 1
  }
  return shares
}

function divide<C extends Columns>(
  op: string,
  data: Dataset<C>,
  sizes: readonly (readonly [name: string, size: number])[],
  options: SplitOptions<C>,
): Record<string, Dataset<C>> {
  const n = data.length
  const parts = sizes.map(([name, size]) => [name, partSize(op, name, size, n)] as const)
  const held = parts.reduce((sum, [, rows]) => sum + rows, 0)
  if (held >= n)
    throw wrong(
      op,
      `${parts.map(([name, rows]) => `${name} ${rows}`).join(' and ')} leave no training row of ${n}. Ask for less.`,
    )
  const shuffled = options.shuffle ?? true
  const order = shuffled ? permutation(n, options.seed) : Uint32Array.from({ length: n }, (_, i) => i)
  const classes = options.stratify === undefined ? new Uint32Array(n) : classesOf(op, data, options.stratify)

  const left: number[] = []
  for (const c of classes) left[c] = (left[c] ?? 0) + 1
  // Quotas are drawn from what earlier parts left over, so no class is promised twice.
  const quotas = parts.map(([, rows]) => {
    const shares = apportion(rows, left)
    shares.forEach((share, c) => {
      left[c] = (left[c] as number) - share
    })
    return shares
  })
  // Parts are taken in the order train, first, second, ...: unshuffled, the last rows land in the last part.
  const takers: [string, number[], number[]][] = [['train', left, []]]
  parts.forEach(([name], p) => void takers.push([name, quotas[p] as number[], []]))
  for (const row of order) {
    const c = classes[row] as number
    for (const [, quota, rows] of takers) {
      if ((quota[c] as number) === 0) continue
      quota[c] = (quota[c] as number) - 1
      rows.push(row)
      break
    }
  }
  return Object.fromEntries(takers.map(([name, , rows]) => [name, data.subset(rows)]))
}

/**
 * Divides into `train` and the parts asked for, as views: every row lands in exactly one.
 * A size below 1 is a share of all rows, a whole number counts rows. The same seed gives the same rows everywhere.
 *
 * ```ts
 * const { train, validation } = split(data, { validation: 0.1, seed: 1, stratify: 'labels' })
 * ```
 * @throws DatasetError `bad-option` when a part or `train` would be empty, or `stratify` names no class column
 */
export function split<
  C extends Columns,
  const O extends SplitOptions<C> & { readonly validation?: number; readonly test?: number },
>(data: Dataset<C>, options: O): { readonly train: Dataset<C> } & Part<C, 'validation', O> & Part<C, 'test', O> {
  checkNames('split', options, ['seed', 'shuffle', 'stratify', 'validation', 'test'])
  const sizes: [string, number][] = []
  if (options.validation !== undefined) sizes.push(['validation', options.validation])
  if (options.test !== undefined) sizes.push(['test', options.test])
  if (sizes.length === 0) throw wrong('split', 'no part was asked for. Pass validation, test or both.')
  return divide('split', data, sizes, options) as { readonly train: Dataset<C> } & Part<C, 'validation', O> &
    Part<C, 'test', O>
}

/** `split` into a training and a test part; `test` is a share or a number of rows, a quarter by default. */
export function trainTestSplit<C extends Columns>(
  data: Dataset<C>,
  options: SplitOptions<C> & { readonly test?: number } = {},
): { readonly train: Dataset<C>; readonly test: Dataset<C> } {
  checkNames('trainTestSplit', options, ['seed', 'shuffle', 'stratify', 'test'])
  return divide('trainTestSplit', data, [['test', options.test ?? 0.25]], options) as {
    readonly train: Dataset<C>
    readonly test: Dataset<C>
  }
}

/**
 * The k ways to train on k-1 folds and validate on the one left out: every row validates exactly once.
 * Folds differ by at most one row, and with `stratify` so does every class in them.
 *
 * @throws DatasetError `bad-option` when k is not a whole number from 2 to the number of rows
 */
export function kFold<C extends Columns>(
  data: Dataset<C>,
  options: SplitOptions<C> & { readonly k: number },
): { readonly train: Dataset<C>; readonly validation: Dataset<C> }[] {
  checkNames('kFold', options, ['seed', 'shuffle', 'stratify', 'k'])
  const { k, stratify } = options
  const n = data.length
  if (!Number.isSafeInteger(k) || k < 2 || k > n)
    throw wrong('kFold', `k must be a whole number from 2 to the ${n} rows there are, not ${k}.`)
  const order = (options.shuffle ?? true) ? permutation(n, options.seed) : Uint32Array.from({ length: n }, (_, i) => i)
  // Stratified, rows are dealt class by class, each class where the last one stopped: that balances folds and classes.
  const classes = stratify === undefined ? undefined : classesOf('kFold', data, stratify)
  const dealt = classes ? order.toSorted((a, b) => (classes[a] as number) - (classes[b] as number)) : order
  const foldOf = new Uint32Array(n)
  dealt.forEach((row, i) => {
    foldOf[row] = i % k
  })
  return Array.from({ length: k }, (_, fold) => ({
    train: data.subset(order.filter((row) => foldOf[row] !== fold)),
    validation: data.subset(order.filter((row) => foldOf[row] === fold)),
  }))
}
