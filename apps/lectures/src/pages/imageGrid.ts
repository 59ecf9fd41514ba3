import { html, type Markup } from '../report/html.ts'
import { weightPicture } from '../report/pictures.ts'
import { type Picture, pngUri } from '../report/png.ts'

/** A small picture with a word under it. */
export interface GridImage {
  readonly title: string
  readonly picture: Picture
}

/** Small pictures side by side, their pixels as squares. */
export const imageGrid = (images: readonly GridImage[]): Markup =>
  html`<div class="images">${images.map(
    ({ title, picture }) =>
      html`<figure class="panel"><svg class="chart" viewBox="0 0 ${picture.width} ${picture.height}" role="img" aria-label="${title}"><image class="sharp" href="${pngUri(picture)}" width="${picture.width}" height="${picture.height}"/></svg><figcaption>${title}</figcaption></figure>`,
  )}</div>`

/** Numbers row by row as a picture, warm above zero and cold below; the largest has the full colour. */
export function signedPicture(values: ArrayLike<number>, width: number): Picture {
  const list = Array.from(values)
  return weightPicture(list, width, list.length / width, Math.max(...list.map(Math.abs)))
}
