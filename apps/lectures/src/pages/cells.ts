import { html, type Markup } from '../report/html.ts'

/** A table of numbers drawn as squares; `marked` says which are lit, `tone` in which colour. */
export interface Cells {
  readonly title: string
  readonly rows: readonly (readonly number[])[]
  readonly marked?: (row: number, column: number) => boolean
  /** Border of zeros that is not part of the input. */
  readonly pad?: number
  readonly tone?: string
}

/** A number as it is written on a slide. */
export const shown = (value: number): string =>
  Number.isInteger(value) ? String(value).replace('-', '−') : value.toFixed(2).replace('-', '−')

/** A matrix as a grid. */
export function cells({ title, rows, marked, pad = 0, tone = 't0' }: Cells): Markup {
  const outside = (r: number, c: number): boolean =>
    r < pad || c < pad || r >= rows.length - pad || c >= (rows[0]?.length ?? 0) - pad
  return html`<table class="cells ${tone}"><caption>${title}</caption><tbody>${rows.map(
    (row, r) =>
      html`<tr>${row.map((v, c) => html`<td class="${[marked?.(r, c) && 'lit', outside(r, c) && 'outside'].filter(Boolean).join(' ')}">${shown(v)}</td>`)}</tr>`,
  )}</tbody></table>`
}

/** Grids with signs between them. */
export const equation = (...parts: readonly (Markup | string)[]): Markup =>
  html`<div class="equation">${parts.map((p) => (typeof p === 'string' ? html`<span class="sign">${p}</span>` : p))}</div>`
