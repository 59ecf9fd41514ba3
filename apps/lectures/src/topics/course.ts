import { type Augment, augmented, type BatchOptions, batches, type MnistDataset } from '@tessella/datasets'
import { crossEntropy, errorCount } from '@tessella/losses'
import { optimizer, type Transform, type WeightAverage } from '@tessella/optimizers'
import type { Tensor } from '@tessella/tensor'
import { evaluator, fit, trainStep } from '@tessella/training'
import type { Batch } from '../models.ts'
import type { Context } from '../pages/topic.ts'
import { pause } from '../runTopic.ts'

/** Images with values in [0, 1]. */
export type Pixels = Tensor<readonly [number, 1, 28, 28], 'float32'>

/** Scores of a batch of images; the mode matters to dropout and batch normalisation. */
export type Scores = (images: Pixels, mode: 'train' | 'eval') => Tensor

/** One way to train one network. */
export interface Course {
  readonly model: object
  readonly scores: Scores
  readonly transform: Transform
  /** Added to the loss. */
  readonly penalty?: () => Tensor
  readonly train: MnistDataset
  /** What is measured after every epoch. */
  readonly test: MnistDataset
  readonly epochs: number
  readonly size: number
  /** Measure after the last epoch only: one entry is answered. */
  readonly onlyLast?: boolean
  /** Also the errors on the training set. */
  readonly trainErrors?: boolean
  /** A validation set whose loss is measured too. */
  readonly watch?: MnistDataset
  readonly shouldStop?: (epoch: Epoch) => boolean
  /** Takes the place of cross entropy in training, of images in [0, 1]; measured is cross entropy all the same. */
  readonly loss?: (images: Pixels, labels: Batch['labels']) => Tensor
  /** Changes the images of the training set. */
  readonly augment?: Augment
  /** Runs inside every step, after the update. */
  readonly after?: () => void
  /** Runs after every epoch, numbered from 1. */
  readonly atEpoch?: (epoch: number) => Promise<void> | void
  /** A moving average of the weights, measured beside them. */
  readonly average?: WeightAverage
}

/** What one epoch gave; errors are shares. */
export interface Epoch {
  /** Mean loss of the steps. */
  readonly loss: number
  readonly testLoss: number
  readonly testErrors: number
  readonly trainErrors: number
  /** Loss on the validation set. */
  readonly watched: number
  /** Errors with the averaged weights. */
  readonly averagedErrors: number
}

/** Trains on MNIST, epoch after epoch; ends the topic when the signal fires. */
export async function train(course: Course, context: Context): Promise<readonly Epoch[]> {
  const { model, scores, penalty, epochs, size, test, augment, after, atEpoch } = course
  const pixels = (images: Batch['images']) => images.cast('float32').div(255)
  const goal =
    course.loss ?? ((images: Pixels, labels: Batch['labels']) => crossEntropy(scores(images, 'train'), labels))
  const step = trainStep<Batch>({
    model,
    optimizer: optimizer(course.transform, model),
    loss: ({ images, labels }) => {
      const loss = goal(pixels(images), labels)
      return penalty === undefined ? loss : loss.add(penalty())
    },
    after: () => {
      course.average?.update()
      after?.()
    },
  })
  const measure = evaluator(({ images, labels }: Batch) => {
    const answers = scores(pixels(images), 'eval')
    return { errors: errorCount(answers, labels), loss: crossEntropy(answers, labels, { reduction: 'sum' }) }
  })
  const averaged = evaluator(({ images, labels }: Batch) => {
    const count = () => errorCount(scores(pixels(images), 'eval'), labels)
    return { errors: course.average?.use(count) ?? count() }
  })
  const on = (set: MnistDataset) => measure(batches(set, { size: Math.min(1000, set.length) }))
  const order: BatchOptions = { size, shuffle: true, seed: context.seed }
  const found: Epoch[] = []
  let done = 0
  const run = fit<Batch>({
    step,
    batches: (epoch) =>
      batches(augment === undefined ? course.train : augmented(course.train, 'images', augment, epoch), {
        ...order,
        epoch,
      }),
    epochs,
    signal: context.signal,
    shouldStop: () => course.shouldStop?.(found.at(-1) as Epoch) ?? false,
  })
  for await (const event of run) {
    if (event.type === 'step') await pause(context)
    if (event.type !== 'epoch-end') continue
    done++
    await atEpoch?.(done)
    if (course.onlyLast && done < epochs) continue
    const { errors, loss } = await on(test)
    const trainErrors = course.trainErrors ? (await on(course.train)).errors / course.train.length : Number.NaN
    const { watch } = course
    const watched = watch === undefined ? Number.NaN : (await on(watch)).loss / watch.length
    const averagedErrors =
      course.average === undefined
        ? Number.NaN
        : (await averaged(batches(test, { size: Math.min(1000, test.length) }))).errors / test.length
    found.push({
      watched,
      averagedErrors,
      loss: event.loss,
      testLoss: loss / test.length,
      testErrors: errors / test.length,
      trainErrors,
    })
  }
  return found
}
