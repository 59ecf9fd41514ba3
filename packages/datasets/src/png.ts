import { checkNames, DatasetError } from './errors.ts'
import type { DecodedImage } from './imageFolder.ts'
import { node } from './node.ts'

export interface PngOptions {
  /** 1 for grey, 3 for colour, 4 with alpha, whatever the file has. Default 3. */
  readonly channels?: 1 | 3 | 4
  /** Most pixels of a picture, so that a small hostile file cannot fill the memory. Default 2^26. */
  readonly maxPixels?: number
}

/** What the header of a file says. */
interface Header {
  readonly width: number
  readonly height: number
  readonly depth: number
  /** Samples of a pixel in the file; a palette's index is one. */
  readonly samples: number
  readonly palette: boolean
  readonly interlaced: boolean
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}
// Each of Adam7's passes: where it begins and how far its pixels are apart.
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const
/** What is needed for the pixels; profiles and texts, which may unpack to anything, are left out. */
const NEEDED: readonly string[] = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']

const fault = (code: 'bad-magic' | 'truncated' | 'corrupt' | 'too-large', message: string, cause?: unknown) =>
  new DatasetError('png', code, message, cause === undefined ? {} : { cause })

interface Chunk {
  readonly type: string
  /** With its length, type and checksum. */
  readonly whole: Uint8Array
  readonly body: Uint8Array
}

function chunksOf(bytes: Uint8Array): Chunk[] {
  if (!SIGNATURE.every((b, i) => bytes[i] === b))
    throw fault('bad-magic', 'the file does not begin as a PNG file does.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Chunk[] = []
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const end = at + 12 + length
    if (end > bytes.length) break
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    found.push({ type, whole: bytes.subarray(at, end), body: bytes.subarray(at + 8, end - 4) })
    if (type === 'IEND') return found
    at = end
  }
  throw fault('truncated', 'the file ends in the middle. Is it a whole download?')
}

function headerOf(chunks: readonly Chunk[], maxPixels: number): Header {
  const [first] = chunks
  if (first?.type !== 'IHDR' || first.body.length !== 13 || chunks.filter((c) => c.type === 'IHDR').length !== 1)
    throw fault('corrupt', 'the file has no header of its own.')
  const view = new DataView(first.body.buffer, first.body.byteOffset, 13)
  const [width, height] = [view.getUint32(0), view.getUint32(4)]
  const [depth, kind] = [view.getUint8(8), view.getUint8(9)]
  const samples = SAMPLES[kind]
  if (samples === undefined || !DEPTHS[kind]?.includes(depth) || view.getUint8(12) > 1 || width === 0 || height === 0)
    throw fault('corrupt', `the header is not valid: ${width}x${height}, colour type ${kind}, depth ${depth}.`)
  if (width * height > maxPixels)
    throw fault(
      'too-large',
      `the picture has ${width}x${height} pixels, more than ${maxPixels}. Raise maxPixels if you trust it.`,
    )
  return { width, height, depth, samples, palette: kind === 3, interlaced: view.getUint8(12) === 1 }
}

/** Bytes of the unpacked pixels, with the byte before each line that names its filter. */
function packedLength({ width, height, depth, samples, interlaced }: Header): number {
  const lines = (w: number, h: number): number => (w === 0 ? 0 : h * (1 + Math.ceil((w * samples * depth) / 8)))
  if (!interlaced) return lines(width, height)
  const part = (size: number, from: number, step: number): number => Math.max(0, Math.ceil((size - from) / step))
  return PASSES.reduce((sum, [x, y, dx, dy]) => sum + lines(part(width, x, dx), part(height, y, dy)), 0)
}

/** Bytes one after another. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** Throws unless the pixels unpack to exactly what the header declares; never unpacks more. */
function checkPixels(chunks: readonly Chunk[], header: Header): void {
  const { inflateSync } = node('png', "Decode pictures with the page's own decoder.").getBuiltinModule('node:zlib')
  const length = packedLength(header)
  const packed = joined(chunks.filter((c) => c.type === 'IDAT').map((c) => c.body))
  let found: number
  try {
    found = inflateSync(packed, { maxOutputLength: length + 1 }).length
  } catch (cause) {
    throw fault('corrupt', 'the pixels cannot be unpacked, or are more than the header declares.', cause)
  }
  if (found !== length) throw fault('corrupt', `the pixels are ${found} bytes where the header declares ${length}.`)
}

/** One sample as 8 bits, from lines that begin at whole bytes. */
function sampler(data: ArrayLike<number>, { width, height, depth, samples, palette }: Header) {
  if (depth === 16) return (i: number): number => Math.round((data[i] as number) / 257)
  // Interlaced ones come with a byte for every sample.
  const packed = depth < 8 && data.length !== width * height * samples
  if (!packed) return (i: number): number => data[i] as number
  const line = Math.ceil((width * depth) / 8)
  const most = 2 ** depth - 1
  return (i: number): number => {
    const [y, x] = [Math.floor(i / width), i % width]
    const byte = data[y * line + ((x * depth) >> 3)] as number
    const value = (byte >> (8 - depth - ((x * depth) & 7))) & most
    return palette ? value : Math.round((255 * value) / most)
  }
}

/** Luma as ITU-R 601-2 has it: what other libraries make grey by. */
const luma = (r: number, g: number, b: number): number => Math.round((299 * r + 587 * g + 114 * b) / 1000)

/** The package as far as it is used; loaded by a name that bundlers do not follow. */
interface FastPng {
  decode(bytes: Uint8Array, options: { readonly checkCrc: boolean }): FastPngImage
}
interface FastPngImage {
  readonly data: ArrayLike<number>
  readonly palette?: readonly (readonly number[])[]
}

async function fastPng(): Promise<FastPng> {
  const name = 'fast-png'
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as FastPng
  } catch (cause) {
    const fix = 'the package fast-png is not installed. Run `npm install fast-png@8`.'
    throw new DatasetError('png', 'not-found', fix, { cause })
  }
}

/**
 * A decoder of PNG files for {@link imageFolder}, by the npm package `fast-png` (an optional peer); Node, Bun and Deno. All colour
 * types and depths come out as 8 bits in the channels asked for: a palette is looked up, 16 bits are rounded, grey is repeated,
 * colour becomes luma, and alpha is left out unless asked for.
 *
 * Hostile files are errors: checksums are checked, what pixels unpack to is bounded by the header and the header by
 * `maxPixels`, and chunks that are no pixels are not read.
 * @example
 * const animals = await imageFolder('animals', { decode: pngDecoder({ channels: 1 }) })
 * @throws DatasetError `bad-option`; of the function `not-found` without the package, `bad-magic`, `truncated`, `corrupt`, `too-large`
 */
export function pngDecoder(options: PngOptions = {}): (bytes: Uint8Array) => Promise<DecodedImage> {
  checkNames('pngDecoder', options, ['channels', 'maxPixels'])
  const { channels = 3, maxPixels = 2 ** 26 } = options
  if (channels !== 1 && channels !== 3 && channels !== 4)
    throw new DatasetError('png', 'bad-option', `channels must be 1, 3 or 4, not ${channels}.`)
  if (!(maxPixels >= 1)) throw new DatasetError('png', 'bad-option', `maxPixels must be at least 1, not ${maxPixels}.`)
  return async (bytes) => {
    const chunks = chunksOf(bytes)
    const header = headerOf(chunks, maxPixels)
    if (header.interlaced && header.depth < 8)
      throw fault('corrupt', `interlaced pictures of depth ${header.depth} are not read. Save it without interlacing.`)
    checkPixels(chunks, header)
    const { decode } = await fastPng()
    const needed = chunks.filter((c) => NEEDED.includes(c.type)).map((c) => c.whole)
    let image: FastPngImage
    try {
      image = decode(joined([Uint8Array.from(SIGNATURE), ...needed]), { checkCrc: true })
    } catch (cause) {
      throw fault('corrupt', 'the file cannot be decoded.', cause)
    }
    return planes(image, header, channels)
  }
}

/** Pixels in the channels asked for. */
function planes(image: FastPngImage, header: Header, channels: 1 | 3 | 4): DecodedImage {
  const { width, height, samples, palette } = header
  const at = sampler(image.data, header)
  const data = new Uint8Array(width * height * channels)
  for (let i = 0; i < width * height; i++) {
    let [r, g, b, a] = [0, 0, 0, 255]
    if (palette) {
      const colour = image.palette?.[at(i)]
      if (colour === undefined) throw fault('corrupt', `pixel ${i} has colour ${at(i)}, which the palette has not.`)
      ;[r = 0, g = 0, b = 0, a = 255] = colour
    } else if (samples >= 3)
      [r, g, b, a] = [
        at(i * samples),
        at(i * samples + 1),
        at(i * samples + 2),
        samples === 4 ? at(i * samples + 3) : 255,
      ]
    else {
      r = g = b = at(i * samples)
      if (samples === 2) a = at(i * 2 + 1)
    }
    if (channels === 1) data[i] = r === g && g === b ? r : luma(r, g, b)
    else {
      data[i * channels] = r
      data[i * channels + 1] = g
      data[i * channels + 2] = b
      if (channels === 4) data[i * 4 + 3] = a
    }
  }
  return { width, height, channels, data }
}
