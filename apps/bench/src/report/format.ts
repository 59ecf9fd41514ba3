import { isPeer, lessIsBetter, type Row, type Unit } from '../contract.ts'

/** Three significant digits, without exponents; bytes in full. */
export function formatFigure(value: number, unit: Unit): string {
  if (unit === 'bytes' || unit === 'gzip bytes') return Math.round(value).toLocaleString('en')
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

/** The best peer's figure in a case, if any peer has one. */
export function bestPeer(rows: readonly Row[]): number | undefined {
  const figures = rows.flatMap((r) => (isPeer(r.system) && r.median !== undefined ? [r.median] : []))
  const unit = rows[0]?.unit
  if (figures.length === 0 || unit === undefined) return undefined
  return lessIsBetter(unit) ? Math.min(...figures) : Math.max(...figures)
}

/** How many times better than the best peer; below 1 it is worse. */
export function ratio(row: Row, rows: readonly Row[]): number | undefined {
  const peer = bestPeer(rows)
  if (peer === undefined || row.median === undefined || peer <= 0 || row.median <= 0) return undefined
  return lessIsBetter(row.unit) ? peer / row.median : row.median / peer
}

export const formatRatio = (value: number | undefined): string =>
  value === undefined ? '' : `${value >= 100 ? Math.round(value) : Number(value.toPrecision(value >= 10 ? 3 : 2))}x`

export const formatShare = (share: number | undefined): string =>
  share === undefined ? '' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
