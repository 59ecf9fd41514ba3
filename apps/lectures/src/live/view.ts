import { formatNumber, formatSeconds } from '@tessella/training'
import { errorChart } from '../report/errorChart.ts'
import { html, type Markup } from '../report/html.ts'
import { lossChart } from '../report/lossChart.ts'
import { count, percent, sureness } from '../report/numbers.ts'
import { findings } from '../report/page.ts'
import { inkPicture } from '../report/pictures.ts'
import { pngUri } from '../report/png.ts'
import type { Reading } from './protocol.ts'
import { doneRuns, isBusy, type State, speedOf, statusOf } from './state.ts'

/** The element with this id. */
export function element<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`internal: the page has no #${id}`)
  return found as E
}

function put(id: string, markup: Markup): void {
  element(id).innerHTML = markup.markup
}

/** Changes nothing where nothing changed: a reader of the screen would hear it again. */
function say(id: string, text: string): void {
  const at = element(id)
  if (at.textContent !== text) at.textContent = text
}

/** What may be pressed. */
export function showButtons({ phase, found }: State): void {
  const busy = isBusy(phase)
  element<HTMLFieldSetElement>('choices').disabled = busy
  element<HTMLButtonElement>('start').disabled = busy || found === undefined
  const pause = element<HTMLButtonElement>('pause')
  pause.disabled = phase !== 'running' && phase !== 'paused'
  pause.textContent = phase === 'paused' ? 'Go on' : 'Pause'
  element<HTMLButtonElement>('stop').disabled = !busy || phase === 'stopping'
}

/** Numbers and the sentence above them. */
export function showProgress(state: State): void {
  const { step, experiment, problem } = state
  say('status', statusOf(state))
  const speed = speedOf(state)
  element<HTMLProgressElement>('share').value = speed?.share ?? 0
  const epoch = experiment.runs.find((r) => r.model === step?.model)?.epochs.at(-1)
  const busy = isBusy(state.phase)
  say('loss-now', step === undefined ? '-' : formatNumber(step.loss, 3))
  say(
    'errors-now',
    epoch === undefined ? '-' : `${count(epoch.errors)} (${percent(epoch.errors / experiment.testImages)})`,
  )
  say('rate-now', speed === undefined ? '-' : count(Number(speed.imagesPerSecond.toPrecision(3))))
  say('left-now', speed === undefined || !busy ? '-' : `${formatSeconds(speed.secondsLeft)}`)
  const notice = element('problem')
  notice.hidden = problem === undefined
  say('problem', problem ?? '')
}

export function showCharts({ experiment, job }: State): void {
  const epochs = job?.epochs ?? 0
  const { runs } = experiment
  if (runs.some((r) => r.stepLosses.length > 0)) put('loss', lossChart(experiment, epochs))
  else put('loss', html`<p class="none">The line begins with the first step.</p>`)
  if (runs.some((r) => r.epochs.length > 0)) put('errors', errorChart(experiment, epochs))
  else put('errors', html`<p class="none">The first point comes after the first epoch.</p>`)
}

function reading({ model, probabilities }: Reading): Markup {
  const best = probabilities.indexOf(Math.max(...probabilities))
  return html`<section class="reading ${model}"><h3>${model.toUpperCase()} reads a ${best}, ${sureness(probabilities[best] ?? 0)} sure</h3><strong aria-hidden="true">${best}</strong><ol aria-hidden="true">${probabilities.map(
    (p, digit) => html`<li><i style="--share:${Math.round(100 * p)}%"></i>${digit}</li>`,
  )}</ol></section>`
}

/** A picture that the networks were shown, and what it is. */
export interface Seen {
  readonly pixels: Uint8Array
  readonly what: string
}

/** What the networks read in the picture that they were shown. */
export function showReadings({ readings, job }: State, seen: Seen | undefined): void {
  if (seen === undefined || readings.length === 0) {
    const why =
      job === undefined ? 'Train a network first: it reads what you draw from its first step on.' : 'Draw a digit.'
    put('readings', html`<p class="none">${why}</p>`)
    return
  }
  put(
    'readings',
    html`${readings.map(reading)}<p class="seen"><img src="${pngUri(inkPicture(seen.pixels, 28, 28))}" alt="">${seen.what}, 28×28 pixels.</p>`,
  )
}

/** Where the files to save are. */
export interface Links {
  readonly page: string
  readonly numbers: string
}

/** Wrong digits and the like, of the networks that are done, and the way to keep them. Nothing without `links`. */
export function showResults(state: State, links: Links | undefined): void {
  if (links === undefined) {
    put('results', html``)
    return
  }
  put(
    'results',
    html`<section class="part"><h2>Keep it</h2><p class="lede">The page and the numbers that <code>npx pnpm@12 start</code> would write of this run.</p><div class="buttons"><a class="button" id="report-html" download="report.html" href="${links.page}">Save report.html</a><a class="button" id="report-json" download="report.json" href="${links.numbers}">Save report.json</a></div></section>${findings(doneRuns(state), digitsOf(state))}`,
  )
}

/** The images of the mistakes, by their place in the test set. */
export function digitsOf({ experiment, images }: State): { at(index: number): { images: Uint8Array } } {
  const known = new Map<number, Uint8Array>()
  for (const run of experiment.runs)
    for (const [i, mistake] of run.mistakes.entries()) {
      const image = images[run.model]?.[i]
      if (image) known.set(mistake.index, image)
    }
  return { at: (index) => ({ images: known.get(index) ?? new Uint8Array(28 * 28) }) }
}
