import { formatNumber, formatSeconds } from '@tessella/training'
import type { Experiment } from '../record.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup } from './html.ts'
import { bytes, count, percent, plural } from './numbers.ts'

/** Every epoch in numbers. */
export function epochTable({ runs, testImages }: Experiment): Markup {
  const last = Math.max(0, ...runs.map((r) => r.epochs.length))
  if (last === 0) return html`<p class="none">No epoch was finished yet.</p>`
  const columns = ['loss', 'errors', 'rate', 'time']
  const rows = Array.from({ length: last }, (_, i) => i)
  return html`<div class="scroll" role="region" aria-label="Table of epochs" tabindex="0"><table class="plain"><caption class="unseen">Loss, test errors, error rate and time of each epoch</caption><thead><tr><th rowspan="2" scope="col">epoch</th>${runs.map((r) => html`<th colspan="${columns.length}" scope="colgroup" class="${r.model}">${shortName(r)}</th>`)}</tr><tr>${runs.map(() => columns.map((c, i) => html`<th scope="col" class="${i === 0 ? 'first' : ''}">${c}</th>`))}</tr></thead><tbody>${rows.map(
    (i) =>
      html`<tr><th scope="row">${i + 1}</th>${runs.map((r) => {
        const e = r.epochs[i]
        if (e === undefined) return html`<td class="first" colspan="${columns.length}">-</td>`
        return html`<td class="first">${formatNumber(e.loss)}</td><td>${count(e.errors)}</td><td>${percent(e.errors / testImages)}</td><td>${formatSeconds(e.seconds)}</td>`
      })}</tr>`,
  )}</tbody></table></div>`
}

/** How to get the same page again. */
export function madeWith(experiment: Experiment): Markup {
  const { date, command, backend, machine, seed, batch, trainImages, testImages, runs } = experiment
  const day = date.replace('T', ' ').replace(/:\d\d\.\d+Z$/, ' UTC')
  const facts: readonly (readonly [string, string | Markup])[] = [
    ['command', html`<code>${command}</code>`],
    ['date', day],
    ['backend', backend],
    ['machine', machine],
    ['seed', String(seed)],
    ['data', `MNIST, ${count(trainImages)} training and ${count(testImages)} test images, pixels / 255`],
    ['training', `SGD, batches of ${count(batch)} shuffled every epoch, softmax cross entropy, He initialisation`],
    ...runs.map((r) => {
      const kernels = r.kernels > 0 ? `${plural(r.kernels, 'kernel')}, ` : ''
      return [`${shortName(r)} step`, `${kernels}at most ${bytes(r.peakBytes)} held`] as const
    }),
  ]
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${runs.map(
    (r) =>
      html`<details><summary>${shortName(r)} layer by layer</summary><pre tabindex="0">${r.summary}</pre></details>`,
  )}`
}
