import { encode } from 'fast-png'

/** Grey with alpha or colour with alpha, 8 bits a channel, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: 2 | 4
  readonly pixels: Uint8Array
}

/** A picture as a PNG file. Throws when the sizes differ. */
export function encodePng({ width, height, channels, pixels }: Picture): Uint8Array {
  if (pixels.length !== width * height * channels)
    throw new RangeError(
      `[encodePng] ${pixels.length} bytes for ${width}x${height} pixels of ${channels} channels; give ${width * height * channels}`,
    )
  return encode({ width, height, channels, data: pixels }, { zlib: { level: 9 } })
}

/** The picture as an address that an `img` takes. */
export function pngUri(picture: Picture): string {
  const text = Array.from(encodePng(picture), (byte) => String.fromCharCode(byte)).join('')
  return `data:image/png;base64,${btoa(text)}`
}
