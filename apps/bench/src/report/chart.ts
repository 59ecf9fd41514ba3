import { lessIsBetter, type Row, type SystemName } from '../contract.ts'
import { formatFigure, formatRatio, ratio } from './format.ts'
import { escapeText } from './markup.ts'

/** Which colour a system has. */
export function toneOf(system: SystemName): 'own' | 'wide' | 'gpu' | 'peer' {
  if (system === 'cpu-wide') return 'wide'
  if (system === 'wgpu') return 'gpu'
  return system === 'cpu' || system === 'reference' ? 'own' : 'peer'
}

const size = { width: 520, row: 25, bar: 13, label: 82, figures: 132 } as const

/**
 * Horizontal bars from zero, one per system that has a figure, with a thin line from the least to the greatest run.
 * The best bar fills the track; `ceiling` is drawn where it fits.
 */
export function barChart(rows: readonly Row[], ceiling: number | undefined): string {
  const drawn = rows.filter((r) => r.median !== undefined)
  const first = drawn[0]
  if (first === undefined) return ''
  const better = lessIsBetter(first.unit) ? 'less is better' : 'more is better'
  const most = Math.max(...drawn.map((r) => r.max ?? 0), 1e-12)
  // A ceiling far away would press all bars flat.
  const shown = ceiling !== undefined && ceiling <= 3 * most ? ceiling : undefined
  const scale = (size.width - size.label - size.figures) / Math.max(most, shown ?? 0)
  const x = (value: number): number => Math.round((size.label + Math.max(0, value) * scale) * 10) / 10
  const height = drawn.length * size.row + 4
  const bars = drawn.map((row, i) => {
    const middle = i * size.row + size.row / 2 + 2
    const { median = 0, min = 0, max = 0 } = row
    const times = formatRatio(ratio(row, rows))
    const note = times && toneOf(row.system) !== 'peer' ? ` <tspan class="quiet">${times}</tspan>` : ''
    return `<g class="${toneOf(row.system)}"><title>${escapeText(`${row.system}: ${formatFigure(min, row.unit)} to ${formatFigure(max, row.unit)} ${row.unit} in ${row.runs} runs, threads: ${row.threads}`)}</title>
<text x="0" y="${middle + 4}">${row.system}</text>
<rect class="track" x="${size.label}" y="${middle - size.bar / 2}" width="${size.width - size.label - size.figures}" height="${size.bar}" rx="2"/>
<rect class="bar" x="${size.label}" y="${middle - size.bar / 2}" width="${Math.max(1, x(median) - size.label)}" height="${size.bar}" rx="2"/>
<path class="range" d="M${x(min)} ${middle}H${x(max)}"/>
<text x="${size.width - size.figures + 10}" y="${middle + 4}">${formatFigure(median, row.unit)}${note}</text></g>`
  })
  const limit =
    shown === undefined ? '' : `<path class="limit" d="M${x(shown)} 0V${height}"><title>ceiling</title></path>`
  return `<svg viewBox="0 0 ${size.width} ${height}" role="img" aria-label="${escapeText(`${first.case}, ${first.unit}, ${better}`)}">${bars.join('')}${limit}</svg>`
}
