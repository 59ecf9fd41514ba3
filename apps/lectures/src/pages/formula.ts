import temml from 'temml'
import { html, type Markup } from '../report/html.ts'

/** A formula in TeX as MathML, which browsers draw themselves. Throws on TeX that cannot be read. */
export const math = (tex: string): Markup => ({ markup: temml.renderToString(tex, { throwOnError: true, xml: false }) })

/** Formulas one below the other, each with a word on it. */
export const formulas = (...rows: readonly (readonly [tex: string, word: string])[]): Markup =>
  html`<div class="card formulas">${rows.map(
    ([tex, word]) =>
      html`<div>${{ markup: temml.renderToString(tex, { displayMode: true, throwOnError: true, xml: false }) }}<p>${word}</p></div>`,
  )}</div>`
