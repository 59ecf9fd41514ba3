import { formatNumber } from '@tessella/training'
import { scaleLinear } from 'd3-scale'
import { axes, chart, frameOf, type Size } from '../report/chart.ts'
import { html, type Markup, px } from '../report/html.ts'
import { tickText } from './lineChart.ts'

/** What several runs of one way gave. */
export interface Row {
  readonly name: string
  readonly tone: string
  readonly values: readonly number[]
}

/** The middle value; the mean of the middle two of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(half)] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
}

// Of the drawing for a phone, where the name stands over its line.
const rowHeight = 38

/** One line for each way: a dot for every run, the range between them, a bar and a number at the median. */
export function ranges(label: string, xName: string, rows: readonly Row[], digits = 3): Markup {
  const all = rows.flatMap((r) => r.values).filter(Number.isFinite)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const room = 0.06 * (high - low || 1)
  const names = 18 + 7.6 * Math.max(...rows.map((r) => r.name.length))
  const draw = (size: Size): Markup => {
    const narrow = size.width < 500
    const frame = { ...frameOf(size, 56), left: narrow ? 8 : names, bottom: size.height - 40 }
    const x = scaleLinear([low - room, high + room], [frame.left, frame.right])
    const ticks = x.ticks(narrow ? 4 : 8).map((v) => ({ at: x(v), text: tickText(v) }))
    const step = (frame.bottom - frame.top) / rows.length
    return html`${axes(frame, { name: xName, ticks }, { name: '', ticks: [] })}${rows.map((row, i) => {
      const y = frame.top + step * (i + (narrow ? 0.7 : 0.5))
      const finite = row.values.filter(Number.isFinite)
      const middle = median(finite)
      return html`<g class="series ${row.tone}"><text class="end" x="${narrow ? frame.left : frame.left - 12}" y="${px(narrow ? y - 13 : y)}" dy="0.33em" text-anchor="${narrow ? 'start' : 'end'}">${row.name}</text>${
        finite.length > 0 &&
        html`<path d="M${px(x(Math.min(...finite)))},${px(y)}H${px(x(Math.max(...finite)))}"/>${finite.map((v) => html`<circle cx="${px(x(v))}" cy="${px(y)}" r="3.5"><title>${row.name}: ${formatNumber(v, digits)}</title></circle>`)}<path d="M${px(x(middle))},${px(y - 9)}v18"/><text class="end" x="${frame.right + 10}" y="${px(y)}" dy="0.33em">${formatNumber(middle, digits)}</text>`
      }</g>`
    })}`
  }
  return chart(label, draw, (68 + rowHeight * rows.length) / 320)
}
