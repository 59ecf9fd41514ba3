import { html, type Markup } from '../report/html.ts'
import { inkPicture, weightPicture } from '../report/pictures.ts'
import { type Picture, pngUri } from '../report/png.ts'

const side = 28

/** A picture with what it shows under it. */
export const tile = (title: string | Markup, picture: Picture, alt: string): Markup =>
  html`<figure class="tile"><img class="sharp ${picture.channels === 2 ? 'ink' : ''}" src="${pngUri(picture)}" width="${picture.width}" height="${picture.height}" alt="${alt}"><figcaption>${title}</figcaption></figure>`

/** Pictures side by side; `small` for many. */
export const tiles = (list: readonly Markup[], small = false): Markup =>
  html`<div class="tiles${small ? ' small' : ''}">${list}</div>`

/** One value for each pixel of a digit, from 0 (clear) to the largest (full colour). */
export function heatTiles(title: string, values: ArrayLike<number>): Markup {
  const list = Array.from(values)
  return tile(title, weightPicture(list, side, side, Math.max(...list)), title)
}

/** Values by sign, clear at 0. */
export function signTile(title: string, values: ArrayLike<number>): Markup {
  const list = Array.from(values)
  return tile(title, weightPicture(list, side, side, Math.max(...list.map(Math.abs))), title)
}

/** A digit as ink on paper. */
export const inkTile = (title: string | Markup, pixels: Uint8Array, alt: string): Markup =>
  tile(title, inkPicture(pixels, side, side), alt)
