import { formatNumber, formatSeconds } from '@tessella/training'
import { comparable, type Experiment, lectureErrors, lectureRun, type RunRecord } from '../record.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup } from './html.ts'
import { count, percent, plural } from './numbers.ts'
import { mosaicPicture } from './pictures.ts'
import { pngUri } from './png.ts'

function verdict(run: RunRecord, experiment: Experiment): Markup {
  const theirs = lectureErrors[run.model]
  if (!comparable(run, experiment))
    return html`The lectures have <b>${theirs}</b> of ${count(lectureRun.testImages)} after ${lectureRun.epochs} epochs on all ${count(lectureRun.trainImages)} images.`
  const difference = run.mistakes.length - theirs
  const words = difference === 0 ? 'as many' : `${count(Math.abs(difference))} ${difference < 0 ? 'fewer' : 'more'}`
  return html`The lectures have <b>${theirs}</b>: ${words} here.`
}

function card(run: RunRecord, experiment: Experiment): Markup {
  const { testImages } = experiment
  const errors = run.mistakes.length
  const last = run.epochs.at(-1)
  const seconds = run.epochs.reduce((sum, e) => sum + e.seconds, 0)
  const facts: readonly (readonly [string, string])[] = [
    ['before training', plural(run.initialErrors, 'error')],
    ['epochs', run.complete ? count(run.epochs.length) : `${run.epochs.length} of ${experiment.epochs}`],
    ['loss', last === undefined ? '-' : formatNumber(last.loss, 3)],
    ['time', formatSeconds(seconds)],
    ['parameters', count(run.parameters)],
    ['learning rate', String(run.rate)],
  ]
  return html`<article class="card result ${run.model}"><div><h2>${shortName(run)} <small>${run.title.replace(/^(MLP|CNN) /, '')}</small></h2><p class="big"><strong>${count(errors)}</strong> <span>${errors === 1 ? 'error' : 'errors'} in ${count(testImages)}<br>${percent(errors / testImages)}</span></p><p class="verdict">${verdict(run, experiment)}</p></div><img class="mosaic" src="${pngUri(mosaicPicture(run, experiment))}" alt="The ${count(testImages)} test images as a mosaic; its ${count(errors)} coloured tiles are the mistakes"><dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></article>`
}

/** The first thing to see: how many digits each network got wrong, and how many the lectures'. */
export function headline(experiment: Experiment): Markup {
  const { runs, testImages } = experiment
  const incomplete = runs.some((r) => !r.complete) || runs.length === 0
  return html`<header><p class="eyebrow">Tessella <span aria-hidden="true">◆</span> the lectures’ networks on MNIST</p><h1>${
    runs.length === 0
      ? 'Nothing was trained yet'
      : runs.map(
          (r, i) => html`${i > 0 && ', '}<span class="${r.model}">${shortName(r)} ${count(r.mistakes.length)}</span>`,
        )
  }${runs.length > 0 && ` wrong of ${count(testImages)}`}</h1>${
    incomplete &&
    html`<p class="notice" role="note">This run was interrupted: what follows is how far it got.${experiment.resumable && html` The same command with <code>--resume</code> goes on.`}</p>`
  }</header><div class="cards">${runs.map((r) => card(r, experiment))}</div>${
    runs.length > 0 &&
    html`<p class="caption">Each tile of a mosaic is one test image, in the order of the set; the coloured ones were read wrong.</p>`
  }`
}
