import { html, type Markup } from '../report/html.ts'

/** Numbers on a grid, the darker the larger; the least is marked. */
export interface HeatTable {
  readonly label: string
  readonly rowName: string
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  readonly values: readonly (readonly number[])[]
  readonly format: (value: number) => string
}

/** The grid as a table. */
export function heatTable({ label, rowName, rows, columns, values, format }: HeatTable): Markup {
  const all = values.flat()
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const cell = (v: number): Markup => {
    const share = 0.75 * ((v - low) / (high - low || 1))
    return html`<td class="${v === low ? 'least' : share > 0.6 ? 'strong' : 'weak'}" style="--share:${Math.round(100 * share)}%">${format(v)}</td>`
  }
  return html`<table class="heat grid"><caption>${label}</caption><thead><tr><th scope="col">${rowName}</th>${columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead><tbody>${rows.map(
    (name, i) => html`<tr><th scope="row">${name}</th>${values[i]?.map(cell)}</tr>`,
  )}</tbody></table>`
}
