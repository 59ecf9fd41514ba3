import { split } from '@tessella/datasets'
import { adam } from '@tessella/optimizers'
import { earlyStopping, formatNumber } from '@tessella/training'
import { network } from '../models.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { train } from './course.ts'

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const patience = 5
  // show: splits
  const parts = split(data.train.take(quick ? 400 : 2000), { validation: 0.5, seed, stratify: 'labels' })
  const stopping = earlyStopping({ patience })
  const stops: number[] = []
  const model = network('mlp', seed)
  const epochs = await train(
    {
      model,
      scores: (images) => model(images),
      transform: adam(0.001),
      train: parts.train,
      test: parts.validation, // the test set is not touched here
      epochs: quick ? 3 : 60,
      size: 50,
      trainErrors: true,
      shouldStop: (epoch) => {
        stopping.update(epoch.testLoss)
        if (stopping.shouldStop) stops.push(stopping.waited)
        return false // goes on, to see what stopping would have spared
      },
    },
    context,
  )
  // end
  const losses = epochs.map((e) => e.testLoss)
  const best = losses.indexOf(Math.min(...losses))
  const stopAt = stops.length === 0 ? epochs.length : epochs.length - stops.length + 1
  const at = (i: number) => epochs[i] as (typeof epochs)[number]
  const last = at(epochs.length - 1)
  const stopped = at(stopAt - 1)
  const rise = last.testLoss / at(best).testLoss
  return {
    found: `The validation loss is least after epoch ${best + 1} (${formatNumber(at(best).testLoss, 3)}) and rises to ${formatNumber(last.testLoss, 3)} by epoch ${epochs.length}, while the training loss falls on to ${formatNumber(last.loss, 2)}. ${stops.length > 0 ? `Early stopping ends at epoch ${stopAt}.` : 'Early stopping did not end this run.'}`,
    picture: lineChart({
      label: 'Training and validation loss by epoch',
      x: { name: 'epoch' },
      y: { name: 'loss', log: true },
      marks: [
        { at: best + 1, text: 'least' },
        ...(stopAt > best + 3 && stops.length > 0 ? [{ at: stopAt, text: 'stop' }] : []),
      ],
      series: [
        { name: 'training', tone: 't1', points: epochs.map((e, i) => [i + 1, e.loss]) },
        { name: 'validation', tone: 't0', points: epochs.map((e, i) => [i + 1, e.testLoss]) },
      ],
    }),
    caption: `The lectures’ MLP on ${parts.train.length} images of MNIST, Adam, validated on ${parts.validation.length} others. Early stopping waits ${patience} epochs for something better.`,
    claims: [
      {
        said: 'When the training loss falls but validation does not improve, the network overfits.',
        row: 'T10',
        measured: `after the least validation loss: training ${formatNumber(at(best).loss, 2)} to ${formatNumber(last.loss, 2)}, validation times ${formatNumber(rise, 3)}`,
        agrees: last.loss < at(best).loss && rise > 1.02,
      },
      {
        said: 'Stopping early loses nothing.',
        row: 'T10',
        measured: `validation errors ${percent(stopped.testErrors)} at the stop, ${percent(last.testErrors)} at the end`,
        agrees: stopped.testErrors <= last.testErrors + 0.005,
        remark: 'The loss grows because the mistakes get surer; their number hardly changes.',
      },
    ],
    numbers: { best: best + 1, stop: stopAt, rise, trainLoss: epochs.map((e) => e.loss), validationLoss: losses },
    sections: [
      {
        title: 'Formula',
        lede: 'E is the validation loss by epoch.',
        body: formulas([
          String.raw`\text{stop at the first } t \text{ with } \; \min_{s \le t - p} E_s \le \min_{t - p < s \le t} E_s`,
          `p = ${patience} epochs of patience`,
        ]),
      },
      { title: 'Code', lede: 'The split and the run.', body: snippet(import.meta.url, 'splits') },
      {
        title: 'Errors',
        lede: 'Shares of wrong answers.',
        body: html`<figure class="card">${lineChart({
          label: 'Training and validation errors by epoch',
          x: { name: 'epoch' },
          y: { name: 'errors, %' },
          series: [
            { name: 'training', tone: 't1', points: epochs.map((e, i) => [i + 1, 100 * e.trainErrors]) },
            { name: 'validation', tone: 't0', points: epochs.map((e, i) => [i + 1, 100 * e.testErrors]) },
          ],
        })}</figure>`,
      },
    ],
  }
}

/** T10: overfitting seen on a validation set, and early stopping. */
export const overfitting: Topic = {
  name: 'overfitting',
  title: 'Overfitting and early stopping',
  about: 'Training loss falls, validation loss turns: where early stopping ends it.',
  rows: ['T10'],
  run,
}
