import { crc32, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inkPicture, weightPicture } from '../src/report/pictures.ts'
import { encodePng, type Picture } from '../src/report/png.ts'

/** Reads back what {@link encodePng} writes, checking every chunk. */
function decodePng(file: Buffer): { header: number[]; pixels: number[] } {
  expect([...file.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10])
  const chunks = new Map<string, Buffer>()
  let at = 8
  while (at < file.length) {
    const length = file.readUInt32BE(at)
    const end = at + 8 + length
    expect(file.readUInt32BE(end)).toBe(crc32(file.subarray(at + 4, end)))
    chunks.set(file.toString('latin1', at + 4, at + 8), file.subarray(at + 8, end))
    at = end + 4
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND'])
  const header = chunks.get('IHDR') as Buffer
  const lines = inflateSync(chunks.get('IDAT') as Buffer)
  const height = header.readUInt32BE(4)
  const row = lines.length / height
  const pixels: number[] = []
  for (let y = 0; y < height; y++) {
    expect(lines[y * row]).toBe(0)
    pixels.push(...lines.subarray(y * row + 1, (y + 1) * row))
  }
  return { header: [header.readUInt32BE(0), height, ...header.subarray(8)], pixels }
}

describe('encodePng', () => {
  it.each<Picture>([
    { width: 3, height: 2, channels: 2, pixels: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) },
    { width: 2, height: 5, channels: 4, pixels: Uint8Array.from({ length: 40 }, (_, i) => 6 * i) },
  ])('writes $width x $height pixels of $channels channels', (picture) => {
    const { header, pixels } = decodePng(Buffer.from(encodePng(picture)))
    expect(header).toEqual([picture.width, picture.height, 8, picture.channels === 2 ? 4 : 6, 0, 0, 0])
    expect(pixels).toEqual([...picture.pixels])
  })

  it('refuses pixels that do not fill the picture', () => {
    expect(() => encodePng({ width: 2, height: 2, channels: 4, pixels: new Uint8Array(15) })).toThrow(
      '[encodePng] 15 bytes for 2x2 pixels of 4 channels; give 16',
    )
  })
})

describe('pictures', () => {
  it('keeps ink as opacity', () => {
    expect([...inkPicture(Uint8Array.of(0, 9, 255), 3, 1).pixels]).toEqual([0, 0, 0, 9, 0, 255])
  })

  it('draws weights by sign and size, zero clear, all zeros without a division by zero', () => {
    const { pixels } = weightPicture([-2, -1, 0, 1], 4, 1, 2)
    expect([3, 7, 11, 15].map((i) => pixels[i])).toEqual([255, 128, 0, 128])
    expect(pixels.slice(0, 3)).toEqual(pixels.slice(4, 7))
    expect(pixels.slice(4, 7)).not.toEqual(pixels.slice(12, 15))
    expect([...weightPicture([0, 0], 2, 1, 0).pixels].filter((_, i) => i % 4 === 3)).toEqual([0, 0])
  })
})
