import type { RunRecord } from '../record.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup } from './html.ts'
import { count, sureness } from './numbers.ts'
import { inkPicture } from './pictures.ts'
import { pngUri } from './png.ts'

const side = 28
/** Where the images of mistakes come from: a data set, or a part of one. */
export interface Digits {
  at(index: number): { readonly images: Uint8Array }
}

/** More would make the page heavy; the lectures' networks make fewer. */
const mostShown = 300

/** The digits that a network got wrong, the surest mistakes first, each with what it is and what it was read as. */
export function gallery(run: RunRecord, test: Digits): Markup {
  const shown = run.mistakes.slice(0, mostShown)
  const all = run.mistakes.length
  const lede =
    all === 0
      ? 'No mistake at all.'
      : all > shown.length
        ? `The ${count(shown.length)} of ${count(all)} mistakes that it was surest of, the surest first.`
        : `All ${count(all)} mistakes, the surest first.`
  return html`<section class="${run.model}"><h3>${shortName(run)}</h3><p class="caption">${lede}</p><ol class="digits">${shown.map(
    (m) =>
      html`<li title="Test image ${m.index}: a ${m.label}, read as ${m.predicted} with probability ${sureness(m.confidence)}"><img src="${pngUri(inkPicture(test.at(m.index).images, side, side))}" width="${2 * side}" height="${2 * side}" alt="Test image ${m.index}"><span class="said"><b>${m.label}</b><span class="unseen"> read as </span><span aria-hidden="true">→</span><em>${m.predicted}</em></span><small>${sureness(m.confidence)}</small></li>`,
  )}</ol></section>`
}
