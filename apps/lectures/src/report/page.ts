import type { Experiment } from '../record.ts'
import { epochTable, madeWith } from './details.ts'
import { document, section } from './document.ts'
import { errorChart } from './errorChart.ts'
import { filterPictures } from './filters.ts'
import { type Digits, gallery } from './gallery.ts'
import { headline } from './headline.ts'
import { heatmap } from './heatmap.ts'
import { html, type Markup } from './html.ts'
import { lossChart } from './lossChart.ts'
import { style } from './style.ts'
import { timeChart } from './timeChart.ts'

/** What networks got wrong and what they look for; for those that are trained. */
export function findings(runs: Experiment['runs'], test: Digits): Markup {
  return html`${section(
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
  )}`
}

/**
 * The report as one page that needs nothing else: no script, no request. `test` is the set that the mistakes point
 * into.
 */
export function renderReport(experiment: Experiment, test: Digits): string {
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
    )}${findings(runs, test)}${section(
      'Time per epoch',
      'Seconds for one pass over the training set and the test after it; beside them the median.',
      html`<figure class="card">${timeChart(experiment)}</figure>`,
    )}${section('Epochs in numbers', 'The same as above, to read off.', epochTable(experiment))}`
  }${section('How it was made', 'Run the command to get this page again.', madeWith(experiment))}`
  return document('MNIST report - Tessella', style, body)
}
