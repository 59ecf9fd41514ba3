import { readFile } from 'node:fs/promises'
import { lessIsBetter, type Report, type Row } from '../contract.ts'
import { change, type Summary } from '../measure/statistics.ts'
import { formatFigure } from './format.ts'

/** A file that is not the results of a benchmark. */
export class ReportError extends Error {
  override readonly name = 'ReportError'
}

const isRow = (x: unknown): boolean => {
  if (typeof x !== 'object' || x === null) return false
  const { case: name, system, unit } = x as Record<string, unknown>
  return typeof name === 'string' && typeof system === 'string' && typeof unit === 'string'
}

/** Reads what `--json` wrote. Throws {@link ReportError}. */
export async function readReport(path: string): Promise<Report> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new ReportError(`${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  const { machine, versions, results } = (value ?? {}) as Record<string, unknown>
  if (!machine || !versions || !Array.isArray(results) || !results.every(isRow))
    throw new ReportError(`${path} does not hold results: name a file that bench --json wrote`)
  return value as Report
}

const summaryOf = (row: Row): Summary | undefined =>
  row.median === undefined || row.min === undefined || row.max === undefined
    ? undefined
    : { median: row.median, min: row.min, max: row.max, runs: row.runs }

function describe(before: Row | undefined, after: Row | undefined): { text: string; kind: Kind } | undefined {
  if (!before && !after) return undefined
  if (!after) return { text: 'no longer measured', kind: 'gone' }
  if (!before) return { text: 'new', kind: 'new' }
  const [a, b] = [summaryOf(before), summaryOf(after)]
  if (!a && !b) return undefined
  if (!b) return { text: `now fails: ${after.error}`, kind: 'worse' }
  if (!a) return { text: `works now: ${formatFigure(b.median, after.unit)} ${after.unit}`, kind: 'better' }
  const direction = change(a, b)
  if (direction === 'noise') return undefined
  const better = (direction === 'more') !== lessIsBetter(after.unit)
  const percent =
    a.median === 0 ? '' : ` (${direction === 'more' ? '+' : ''}${((b.median / a.median - 1) * 100).toFixed(0)} %)`
  const figures = `${formatFigure(a.median, after.unit)} -> ${formatFigure(b.median, after.unit)} ${after.unit}`
  return { text: `${figures}${percent}`, kind: better ? 'better' : 'worse' }
}

type Kind = 'better' | 'worse' | 'new' | 'gone'

/** What changed beyond noise: the ranges of the two results do not overlap, and the medians differ by more than 3 %. */
export function compareReports(before: Report, after: Report): string {
  const key = (r: Row): string => `${r.case}\n${r.system}`
  const [old, now] = [before, after].map((report) => new Map(report.results.map((r) => [key(r), r])))
  const lines: string[] = []
  const counts: Record<Kind, number> = { better: 0, worse: 0, new: 0, gone: 0 }
  const keys = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])
  for (const k of keys) {
    const found = describe(old?.get(k), now?.get(k))
    if (!found) continue
    counts[found.kind]++
    const [name = '', system = ''] = k.split('\n')
    lines.push(`${found.kind.padEnd(6)}  ${name.padEnd(30)}  ${system.padEnd(10)}  ${found.text}`)
  }
  if (before.machine.processor !== after.machine.processor || before.machine.cores !== after.machine.cores)
    lines.push('The machines differ: only ratios to peers can be compared.')
  const unchanged = keys.size - Object.values(counts).reduce((a, b) => a + b, 0)
  lines.push(
    `${counts.better} better, ${counts.worse} worse, ${counts.new} new, ${counts.gone} gone, ${unchanged} within noise`,
  )
  return lines.join('\n')
}
