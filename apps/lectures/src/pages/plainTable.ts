import { html, type Markup } from '../report/html.ts'

/** A table of text: a head and rows, the first column names the row. */
export const plainTable = (
  label: string,
  head: readonly string[],
  rows: readonly (readonly (string | Markup)[])[],
): Markup =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table class="plain"><caption class="unseen">${label}</caption><thead><tr>${head.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead><tbody>${rows.map(
    ([first = '', ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((v) => html`<td>${v}</td>`)}</tr>`,
  )}</tbody></table></div>`
