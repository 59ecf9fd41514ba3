import { crc32, deflateSync } from 'node:zlib'

/** Grey with alpha or colour with alpha, 8 bits a channel, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: 2 | 4
  readonly pixels: Uint8Array
}

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const colourTypes = { 2: 4, 4: 6 } as const

function chunk(type: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length)
  out.writeUInt32BE(body.length, 0)
  out.write(type, 4, 'latin1')
  out.set(body, 8)
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length)
  return out
}

/** A picture as a PNG file (RFC 2083), without row filters: the pictures here are tiny. Throws when the sizes differ. */
export function encodePng({ width, height, channels, pixels }: Picture): Buffer {
  const row = width * channels
  if (pixels.length !== row * height)
    throw new RangeError(
      `[encodePng] ${pixels.length} bytes for ${width}x${height} pixels of ${channels} channels; give ${row * height}`,
    )
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, colourTypes[channels], 0, 0, 0], 8)
  const lines = new Uint8Array((row + 1) * height)
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1)
  const body = deflateSync(lines, { level: 9 })
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', body), chunk('IEND', new Uint8Array())])
}

/** The picture as an address that an `img` takes. */
export const pngUri = (picture: Picture): string => `data:image/png;base64,${encodePng(picture).toString('base64')}`
