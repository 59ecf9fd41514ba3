import type { Row } from '../contract.ts'
import { formatFigure, formatRatio, formatShare, ratio } from './format.ts'

const widths = { system: 10, median: 11, range: 21, threads: 7, share: 10 } as const

const header = [
  'system'.padEnd(widths.system),
  'median'.padStart(widths.median),
  'min - max'.padStart(widths.range),
  'threads'.padStart(widths.threads),
  'of ceiling'.padStart(widths.share),
  'to best peer'.padStart(12),
].join('  ')

function line(row: Row, rows: readonly Row[]): string {
  const name = row.system.padEnd(widths.system)
  if (row.median === undefined) return `  ${name}  ${'-'.padStart(widths.median)}  ${row.error ?? ''}`.trimEnd()
  const format = (x: number | undefined): string => (x === undefined ? '' : formatFigure(x, row.unit))
  const cells = [
    name,
    format(row.median).padStart(widths.median),
    `${format(row.min)} - ${format(row.max)}`.padStart(widths.range),
    String(row.threads).padStart(widths.threads),
    formatShare(row.share).padStart(widths.share),
    formatRatio(ratio(row, rows)).padStart(12),
  ]
  return `  ${cells.join('  ')}`.trimEnd()
}

/** A finished case as text: one line per system. */
export const caseTable = (rows: readonly Row[]): string => {
  const first = rows[0]
  return first ? [`${first.case} (${first.unit})`, ...rows.map((row) => line(row, rows))].join('\n') : ''
}

/** All cases, grouped, under one header. */
export function resultTable(results: readonly Row[]): string {
  const names = [...new Set(results.map((r) => r.case))]
  const tables = names.map((name) => caseTable(results.filter((r) => r.case === name)))
  return [`  ${header}`, ...tables].join('\n')
}
