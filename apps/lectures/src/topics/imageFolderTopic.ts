import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batches, imageFolder, type MnistDataset, pngDecoder } from '@tessella/datasets'
import { crossEntropy, errorCount } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { namedVariables, type Tensor } from '@tessella/tensor'
import { evaluator, trainStep } from '@tessella/training'
import { encode } from 'fast-png'
import { network } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { inkTile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { count, percent } from '../report/numbers.ts'
import { pause } from '../runTopic.ts'

type Images = Tensor<readonly [number, 1, 28, 28], 'uint8'>

/** Writes pictures into a folder for each class, as grey PNG files, named by their rows. */
async function write(set: MnistDataset, root: string): Promise<number> {
  let bytes = 0
  for (let digit = 0; digit < 10; digit++) await mkdir(join(root, String(digit)), { recursive: true })
  for (let i = 0; i < set.length; i++) {
    const { images, labels } = set.at(i)
    const file = encode({ width: 28, height: 28, data: images, channels: 1, depth: 8 })
    bytes += file.length
    await writeFile(join(root, String(labels), `${String(i).padStart(5, '0')}.png`), file)
  }
  return bytes
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const [trained, tested] = quick ? [100, 50] : [3000, 1000]
  const root = await mkdtemp(join(tmpdir(), 'tessella-pictures-'))
  try {
    const bytes =
      (await write(data.train.take(trained), join(root, 'train'))) +
      (await write(data.test.take(tested), join(root, 'test')))
    context.note(`${count(trained + tested)} PNG files, ${count(bytes)} bytes`)
    // show: folder
    const train = await imageFolder(join(root, 'train'), { decode: pngDecoder({ channels: 1 }) })
    const test = await imageFolder(join(root, 'test'), { decode: pngDecoder({ channels: 1 }) })
    const model = network('cnn', seed)
    const scores = (images: Images) => model(images.cast('float32').div(255))
    const step = trainStep({
      model,
      optimizer: optimizer(adam(0.002), model),
      loss: ({ images, labels }: { readonly images: Images; readonly labels: Tensor<[number], 'int32'> }) =>
        crossEntropy(scores(images), labels),
    })
    const epochs = quick ? 1 : 5
    const rates: number[] = []
    for (let epoch = 0; epoch < epochs; epoch++) {
      const began = performance.now()
      for await (const { images, labels } of batches(train, { size: 50, shuffle: true, seed, epoch }))
        step({ images: images as Images, labels })
      // end
      await Object.values(namedVariables(model))[0]?.value.data()
      rates.push(trained / ((performance.now() - began) / 1000))
      await pause(context)
    }
    const measure = evaluator(
      ({ images, labels }: { readonly images: Images; readonly labels: Tensor<[number], 'int32'> }) => ({
        errors: errorCount(scores(images), labels),
      }),
    )
    const pairs = async function* () {
      for await (const { images, labels } of batches(test, { size: 250 })) yield { images: images as Images, labels }
    }
    const { errors } = await measure(pairs())
    // What came back from the files beside what was written.
    const rows = Array.from({ length: Math.min(200, trained) }, (_, i) => i)
    const back = await train.gather(rows)
    let differing = 0
    for (const row of rows) {
      const original = data.train.at(Number(/(\d+)\.png$/.exec(train.paths[row] as string)?.[1]))
      const pixels = back.images.data.subarray(784 * row, 784 * row + 784)
      if (original.images.some((v, k) => v !== pixels[k]) || original.labels !== train.labels[row]) differing++
    }
    const shown = train.classes.flatMap((_, digit) => {
      const places = Array.from(train.labels.keys()).filter((i) => train.labels[i] === digit)
      return places.slice(0, quick ? 1 : 3)
    })
    const pictures = await train.gather(shown)
    const short = (path: string): string =>
      path
        .slice(root.length + 1)
        .split('\\')
        .join('/')
    const rate = Math.max(...rates)
    return {
      found: `${count(trained)} PNG files in ten folders train the lectures’ CNN to ${percent(errors / tested)} errors on ${count(tested)} others in ${epochs} epochs; at best ${count(Math.round(rate))} pictures a second are read, decoded and learned from.`,
      picture: html`<div class="tens">${tiles(
        shown.map((row, i) =>
          inkTile(
            short(train.paths[row] as string).replace('train/', ''),
            pictures.images.data.subarray(784 * i, 784 * i + 784),
            short(train.paths[row] as string),
          ),
        ),
        true,
      )}</div>`,
      caption:
        'The first pictures of each folder, as the decoder gives them, with their files. The digits are MNIST’s, written as PNG files for this page.',
      claims: [
        {
          said: 'A folder of pictures for each class is a data set.',
          row: 'section 9',
          measured: `${train.classes.length} classes of ${count(train.length)} files; of ${rows.length} pictures read back ${differing} differ from what was written`,
          agrees: train.classes.length === 10 && train.length === trained && differing === 0,
        },
        {
          said: 'A convolutional network learns from it.',
          row: 'section 9',
          measured: `${percent(errors / tested)} test errors after ${epochs} epochs`,
          agrees: errors / tested < (quick ? 1 : 0.1),
          remark: 'The course’s dogs and cats are no package of the registry; the same code reads their folder.',
        },
      ],
      numbers: { errors: errors / tested, differing, files: trained + tested, bytes },
      sections: [
        {
          title: 'Speed',
          lede: 'Files are read and decoded batch by batch, in the order of the epoch. Measured on this machine in this run.',
          body: plainTable(
            'Pictures per second by epoch',
            ['epoch', 'pictures a second'],
            rates.map((r, i) => [String(i + 1), count(Math.round(r))]),
          ),
        },
        {
          title: 'Formula',
          lede: 'Colour becomes grey as ITU-R 601-2 has it where one channel is asked for.',
          body: formulas([String.raw`L = 0.299\, R + 0.587\, G + 0.114\, B`, 'luma']),
        },
        { title: 'Code', lede: 'Folders, network, training.', body: snippet(import.meta.url, 'folder') },
      ],
    }
  } finally {
    await rm(root, { recursive: true })
  }
}

/** Section 9: classification of a folder of pictures, read from PNG files. */
export const imageFolderTopic: Topic = {
  name: 'folders',
  title: 'Folders of pictures',
  about: 'Digits as PNG files in a folder for each class, read, decoded and learned batch by batch.',
  rows: ['section 9'],
  run,
}
