import type { Column, ColumnArrays, ColumnDType, RowShape } from './column.ts'
import { gatherRows, rowSize, sliceRows } from './column.ts'
import { DatasetError } from './errors.ts'

/** Named columns of equal length. */
export type Columns = Readonly<Record<string, Column>>

/** The same columns with any number of rows: the leading dimension is `number`. */
export type Rows<C extends Columns> = {
  readonly [K in keyof C]: C[K] extends Column<infer S, infer D> ? Column<RowShape<S>, D> : never
}

/** One example: a number for a column of rank 1, otherwise the row's values without the leading dimension. */
export type Row<C extends Columns> = {
  readonly [K in keyof C]: C[K]['shape'] extends readonly [number]
    ? number
    : number extends C[K]['shape']['length']
      ? number | ColumnArrays[C[K]['dtype']]
      : ColumnArrays[C[K]['dtype']]
}

/**
 * Anything batches can be drawn from: a length and a way to assemble rows. `Dataset` is one;
 * a source that reads files as it goes may answer with a promise.
 */
export interface RowSource<B> {
  readonly length: number
  gather(rows: ArrayLike<number>): B | Promise<B>
}

/** Examples in columns of typed arrays. Subsets are views: they share the memory and keep row numbers only. */
export interface Dataset<C extends Columns = Columns> extends RowSource<C> {
  /** Number of examples. */
  readonly length: number
  /** The columns; of a subset, its rows copied together on first use. */
  readonly columns: C
  /** Example `i`; a negative `i` counts from the end. Values of rank 2 and more share memory. @throws DatasetError `bad-index` */
  at(i: number): Row<C>
  /** The named rows, in order, copied into fresh columns. @throws DatasetError `bad-index` */
  gather(rows: ArrayLike<number>): C
  /** A view of the named rows, in order; repeats are allowed. @throws DatasetError `bad-index` */
  subset(rows: ArrayLike<number>): Dataset<C>
  /** A view of rows `start` to `end` (both may count from the end, as in `Array.prototype.slice`). */
  slice(start: number, end?: number): Dataset<C>
  /** A view of the first `n` rows, or of all when there are fewer. */
  take(n: number): Dataset<C>
  /** This data set with columns added or replaced. @throws DatasetError `length-mismatch` */
  with<const E extends Columns>(columns: E): Dataset<Omit<C, keyof E> & Rows<E>>
}

class ArrayDataset<C extends Columns> implements Dataset<C> {
  readonly length: number
  readonly #store: C
  readonly #rows: Uint32Array | undefined
  #columns: C | undefined

  constructor(store: C, length: number, rows?: Uint32Array) {
    this.#store = store
    this.#rows = rows
    this.#columns = rows ? undefined : store
    this.length = length
  }

  get columns(): C {
    const rows = this.#rows
    this.#columns ??= mapColumns(this.#store, (c) => gatherRows(c, rows ?? []))
    return this.#columns
  }

  at(i: number): Row<C> {
    const row = this.#stored(checkRow('at', i < 0 ? i + this.length : i, this.length, i))
    const out: Record<string, number | ColumnArrays[ColumnDType]> = {}
    for (const [name, c] of Object.entries(this.#store)) {
      const width = rowSize(c)
      out[name] = c.shape.length === 1 ? (c.data[row] as number) : c.data.subarray(row * width, (row + 1) * width)
    }
    return out as Row<C>
  }

  gather(rows: ArrayLike<number>): C {
    const index = checkRows('gather', rows, this.length)
    const stored = this.#rows ? index.map((i) => this.#stored(i)) : index
    return mapColumns(this.#store, (c) => gatherRows(c, stored))
  }

  subset(rows: ArrayLike<number>): Dataset<C> {
    const index = checkRows('subset', rows, this.length)
    return this.#view(this.#rows ? index.map((i) => this.#stored(i)) : index)
  }

  slice(start: number, end: number = this.length): Dataset<C> {
    const clamp = (i: number): number =>
      Math.min(Math.max(Math.trunc(i < 0 ? i + this.length : i) || 0, 0), this.length)
    const from = clamp(start)
    const to = Math.max(from, clamp(end))
    if (this.#rows) return this.#view(this.#rows.subarray(from, to))
    return new ArrayDataset(
      mapColumns(this.#store, (c) => sliceRows(c, from, to)),
      to - from,
    )
  }

  take(n: number): Dataset<C> {
    if (!Number.isSafeInteger(n) || n < 0)
      throw new DatasetError('take', 'bad-option', `n must be a whole number of rows, not ${n}. Pass 0 or more.`)
    return this.slice(0, n)
  }

  with<const E extends Columns>(columns: E): Dataset<Omit<C, keyof E> & Rows<E>> {
    const merged = { ...this.columns, ...columns } as unknown as Omit<C, keyof E> & Rows<E>
    return new ArrayDataset(merged, checkColumns('with', merged))
  }

  #view(rows: Uint32Array): Dataset<C> {
    return new ArrayDataset(this.#store, rows.length, rows)
  }

  #stored(i: number): number {
    return this.#rows ? (this.#rows[i] as number) : i
  }
}

function mapColumns<C extends Columns>(columns: C, f: (c: Column) => Column): C {
  const out: Record<string, Column> = {}
  for (const [name, c] of Object.entries(columns)) out[name] = f(c)
  // The mapping keeps names, dtypes and trailing shapes, which the checker cannot follow through `entries`.
  return out as unknown as C
}

function checkRow(op: string, row: number, length: number, given: number = row): number {
  if (Number.isInteger(row) && row >= 0 && row < length) return row
  throw new DatasetError(
    op,
    'bad-index',
    `row ${given} is not one of ${length} rows. Pass whole numbers below the length.`,
  )
}

function checkRows(op: string, rows: ArrayLike<number>, length: number): Uint32Array {
  const out = new Uint32Array(rows.length)
  for (let i = 0; i < rows.length; i++) out[i] = checkRow(op, rows[i] as number, length)
  return out
}

function checkIsColumn(op: string, name: string, c: unknown): void {
  if (typeof c === 'object' && c !== null && 'data' in c && 'shape' in c && 'dtype' in c) return
  const got = c === null || c === undefined ? String(c) : Array.isArray(c) ? 'an array' : `a ${typeof c}`
  throw new DatasetError(
    op,
    'bad-column',
    `"${name}" is not a column but ${got}. Make one: column(new Float32Array(values), [n]).`,
  )
}

function checkColumns(op: string, columns: Columns): number {
  if (typeof columns !== 'object' || columns === null)
    throw new DatasetError(op, 'bad-column', `columns come in an object, not a ${typeof columns}: { images, labels }.`)
  const entries = Object.entries(columns)
  const [first] = entries
  if (!first)
    throw new DatasetError(op, 'bad-column', 'no column was given. Pass at least one, e.g. { images, labels }.')
  for (const [name, c] of entries) checkIsColumn(op, name, c)
  const length = first[1].shape[0] as number
  for (const [name, c] of entries) {
    if (name === 'index')
      throw new DatasetError(
        op,
        'bad-column',
        'the name "index" is kept for row numbers in batches. Rename the column.',
      )
    if (c.shape[0] !== length)
      throw new DatasetError(
        op,
        'length-mismatch',
        `column "${name}" [${c.shape.join(', ')}] does not have as many rows as ` +
          `"${first[0]}" [${first[1].shape.join(', ')}]. All columns need the same leading dimension.`,
      )
  }
  return length
}

/**
 * A data set from columns of equal leading dimension. The arrays are kept, not copied.
 *
 * ```ts
 * const train = dataset({ images: column(pixels, [n, 1, 28, 28]), labels: column(classes, [n]) })
 * train.length // n
 * train.take(100).at(-1).labels // a number
 * ```
 * @throws DatasetError `bad-column` (none, or one named `index`), `length-mismatch`
 */
export function dataset<const C extends Columns>(columns: C): Dataset<Rows<C>> {
  const kept = { ...columns } as unknown as Rows<C>
  return new ArrayDataset(kept, checkColumns('dataset', kept))
}
