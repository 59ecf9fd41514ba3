import { DatasetError } from './errors.ts'

/** The typed array that holds each element type. */
export interface ColumnArrays {
  uint8: Uint8Array
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  uint32: Uint32Array
  float32: Float32Array
  float64: Float64Array
}
/** Element types a column can hold; images stay `uint8` in memory. */
export type ColumnDType = keyof ColumnArrays
export type ColumnArray = ColumnArrays[ColumnDType]

/** The element type of a typed array. */
export type DTypeOf<A extends ColumnArray> = A extends Uint8Array
  ? 'uint8'
  : A extends Int8Array
    ? 'int8'
    : A extends Int16Array
      ? 'int16'
      : A extends Int32Array
        ? 'int32'
        : A extends Uint32Array
          ? 'uint32'
          : A extends Float32Array
            ? 'float32'
            : 'float64'

/** A shape whose leading dimension counts rows: `number`, whatever literal it was; the rest stays literal. */
export type RowShape<S extends readonly number[]> = S extends readonly [number, ...infer R extends readonly number[]]
  ? readonly [number, ...R]
  : readonly number[]

/** Row-major values with a shape; the leading dimension counts rows. */
export interface Column<S extends readonly number[] = readonly number[], D extends ColumnDType = ColumnDType> {
  readonly data: ColumnArrays[D]
  readonly shape: S
  readonly dtype: D
}

const make: { readonly [D in ColumnDType]: (length: number) => ColumnArrays[D] } = {
  uint8: (n) => new Uint8Array(n),
  int8: (n) => new Int8Array(n),
  int16: (n) => new Int16Array(n),
  int32: (n) => new Int32Array(n),
  uint32: (n) => new Uint32Array(n),
  float32: (n) => new Float32Array(n),
  float64: (n) => new Float64Array(n),
}

/** A zeroed typed array of `length` elements of `dtype`. */
export function columnArray<D extends ColumnDType>(dtype: D, length: number): ColumnArrays[D] {
  return make[dtype](length)
}

const dtypeByTag: Readonly<Record<string, ColumnDType>> = {
  Uint8Array: 'uint8',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  Float32Array: 'float32',
  Float64Array: 'float64',
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/**
 * Gives a typed array a shape; no copy is made. The leading dimension becomes `number` in the type.
 *
 * ```ts
 * const images = column(pixels, [60000, 1, 28, 28]) // Column<readonly [number, 1, 28, 28], 'uint8'>
 * ```
 * @throws DatasetError `bad-column` for an unknown array, `bad-shape` for a shape that does not fit the data
 */
export function column<A extends ColumnArray, const S extends readonly [number, ...number[]]>(
  data: A,
  shape: S,
): Column<RowShape<S>, DTypeOf<A>>
export function column(data: ColumnArray, shape: readonly number[]): Column {
  const dtype = dtypeByTag[Object.prototype.toString.call(data).slice(8, -1)]
  if (dtype === undefined)
    throw new DatasetError(
      'column',
      'bad-column',
      `data must be one of ${Object.keys(dtypeByTag).join(', ')}. Convert it first.`,
    )
  if (shape.length === 0 || !shape.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw new DatasetError(
      'column',
      'bad-shape',
      `shape ${show(shape)} must have whole, non-negative dimensions and at least one. The first counts the rows.`,
    )
  if (sizeOf(shape) !== data.length)
    throw new DatasetError(
      'column',
      'bad-shape',
      `shape ${show(shape)} needs ${sizeOf(shape)} elements but data has ${data.length}. ` +
        'Check the dimensions: the first counts the rows.',
    )
  return { data, shape: Object.freeze([...shape]), dtype }
}

/** Elements of one row. */
export const rowSize = (c: Column): number => sizeOf(c.shape.slice(1))

// Below this many elements a loop beats the call overhead of `set`.
const SHORT_ROW = 24

/**
 * Copies the named rows, in order, into a new column. Runs of neighbouring rows are copied at once.
 * Row numbers must be in range (callers check).
 */
export function gatherRows<S extends readonly number[], D extends ColumnDType>(
  c: Column<S, D>,
  rows: ArrayLike<number>,
): Column<RowShape<S>, D>
export function gatherRows(c: Column, rows: ArrayLike<number>): Column {
  const width = rowSize(c)
  const n = rows.length
  const out = columnArray(c.dtype, n * width)
  const from = c.data
  for (let i = 0; i < n; ) {
    const row = rows[i] as number
    let run = 1
    while (i + run < n && rows[i + run] === row + run) run++
    const count = run * width
    if (count < SHORT_ROW)
      for (let k = 0, a = i * width, b = row * width; k < count; k++) out[a + k] = from[b + k] as number
    else out.set(from.subarray(row * width, row * width + count), i * width)
    i += run
  }
  return { data: out, shape: Object.freeze([n, ...c.shape.slice(1)]), dtype: c.dtype }
}

/** Rows `start` to `end` of a column, sharing its memory. */
export function sliceRows<S extends readonly number[], D extends ColumnDType>(
  c: Column<S, D>,
  start: number,
  end: number,
): Column<RowShape<S>, D>
export function sliceRows(c: Column, start: number, end: number): Column {
  const width = rowSize(c)
  return {
    data: c.data.subarray(start * width, end * width),
    shape: Object.freeze([end - start, ...c.shape.slice(1)]),
    dtype: c.dtype,
  }
}
