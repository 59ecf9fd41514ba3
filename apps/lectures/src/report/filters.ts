import { formatNumber } from '@tessella/training'
import type { RunRecord } from '../record.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup } from './html.ts'
import { weightPicture } from './pictures.ts'
import { pngUri } from './png.ts'

/** The size that nearly all weights stay under, so that a few large ones do not wash out the rest. */
function limitOf(weights: readonly number[]): number {
  const sizes = weights.map(Math.abs).sort((a, b) => a - b)
  return sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * 0.995))] ?? 1
}

/** The weights of the first layer as pictures, all on one scale of colours that is clear at zero. */
export function filterPictures(run: RunRecord): Markup {
  const { count, height, width, data } = run.filters
  const limit = limitOf(data)
  const size = height * width
  const pictures = Array.from({ length: count }, (_, i) =>
    weightPicture(data.slice(i * size, (i + 1) * size), width, height, limit),
  )
  return html`<section class="${run.model}"><h3>${shortName(run)}</h3><p class="caption">${count} ${height < 10 ? 'kernels' : 'neurons'} of ${height}×${width} weights. <span class="scale"><span>−${formatNumber(limit, 2)}</span><i></i><span>${formatNumber(limit, 2)}</span></span></p><div class="filters ${height < 10 ? 'large' : ''}">${pictures.map(
    (p, i) => html`<img src="${pngUri(p)}" width="${width}" height="${height}" alt="Filter ${i + 1}">`,
  )}</div></section>`
}
