import { byteWidth, type DType, type HostArray, hostArray } from '@tessella/tensor'
import { TrainingError } from './errors.ts'
import type { HostTensor, Snapshot } from './snapshot.ts'

/*
 * The safetensors format: an 8-byte little-endian header length, a JSON header with dtype, shape and byte range of
 * each tensor, then the data. Readable from Python as it is.
 */

const names: { readonly [D in DType]: string } = {
  float32: 'F32',
  float16: 'F16',
  float64: 'F64',
  int32: 'I32',
  uint32: 'U32',
  uint8: 'U8',
  bool: 'BOOL',
}
const dtypes = new Map(Object.entries(names).map(([dtype, name]) => [name, dtype as DType]))
const maxHeader = 100 * 2 ** 20
const metadataName = '__metadata__'

const problem = (what: string, cause?: unknown): TrainingError =>
  new TrainingError(
    'bad-checkpoint',
    `[safetensors] ${what}. The file is truncated, corrupt or of another format.`,
    {},
    { cause },
  )

const bytesOf = (a: HostArray): Uint8Array<ArrayBuffer> => new Uint8Array(a.buffer, a.byteOffset, a.byteLength)

/** Tensors by name and string metadata as one file. */
export function encodeSafetensors(
  tensors: Snapshot,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors)
  let size = 0
  const header = entries.map(([name, { dtype, shape, data }]) => {
    const begin = size
    size += data.byteLength
    return [name, { dtype: names[dtype], shape, data_offsets: [begin, size] }]
  })
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([[metadataName, metadata], ...header])))
  const start = 8 + Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(start + size)
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true)
  file.fill(0x20, 8, start)
  file.set(text, 8)
  let at = start
  for (const [, { data }] of entries) {
    file.set(bytesOf(data), at)
    at += data.byteLength
  }
  return file
}

interface Decoded {
  readonly tensors: Snapshot
  readonly metadata: Readonly<Record<string, string>>
}

interface Entry {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)
const isSizes = (x: unknown): x is readonly number[] =>
  Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0)

function parseHeader(file: Uint8Array): { readonly header: Readonly<Record<string, unknown>>; readonly start: number } {
  if (file.length < 8) throw problem(`${file.length} bytes are too few for a header`)
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true))
  if (length > maxHeader || 8 + length > file.length)
    throw problem(`the header claims ${length} bytes, the file has ${file.length}`)
  const start = 8 + length
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, start)))
    if (isRecord(header)) return { header, start }
  } catch (cause) {
    throw problem('the header is not JSON', cause)
  }
  throw problem('the header is not an object')
}

function parseEntry(name: string, value: unknown): Entry {
  const { dtype: code, shape, data_offsets: range } = isRecord(value) ? value : {}
  const dtype = dtypes.get(String(code))
  if (dtype === undefined) throw problem(`'${name}' has the unknown dtype ${String(code)}`)
  if (!isSizes(shape)) throw problem(`'${name}' has a bad shape`)
  if (!isSizes(range) || range.length !== 2) throw problem(`'${name}' has a bad range`)
  const [begin, end] = range as readonly [number, number]
  const size = shape.reduce((a, b) => a * b, 1) * byteWidth(dtype)
  if (end - begin !== size) throw problem(`'${name}' should have ${size} bytes, its range has ${end - begin}`)
  return { name, dtype, shape, begin, end }
}

/** Throws unless the ranges fill the data without gaps and overlaps, so that no more memory is taken than the file has. */
function checkCover(entries: readonly Entry[], size: number): void {
  let covered = 0
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw problem(`'${name}' begins at byte ${begin} of the data, not at ${covered}`)
    covered = end
  }
  if (covered !== size) throw problem(`the header describes ${covered} bytes of data, the file has ${size}`)
}

function readEntry({ name, dtype, shape, begin, end }: Entry, bytes: Uint8Array): HostTensor {
  const data = hostArray(dtype, (end - begin) / byteWidth(dtype))
  bytesOf(data).set(bytes.subarray(begin, end))
  if (dtype === 'bool' && data.some((v) => v > 1)) throw problem(`'${name}' has truth values other than 0 and 1`)
  return { dtype, shape, data }
}

/** Reads a file. Every size is checked before memory is taken; throws {@link TrainingError} `bad-checkpoint`. */
export function decodeSafetensors(file: Uint8Array): Decoded {
  const { header, start } = parseHeader(file)
  const { [metadataName]: raw = {}, ...rest } = header
  if (!isRecord(raw)) throw problem('the metadata is not an object')
  const bytes = file.subarray(start)
  const entries = Object.entries(rest).map(([name, value]) => parseEntry(name, value))
  checkCover(entries, bytes.length)
  return {
    // fromEntries makes own properties even of names such as __proto__.
    tensors: Object.fromEntries(entries.map((entry) => [entry.name, readEntry(entry, bytes)])),
    metadata: Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, String(value)])),
  }
}
