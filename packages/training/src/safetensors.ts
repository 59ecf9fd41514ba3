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
const dtypeOf = new Map<string, DType>((Object.keys(names) as DType[]).map((d) => [names[d], d]))
const maxHeader = 100 * 2 ** 20

const fail = (what: string): never => {
  throw new TrainingError(
    'bad-checkpoint',
    `[safetensors] ${what}. The file is truncated, corrupt or of another format.`,
  )
}

const bytesOf = (a: HostArray): Uint8Array<ArrayBuffer> => new Uint8Array(a.buffer, a.byteOffset, a.byteLength)

/** Tensors by name and string metadata as one file. */
export function encodeSafetensors(
  tensors: Snapshot,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: names[dtype], shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const padded = Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(8 + padded + offset)
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true)
  file.fill(0x20, 8, 8 + padded)
  file.set(text, 8)
  let at = 8 + padded
  for (const { data } of Object.values(tensors)) {
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
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

function parseHeader(file: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (file.length < 8) fail(`${file.length} bytes are too few for a header`)
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true))
  if (length > maxHeader || 8 + length > file.length)
    fail(`the header claims ${length} bytes, the file has ${file.length}`)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + length)))
  } catch (cause) {
    throw new TrainingError(
      'bad-checkpoint',
      '[safetensors] the header is not JSON. The file is corrupt or of another format.',
      {},
      { cause },
    )
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('the header is not an object')
  return { header: header as Record<string, unknown>, start: 8 + length }
}

function parseEntry(name: string, value: unknown): Entry {
  const e = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const dtype = dtypeOf.get(String(e.dtype))
  if (dtype === undefined) fail(`'${name}' has the unknown dtype ${String(e.dtype)}`)
  const { shape, data_offsets: offsets } = e
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
  if (!Array.isArray(shape) || !shape.every(isSize)) fail(`'${name}' has a bad shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) fail(`'${name}' has bad offsets`)
  const [begin, end] = offsets as [number, number]
  const size = (shape as number[]).reduce((a, b) => a * b, 1) * byteWidth(dtype as DType)
  if (end - begin !== size) fail(`'${name}' should have ${size} bytes, its range has ${end - begin}`)
  return { dtype: dtype as DType, shape: shape as number[], begin, end }
}

/** Reads a file. Every size is checked before memory is taken; throws {@link TrainingError} `bad-checkpoint`. */
export function decodeSafetensors(file: Uint8Array): Decoded {
  const { header, start } = parseHeader(file)
  const tensors: Record<string, HostTensor> = {}
  let covered = 0
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { dtype, shape, begin, end } = parseEntry(name, value)
    if (start + end > file.length) fail(`'${name}' ends at byte ${start + end}, the file has ${file.length}`)
    const data = hostArray(dtype, (end - begin) / byteWidth(dtype))
    bytesOf(data).set(file.subarray(start + begin, start + end))
    tensors[name] = { dtype, shape, data }
    covered += end - begin
  }
  if (start + covered !== file.length) fail(`${file.length - start} bytes of data, the header describes ${covered}`)
  const raw = header.__metadata__
  const metadata: Record<string, string> = {}
  if (typeof raw === 'object' && raw !== null) for (const [k, v] of Object.entries(raw)) metadata[k] = String(v)
  return { tensors, metadata }
}
