import type { ByteInput } from './bytes.ts'
import { readBytes } from './bytes.ts'
import type { Column, ColumnDType } from './column.ts'
import { columnArray } from './column.ts'
import { checkNames, DatasetError } from './errors.ts'

/** The element types of the IDX format. */
export type IdxDType = Exclude<ColumnDType, 'uint32'>

export interface IdxOptions {
  /** Refuse files that hold or unpack to more bytes than this. Default 2^30. */
  readonly maxBytes?: number
}

interface IdxType {
  readonly code: number
  readonly width: number
  readonly read: (view: DataView, at: number) => number
  readonly write: (view: DataView, at: number, value: number) => void
}

const types: { readonly [D in IdxDType]: IdxType } = {
  uint8: { code: 0x08, width: 1, read: (v, i) => v.getUint8(i), write: (v, i, x) => v.setUint8(i, x) },
  int8: { code: 0x09, width: 1, read: (v, i) => v.getInt8(i), write: (v, i, x) => v.setInt8(i, x) },
  int16: { code: 0x0b, width: 2, read: (v, i) => v.getInt16(i), write: (v, i, x) => v.setInt16(i, x) },
  int32: { code: 0x0c, width: 4, read: (v, i) => v.getInt32(i), write: (v, i, x) => v.setInt32(i, x) },
  float32: { code: 0x0d, width: 4, read: (v, i) => v.getFloat32(i), write: (v, i, x) => v.setFloat32(i, x) },
  float64: { code: 0x0e, width: 8, read: (v, i) => v.getFloat64(i), write: (v, i, x) => v.setFloat64(i, x) },
}
const isIdxDType = (dtype: string): dtype is IdxDType => Object.hasOwn(types, dtype)
const dtypeOfCode = new Map(
  Object.keys(types)
    .filter(isIdxDType)
    .map((d) => [types[d].code, d]),
)

interface Header {
  readonly dtype: IdxDType
  readonly shape: readonly number[]
  /** Bytes of the header. */
  readonly start: number
  /** Bytes of the whole file. */
  readonly total: number
}

const MAX_BYTES = 2 ** 30

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`

/** Reads the header, or answers how many bytes it needs when there are too few. */
function headerOf(op: string, bytes: Uint8Array, maxBytes: number): Header | number {
  if (bytes.length < 4) return 4
  const [zero = 0, zero2 = 0, code = 0, rank = 0] = bytes
  if (zero !== 0 || zero2 !== 0)
    throw new DatasetError(
      op,
      'bad-magic',
      `the file starts with ${hex(zero)} ${hex(zero2)}, and an IDX file with two zero bytes. Is it another format?`,
    )
  const dtype = dtypeOfCode.get(code)
  if (dtype === undefined)
    throw new DatasetError(
      op,
      'bad-dtype',
      `element type ${hex(code)} is none of ${[...dtypeOfCode].map(([c, d]) => `${hex(c)} ${d}`).join(', ')}.`,
    )
  if (rank === 0)
    throw new DatasetError(op, 'bad-shape', 'the file declares no dimension. At least one must count the rows.')
  const start = 4 + 4 * rank
  if (bytes.length < start) return start
  const view = new DataView(bytes.buffer, bytes.byteOffset, start)
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d))
  // A product of many large dimensions becomes Infinity at worst, which is refused like any other excess.
  const total = start + (shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, types[dtype].width))
  if (total > maxBytes)
    throw new DatasetError(
      op,
      'too-large',
      `shape [${shape.join(', ')}] of ${dtype} needs ${total} bytes, more than maxBytes ${maxBytes}. ` +
        'Raise maxBytes if the file is meant to be that large.',
    )
  return { dtype, shape, start, total }
}

/**
 * Reads an IDX file (the format of MNIST) that is in memory and not compressed. Bytes of one-byte types are shared,
 * others are turned from big-endian into fresh arrays.
 *
 * @throws DatasetError `bad-magic`, `bad-dtype`, `bad-shape`, `truncated`, `trailing-bytes`, `too-large`
 */
export function parseIdx(bytes: Uint8Array, options: IdxOptions = {}): Column<readonly number[], IdxDType> {
  return parse('parseIdx', bytes, options)
}

function parse(op: string, bytes: Uint8Array, options: IdxOptions): Column<readonly number[], IdxDType> {
  const header = headerOf(op, bytes, checkMax(op, options))
  if (typeof header === 'number')
    throw new DatasetError(
      op,
      'truncated',
      `the file ends after ${bytes.length} bytes, inside its header of ${header} or more.`,
    )
  const { dtype, shape, start, total } = header
  const stands = `shape [${shape.join(', ')}] of ${dtype} needs ${total} bytes`
  if (bytes.length < total)
    throw new DatasetError(op, 'truncated', `${stands} but the file has ${bytes.length}. Fetch it again.`)
  if (bytes.length > total)
    throw new DatasetError(op, 'trailing-bytes', `${stands} but the file goes on. Is it the right file, and whole?`)
  return { data: values(dtype, bytes, start), shape: Object.freeze(shape), dtype }
}

function values(dtype: IdxDType, bytes: Uint8Array, start: number): Column<readonly number[], IdxDType>['data'] {
  const { buffer, byteOffset, byteLength } = bytes
  if (dtype === 'uint8') return new Uint8Array(buffer, byteOffset + start, byteLength - start)
  if (dtype === 'int8') return new Int8Array(buffer, byteOffset + start, byteLength - start)
  const { width, read } = types[dtype]
  const view = new DataView(buffer, byteOffset + start, byteLength - start)
  const out = columnArray(dtype, view.byteLength / width)
  for (let i = 0; i < out.length; i++) out[i] = read(view, i * width)
  return out
}

function checkMax(op: string, options: IdxOptions): number {
  checkNames(op, options, ['maxBytes', 'signal'])
  const max = options.maxBytes ?? MAX_BYTES
  if (max > 0) return max
  throw new DatasetError(op, 'bad-option', `maxBytes must be above 0, not ${max}.`)
}

/**
 * Reads an IDX file from memory, a response, a blob or a stream; gzip is recognised by its first bytes.
 * Reading stops as soon as there are more bytes than the header declares.
 *
 * ```ts
 * const images = await readIdx(fetch('/train-images-idx3-ubyte.gz')) // images.shape: [60000, 28, 28]
 * ```
 * @throws DatasetError as {@link parseIdx}, and `bad-gzip`, `bad-response`; rejects with `signal.reason` on abort
 */
export async function readIdx(
  input: ByteInput,
  options: IdxOptions & { readonly signal?: AbortSignal } = {},
): Promise<Column<readonly number[], IdxDType>> {
  const max = checkMax('readIdx', options)
  const limit = (head: Uint8Array): number => {
    const header = headerOf('readIdx', head, max)
    return typeof header === 'number' ? max : header.total
  }
  return parse('readIdx', await readBytes('readIdx', input, limit, options.signal), options)
}

/** Writes a column as an IDX file. @throws DatasetError `bad-dtype` for uint32, `bad-shape` past 255 dimensions or 2^32-1 in one */
export function writeIdx(values: Column): Uint8Array<ArrayBuffer> {
  const { data, shape, dtype } = values
  if (!isIdxDType(dtype))
    throw new DatasetError('writeIdx', 'bad-dtype', `IDX has no ${dtype}. Convert to int32 or float64.`)
  if (shape.length === 0 || shape.length > 255 || shape.some((d) => d > 0xffffffff))
    throw new DatasetError(
      'writeIdx',
      'bad-shape',
      `IDX cannot hold shape [${shape.join(', ')}]: 1 to 255 dimensions below 2^32.`,
    )
  const { code, width, write } = types[dtype]
  const start = 4 + 4 * shape.length
  const out = new Uint8Array(start + data.length * width)
  const view = new DataView(out.buffer)
  view.setUint8(2, code)
  view.setUint8(3, shape.length)
  shape.forEach((d, i) => void view.setUint32(4 + 4 * i, d))
  for (let i = 0; i < data.length; i++) write(view, start + i * width, data[i] as number)
  return out
}
