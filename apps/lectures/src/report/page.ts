import type { MnistDataset } from '@tessella/datasets'
import type { Experiment } from '../record.ts'
import { epochTable, madeWith } from './details.ts'
import { errorChart } from './errorChart.ts'
import { filterPictures } from './filters.ts'
import { gallery } from './gallery.ts'
import { headline } from './headline.ts'
import { heatmap } from './heatmap.ts'
import { html, type Markup } from './html.ts'
import { lossChart } from './lossChart.ts'
import { style } from './style.ts'
import { timeChart } from './timeChart.ts'

const section = (title: string, lede: string, body: Markup): Markup =>
  html`<section class="part"><h2>${title}</h2><p class="lede">${lede}</p>${body}</section>`

/**
 * The report as one page that needs nothing else: no script, no request. `test` is the set that the mistakes point
 * into.
 */
export function renderReport(experiment: Experiment, test: MnistDataset): string {
  const { runs } = experiment
  const trained = runs.length > 0
  const body = html`${headline(experiment)}${
    trained &&
    html`${section(
      'Errors per epoch',
      'Digits of the test set read wrong after each pass over the training set. Dashed: the lectures’ result after 15 epochs.',
      html`<figure class="card">${errorChart(experiment)}</figure>`,
    )}${section(
      'Loss',
      'Cross entropy of every training step, faint, and its running mean.',
      html`<figure class="card">${lossChart(experiment)}</figure>`,
    )}${section(
      'Confusions',
      'Rows are the digits as they are, columns as they were read.',
      html`<div class="pair">${runs.map(heatmap)}</div>`,
    )}${section(
      'Misread digits',
      'Under each digit: what it is, what the network read, and the probability it gave its answer.',
      html`${[...runs].reverse().map((r) => gallery(r, test))}`,
    )}${section(
      'What the first layer looks for',
      'Weights of the first layer: warm where ink speaks for a feature, cold where it speaks against.',
      html`${[...runs]
        .reverse()
        .filter((r) => r.filters.count > 0)
        .map(filterPictures)}`,
    )}${section(
      'Time per epoch',
      'Seconds for one pass over the training set and the test after it; beside them the median.',
      html`<figure class="card">${timeChart(experiment)}</figure>`,
    )}${section('Epochs in numbers', 'The same as above, to read off.', epochTable(experiment))}`
  }${section('How it was made', 'Run the command to get this page again.', madeWith(experiment))}`
  return `<!doctype html>
${
  html`<html lang="en"><head><meta charset="utf-8"><title>MNIST report - Tessella</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"><style>${{ markup: style }}</style></head><body><main>${body}</main></body></html>`
    .markup
}
`
}
