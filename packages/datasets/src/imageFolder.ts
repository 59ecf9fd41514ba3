import type { Column } from './column.ts'
import { column } from './column.ts'
import type { RowSource } from './dataset.ts'
import { checkNames, DatasetError } from './errors.ts'
import { node } from './node.ts'
import { pngDecoder } from './png.ts'

/** A picture as a decoder gives it: rows of pixels, the channels of a pixel next to each other. */
export interface DecodedImage {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: ArrayLike<number>
}

export interface ImageFolderOptions {
  /**
   * Bytes of a file to its pixels; every picture must have the size of the first. Resize in it where they differ. Default
   * {@link pngDecoder}, which needs the npm package `fast-png`.
   */
  readonly decode?: (bytes: Uint8Array, path: string) => DecodedImage | Promise<DecodedImage>
  /** Endings that are pictures, in any case. Default png, and jpg and jpeg for a decoder of yours. */
  readonly extensions?: readonly string[]
}

/** Pictures and their classes. */
export type ImageFolderColumns = {
  readonly images: Column<readonly [number, number, number, number], 'uint8'>
  readonly labels: Column<readonly [number], 'int32'>
}

/** A folder of pictures, which are read as batches ask for them. */
export interface ImageFolder extends RowSource<ImageFolderColumns> {
  /** The names of the folders in order; a label is a place in it. */
  readonly classes: readonly string[]
  /** Files in the order of rows. */
  readonly paths: readonly string[]
  /** The class of every row, without reading pictures: for splits. */
  readonly labels: Int32Array
  gather(rows: ArrayLike<number>): Promise<ImageFolderColumns>
}

/** Files of a batch that are read at the same time. */
const AT_ONCE = 16

/** [height, width, channels] to [channels, height, width]. */
function planar(image: DecodedImage, out: Uint8Array): void {
  const { width, height, channels, data } = image
  const plane = width * height
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++) out[c * plane + i] = data[i * channels + c] as number
}

/**
 * A folder with a folder of pictures for each class, as `torchvision.datasets.ImageFolder`; Node, Bun and Deno. Classes and
 * files are in the order of their names, files of folders below them included.
 *
 * ```ts
 * const animals = await imageFolder('animals') // animals/cats/1.png, animals/dogs/...
 * for await (const { images, labels } of batches(animals, { size: 32, shuffle: true, seed: 1 })) ...
 * ```
 * @throws DatasetError `not-found`, `empty`; of `gather` `corrupt` for a picture that cannot be decoded or has another size
 */
export async function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkNames('imageFolder', options, ['decode', 'extensions'])
  const { decode = pngDecoder(), extensions = options.decode ? ['png', 'jpg', 'jpeg'] : ['png'] } = options
  const { getBuiltinModule } = node('imageFolder', 'In a page, make a data set of decoded pictures.')
  const { readdir, readFile } = getBuiltinModule('node:fs').promises
  const { join } = getBuiltinModule('node:path')
  const list = async (folder: string) => {
    try {
      const entries = await readdir(folder, { withFileTypes: true })
      return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    } catch (cause) {
      throw new DatasetError('imageFolder', 'not-found', `cannot read the folder ${folder}.`, { cause })
    }
  }
  const pictures = async (folder: string): Promise<string[]> => {
    const found: string[] = []
    for (const entry of await list(folder)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) found.push(...(await pictures(path)))
      else if (extensions.includes(entry.name.split('.').at(-1)?.toLowerCase() ?? '')) found.push(path)
    }
    return found
  }
  const classes = (await list(root)).filter((e) => e.isDirectory()).map((e) => e.name)
  const files: { readonly path: string; readonly label: number }[] = []
  for (const [label, name] of classes.entries())
    for (const path of await pictures(join(root, name))) files.push({ path, label })
  if (files.length === 0)
    throw new DatasetError(
      'imageFolder',
      'empty',
      `${root} has no pictures in folders. Put each class into a folder of its own.`,
    )

  const read = async (path: string): Promise<DecodedImage> => {
    const bytes = new Uint8Array(await readFile(path))
    try {
      return await decode(bytes, path)
    } catch (cause) {
      throw new DatasetError('imageFolder', 'corrupt', `${path} cannot be decoded.`, { cause })
    }
  }
  const sizeOfFirst = async () => {
    const { channels, height, width } = await read((files[0] as { readonly path: string }).path)
    return [channels, height, width] as const
  }
  let sizes: readonly [channels: number, height: number, width: number] | undefined
  return {
    length: files.length,
    classes,
    paths: files.map((f) => f.path),
    labels: Int32Array.from(files, (f) => f.label),
    async gather(rows) {
      const chosen = Array.from(rows, (row) => {
        const file = files[row]
        if (file === undefined)
          throw new DatasetError('imageFolder', 'bad-index', `row ${row} is not one of ${files.length} rows.`)
        return file
      })
      sizes ??= await sizeOfFirst()
      const [channels, height, width] = sizes
      const each = channels * height * width
      const data = new Uint8Array(chosen.length * each)
      const put = async (i: number, path: string): Promise<void> => {
        const image = await read(path)
        if (
          image.channels !== channels ||
          image.height !== height ||
          image.width !== width ||
          image.data.length !== each
        )
          throw new DatasetError(
            'imageFolder',
            'corrupt',
            `${path} is ${image.width}x${image.height} with ${image.channels} channels, the first picture ` +
              `${width}x${height} with ${channels}. Resize in \`decode\`.`,
          )
        planar(image, data.subarray(i * each, (i + 1) * each))
      }
      // Several at a time: the disk answers while others are decoded. Not all, whose bytes would lie in memory at once.
      for (let from = 0; from < chosen.length; from += AT_ONCE)
        await Promise.all(chosen.slice(from, from + AT_ONCE).map(({ path }, i) => put(from + i, path)))
      return {
        images: column(data, [chosen.length, channels, height, width]),
        labels: column(
          Int32Array.from(chosen, (f) => f.label),
          [chosen.length],
        ),
      }
    },
  }
}
