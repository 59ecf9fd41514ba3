import temml from 'temml'
import { html, type Markup } from '../report/html.ts'

/** Formulas in TeX one below the other, each with a word on it, as MathML, which browsers draw themselves. Throws on TeX that cannot be read. */
export const formulas = (...rows: readonly (readonly [tex: string, word: string])[]): Markup =>
  html`<div class="card formulas">${rows.map(
    ([tex, word]) =>
      html`<div><span class="tex">${{ markup: temml.renderToString(tex, { displayMode: true, throwOnError: true, xml: false }) }}</span><p>${word}</p></div>`,
  )}</div>`
