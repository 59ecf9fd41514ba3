import type { RunRecord } from '../record.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup } from './html.ts'

interface Confusion {
  readonly label: number
  readonly predicted: number
  readonly times: number
}

/** The confusions that happened most, the most frequent first. */
export function worstConfusions(confusion: RunRecord['confusion'], most: number): readonly Confusion[] {
  return confusion
    .flatMap((row, label) => row.map((times, predicted) => ({ label, predicted, times })))
    .filter((c) => c.label !== c.predicted && c.times > 0)
    .sort((a, b) => b.times - a.times)
    .slice(0, most)
}

function cell(times: number, label: number, predicted: number, most: number): Markup {
  if (label === predicted) return html`<td class="right">${times}</td>`
  if (times === 0) return html`<td class="zero">0</td>`
  // The root keeps single confusions visible beside frequent ones.
  const share = Math.sqrt(times / most)
  return html`<td class="${share > 0.6 ? 'strong' : 'weak'}" style="--share:${Math.round(100 * share)}%" title="${label} read as ${predicted}: ${times} times">${times}</td>`
}

/** The confusion matrix as a table that is a heat map: rows are what the digits are, columns what they were read as. */
export function heatmap(run: RunRecord): Markup {
  const { confusion } = run
  const worst = worstConfusions(confusion, 3)
  const most = worst[0]?.times ?? 1
  return html`<figure class="card ${run.model}"><table class="heat"><caption>${shortName(run)}: what each digit was read as</caption><thead><tr><th scope="col"><span class="unseen">digit</span></th>${confusion.map((_, i) => html`<th scope="col">${i}</th>`)}<th scope="col" class="sum">wrong</th></tr></thead><tbody>${confusion.map(
    (row, label) =>
      html`<tr><th scope="row">${label}</th>${row.map((times, predicted) => cell(times, label, predicted, most))}<td class="sum">${row.reduce((a, b) => a + b, 0) - (row[label] ?? 0)}</td></tr>`,
  )}</tbody></table>${
    worst.length > 0 &&
    html`<figcaption>Most often: ${worst.map((w, i) => html`${i > 0 && ', '}${w.label} read as ${w.predicted} <b>${w.times}×</b>`)}.</figcaption>`
  }</figure>`
}
