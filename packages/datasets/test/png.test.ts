import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { encode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageFolder, pngDecoder } from '../src/index.ts'
import { codeOfAsync } from './errorCode.ts'

function chunk(type: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length)
  out.writeUInt32BE(body.length, 0)
  out.write(type, 4, 'latin1')
  out.set(body, 8)
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length)
  return out
}
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

interface Made {
  readonly width: number
  readonly height: number
  readonly depth?: number
  readonly kind?: number
  readonly interlace?: number
  /** Lines with their filter bytes, or packed pixels. */
  readonly lines?: readonly number[]
  readonly packed?: Uint8Array
  readonly before?: readonly Buffer[]
}
function made({ width, height, depth = 8, kind = 0, interlace = 0, lines = [], packed, before = [] }: Made): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([depth, kind, 0, 0, interlace], 8)
  const body = packed ?? deflateSync(Uint8Array.from(lines))
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...before,
    chunk('IDAT', body),
    chunk('IEND', new Uint8Array()),
  ])
}
const grey = made({ width: 2, height: 2, lines: [0, 1, 2, 0, 3, 250] })
const pixels = async (bytes: Uint8Array, channels: 1 | 3 | 4) =>
  Array.from((await pngDecoder({ channels })(bytes)).data)

describe('pngDecoder', () => {
  it('reads what fast-png writes, in every layout', async () => {
    const rgba = {
      width: 2,
      height: 1,
      channels: 4,
      depth: 8,
      data: Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80),
    } as const
    expect(await pixels(encode(rgba), 4)).toEqual([10, 20, 30, 40, 50, 60, 70, 80])
    expect(await pixels(encode(rgba), 3)).toEqual([10, 20, 30, 50, 60, 70])
    expect(await pixels(encode(rgba), 1)).toEqual([18, 58])
    expect(await pixels(encode(rgba, { interlace: 'Adam7' }), 4)).toEqual([10, 20, 30, 40, 50, 60, 70, 80])
    expect(
      await pixels(encode({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(65535, 257) }), 1),
    ).toEqual([255, 1])
    expect(await pixels(encode({ width: 1, height: 1, channels: 2, depth: 8, data: Uint8Array.of(7, 9) }), 4)).toEqual([
      7, 7, 7, 9,
    ])
  })

  it('unpacks lines of less than a byte per pixel', async () => {
    expect(await pixels(made({ width: 3, height: 2, depth: 1, lines: [0, 0b10100000, 0, 0b01000000] }), 1)).toEqual([
      255, 0, 255, 0, 255, 0,
    ])
    expect(await pixels(made({ width: 3, height: 1, depth: 2, lines: [0, 0b00011000] }), 1)).toEqual([0, 85, 170])
    expect(await pixels(made({ width: 3, height: 1, depth: 4, lines: [0, 0x0f, 0x80] }), 1)).toEqual([0, 255, 136])
  })

  it('looks palettes up, with their alpha', async () => {
    const before = [chunk('PLTE', Uint8Array.of(1, 2, 3, 4, 5, 6)), chunk('tRNS', Uint8Array.of(9))]
    const picture = { width: 5, height: 1, depth: 1, kind: 3, lines: [0, 0b01001000], before }
    expect(await pixels(made(picture), 3)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6])
    expect((await pixels(made(picture), 4)).filter((_, i) => i % 4 === 3)).toEqual([9, 255, 9, 9, 255])
  })

  const bomb = deflateSync(new Uint8Array(5_000_000))
  const damaged = Buffer.from(grey)
  damaged[damaged.length - 20] = (damaged[damaged.length - 20] as number) ^ 1
  const profile = chunk('iCCP', Buffer.concat([Buffer.from('p\0\0', 'latin1'), bomb]))
  it.each([
    ['text', Buffer.from('GIF89a'), 'bad-magic'],
    ['nothing', Buffer.alloc(0), 'bad-magic'],
    ['the first half', grey.subarray(0, grey.length / 2), 'truncated'],
    ['no end', grey.subarray(0, grey.length - 12), 'truncated'],
    [
      'a chunk of 4 GiB',
      Buffer.concat([grey.subarray(0, 33), Buffer.from([255, 255, 255, 255]), Buffer.from('IDAT....')]),
      'truncated',
    ],
    ['a flipped bit', damaged, 'corrupt'],
    ['2^31 pixels a side', made({ width: 2 ** 31, height: 2 ** 31, lines: [0] }), 'too-large'],
    ['no pixels', made({ width: 0, height: 5, lines: [] }), 'corrupt'],
    ['colour type 5', made({ width: 1, height: 1, kind: 5, lines: [0, 0] }), 'corrupt'],
    ['depth 3', made({ width: 1, height: 1, depth: 3, lines: [0, 0] }), 'corrupt'],
    ['too few lines', made({ width: 2, height: 3, lines: [0, 1, 2] }), 'corrupt'],
    ['pixels that unpack to 5 MB', made({ width: 2, height: 2, packed: bomb }), 'corrupt'],
    ['pixels that are not packed', made({ width: 2, height: 2, packed: Uint8Array.of(1, 2, 3) }), 'corrupt'],
    ['an unknown filter', made({ width: 1, height: 1, lines: [9, 0] }), 'corrupt'],
    [
      'a colour that the palette has not',
      made({ width: 1, height: 1, kind: 3, lines: [0, 7], before: [chunk('PLTE', Uint8Array.of(1, 2, 3))] }),
      'corrupt',
    ],
    ['no palette', made({ width: 1, height: 1, kind: 3, lines: [0, 0] }), 'corrupt'],
    [
      'two headers',
      made({ width: 2, height: 2, lines: [0, 1, 2, 0, 3, 4], before: [grey.subarray(8, 33)] }),
      'corrupt',
    ],
  ])('refuses %s', async (_, bytes, code) => {
    expect(await codeOfAsync(pngDecoder()(bytes))).toBe(code)
  })

  it('does not unpack a profile', async () => {
    const lines = [0, 1, 2, 0, 3, 250]
    expect(await pixels(made({ width: 2, height: 2, lines, before: [profile] }), 1)).toEqual([1, 2, 3, 250])
  })

  it('decodes what is right or throws an error of ours, whatever bytes change', async () => {
    const decode = pngDecoder({ maxPixels: 1000 })
    for (let i = 0; i < grey.length; i++)
      for (const value of [0, 0x7f, 0xff]) {
        const bytes = Buffer.from(grey)
        if (bytes[i] === value) continue
        bytes[i] = value
        const code = await codeOfAsync(decode(bytes))
        expect(['bad-magic', 'truncated', 'corrupt', 'too-large'], `byte ${i} as ${value}`).toContain(code)
      }
  })

  it('says what options it takes', () => {
    expect(() => pngDecoder({ channels: 2 as 1 })).toThrow('channels must be 1, 3 or 4')
    expect(() => pngDecoder({ maxPixels: 0 })).toThrow('maxPixels')
  })
})

describe('imageFolder of PNG files', () => {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'png-'))
    for (const folder of ['a', 'b']) await mkdir(join(root, folder))
    await writeFile(join(root, 'a/1.png'), grey)
    await writeFile(
      join(root, 'b/1.png'),
      encode({ width: 2, height: 2, channels: 3, depth: 8, data: new Uint8Array(12).fill(8) }),
    )
    await writeFile(join(root, 'b/2.png'), grey.subarray(0, 30))
    await writeFile(join(root, 'b/3.jpg'), 'not ours without a decoder')
  })
  afterAll(() => rm(root, { recursive: true }))

  it('needs no decoder, and brings grey and colour into one shape', async () => {
    const set = await imageFolder(root)
    expect(set.paths).toHaveLength(3)
    const { images } = await set.gather([0, 1])
    expect(images.shape).toEqual([2, 3, 2, 2])
    expect(Array.from(images.data.subarray(0, 4))).toEqual([1, 2, 3, 250])
  })

  it('names the file at fault and keeps the reason', async () => {
    const set = await imageFolder(root, { decode: pngDecoder({ channels: 1 }) })
    await expect(set.gather([2])).rejects.toMatchObject({ code: 'corrupt', cause: { code: 'truncated' } })
    await expect(set.gather([2])).rejects.toThrow('2.png')
  })
})
