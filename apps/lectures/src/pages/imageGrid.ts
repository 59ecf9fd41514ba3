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

/** Pictures of one size as one: rows of `columns`, with a pixel between them. Numbers from 0 to 1 are ink. */
export function mosaic(images: readonly ArrayLike<number>[], side: number, columns: number): Picture {
  const rows = Math.ceil(images.length / columns)
  const [width, height] = [columns * (side + 1) - 1, rows * (side + 1) - 1]
  const ink = new Uint8Array(width * height)
  for (const [i, image] of images.entries())
    for (let r = 0; r < side; r++)
      for (let c = 0; c < side; c++) {
        const at = (Math.floor(i / columns) * (side + 1) + r) * width + (i % columns) * (side + 1) + c
        ink[at] = Math.round(255 * Math.min(1, Math.max(0, image[r * side + c] as number)))
      }
  return { width, height, channels: 4, pixels: inkOn(ink) }
}

/** Ink that is seen on light and dark grounds. */
function inkOn(ink: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(4 * ink.length)
  for (const [i, v] of ink.entries()) {
    pixels.set([214, 84, 38], 4 * i)
    pixels[4 * i + 3] = v
  }
  return pixels
}

/** A picture over the whole width, with a word above it. */
export const wideImage = ({ title, picture }: GridImage): Markup =>
  html`<figure class="panel"><figcaption>${title}</figcaption><svg class="chart" viewBox="0 0 ${picture.width} ${picture.height}" role="img" aria-label="${title}"><image class="sharp" href="${pngUri(picture)}" width="${picture.width}" height="${picture.height}"/></svg></figure>`
