import type { ByteInput } from './bytes.ts'
import { readBytes } from './bytes.ts'
import type { Column } from './column.ts'
import { column } from './column.ts'
import { checkNames, DatasetError } from './errors.ts'

export interface CsvOptions {
  /** Between fields. Default `,`. */
  readonly delimiter?: string
  /** Whether the first row names the columns, or the names. Default true. */
  readonly header?: boolean | readonly string[]
  /** Fields that stand for no value, besides empty ones. Default `NA`, `NaN`, `?`. */
  readonly missing?: readonly string[]
  /** Most bytes, after unpacking. Default 256 MiB. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/** A class for each row, as a number, and what the numbers mean. */
export interface Classes {
  readonly labels: Column<readonly [number], 'int32'>
  /** The class names in order; a label is a place in it. */
  readonly names: readonly string[]
}

/** A table of text fields with readers for its columns. */
export interface CsvTable {
  readonly names: readonly string[]
  /** Number of rows, without the header. */
  readonly length: number
  /** The fields of a column as they are written. @throws DatasetError `bad-column` when there is none of that name */
  text(name: string): readonly string[]
  /** Columns side by side as numbers, [rows, names]; what is missing is NaN. @throws DatasetError `bad-column`, `corrupt` for other text */
  numbers(...names: readonly string[]): Column<readonly [number, number], 'float32'>
  /** A column as classes, in the order of their names' characters. @throws DatasetError `bad-column`, `corrupt` where one is missing */
  classes(name: string): Classes
  /** The rows in which none of the named columns (all unless given) is missing. */
  complete(...names: readonly string[]): CsvTable
}

const MISSING = ['NA', 'NaN', '?']
const MOST_BYTES = 2 ** 28

/** Rows of fields as RFC 4180 has them: quotes may hold delimiters, line breaks and doubled quotes. Empty lines are skipped. */
function fieldsOf(text: string, delimiter: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let line = 1
  let at = 0
  while (at < text.length) {
    let field = ''
    const quoted = text[at] === '"'
    if (quoted) {
      const opened = line
      for (at++; ; ) {
        const end = text.indexOf('"', at)
        if (end < 0)
          throw new DatasetError(
            'csv',
            'truncated',
            `the quote opened in line ${opened} is never closed. Is the file cut short?`,
          )
        const part = text.slice(at, end)
        line += part.split('\n').length - 1
        field += part
        at = end + 1
        if (text[at] !== '"') break
        field += '"'
        at++
      }
      if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r')
        throw new DatasetError(
          'csv',
          'corrupt',
          `line ${line} has text behind a closed quote. Double quotes within quotes.`,
        )
    } else {
      const start = at
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++
      field = text.slice(start, at)
    }
    row.push(field)
    if (text[at] === delimiter) {
      at++
      // A delimiter at the very end leaves an empty last field.
      if (at < text.length) continue
      row.push('')
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    line++
    if (quoted || row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  return rows
}

class Table implements CsvTable {
  readonly names: readonly string[]
  readonly length: number
  readonly #rows: readonly (readonly string[])[]
  readonly #missing: ReadonlySet<string>

  constructor(names: readonly string[], rows: readonly (readonly string[])[], missing: ReadonlySet<string>) {
    this.names = names
    this.length = rows.length
    this.#rows = rows
    this.#missing = missing
  }

  #place(name: string): number {
    const place = this.names.indexOf(name)
    if (place < 0)
      throw new DatasetError('csv', 'bad-column', `there is no column "${name}". There are ${this.names.join(', ')}.`)
    return place
  }

  text(name: string): readonly string[] {
    const place = this.#place(name)
    return this.#rows.map((row) => row[place] as string)
  }

  numbers(...names: readonly string[]): Column<readonly [number, number], 'float32'> {
    const places = names.map((name) => this.#place(name))
    const data = new Float32Array(this.length * places.length)
    for (const [i, row] of this.#rows.entries())
      for (const [j, place] of places.entries()) {
        const field = (row[place] as string).trim()
        const value = this.#missing.has(field) ? Number.NaN : Number(field)
        if (Number.isNaN(value) && !this.#missing.has(field))
          throw new DatasetError(
            'csv',
            'corrupt',
            `row ${i} of "${names[j]}" is "${field}", which is no number. Read it with classes(), or name it in \`missing\`.`,
          )
        data[i * places.length + j] = value
      }
    return column(data, [this.length, places.length])
  }

  classes(name: string): Classes {
    const fields = this.text(name).map((f) => f.trim())
    const lost = fields.findIndex((f) => this.#missing.has(f))
    if (lost >= 0)
      throw new DatasetError(
        'csv',
        'corrupt',
        `row ${lost} of "${name}" is missing. Leave such rows out with complete("${name}").`,
      )
    const names = [...new Set(fields)].toSorted()
    const places = new Map(names.map((n, i) => [n, i]))
    return {
      labels: column(
        Int32Array.from(fields, (f) => places.get(f) as number),
        [this.length],
      ),
      names,
    }
  }

  complete(...names: readonly string[]): CsvTable {
    const places = (names.length === 0 ? this.names : names).map((name) => this.#place(name))
    const rows = this.#rows.filter((row) => places.every((p) => !this.#missing.has((row[p] as string).trim())))
    return new Table(this.names, rows, this.#missing)
  }
}

/**
 * A table from text in comma-separated values (RFC 4180).
 *
 * ```ts
 * const table = parseCsv('length,species\n5.1,setosa\n4.9,virginica\n')
 * const flowers = dataset({ x: table.numbers('length'), y: table.classes('species').labels })
 * ```
 * @throws DatasetError `empty`, `truncated`, `corrupt`, `length-mismatch` for a row of another length, `bad-option`
 */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
  checkNames('parseCsv', options, ['delimiter', 'header', 'missing', 'maxBytes', 'signal'])
  const { delimiter = ',', header = true, missing = MISSING } = options
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter))
    throw new DatasetError(
      'csv',
      'bad-option',
      `the delimiter must be one character, not "${delimiter}". Try "," or ";".`,
    )
  const rows = fieldsOf(text.startsWith('\ufeff') ? text.slice(1) : text, delimiter)
  const named = header === true ? rows.shift()?.map((n) => n.trim()) : undefined
  const width = named?.length ?? rows[0]?.length
  if (width === undefined) throw new DatasetError('csv', 'empty', 'there is no row. Is this the right file?')
  const names =
    named ?? (header === false ? Array.from({ length: width }, (_, i) => String(i)) : (header as readonly string[]))
  if (new Set(names).size !== names.length)
    throw new DatasetError(
      'csv',
      'bad-column',
      `two columns have one name: ${names.join(', ')}. Pass names as \`header\`.`,
    )
  const wrong = rows.findIndex((row) => row.length !== names.length)
  if (wrong >= 0)
    throw new DatasetError(
      'csv',
      'length-mismatch',
      `row ${wrong} has ${rows[wrong]?.length} fields, and there are ${names.length} columns. Check delimiter and quotes.`,
    )
  return new Table(names, rows, new Set(['', ...missing]))
}

/**
 * {@link parseCsv} of a file in UTF-8, with or without gzip: bytes, a blob, a response or a stream.
 * @throws DatasetError as `parseCsv`; `bad-gzip`, `bad-response`, `too-large`
 */
export async function readCsv(input: ByteInput, options: CsvOptions = {}): Promise<CsvTable> {
  checkNames('readCsv', options, ['delimiter', 'header', 'missing', 'maxBytes', 'signal'])
  const { maxBytes = MOST_BYTES, signal } = options
  const bytes = await readBytes('csv', input, () => maxBytes, signal)
  if (bytes.length > maxBytes)
    throw new DatasetError(
      'csv',
      'too-large',
      `the file has more than ${maxBytes} bytes. Raise maxBytes if you trust it.`,
    )
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new DatasetError('csv', 'corrupt', 'the file is no UTF-8 text. Convert it first.', { cause })
  }
  return parseCsv(text, options)
}
