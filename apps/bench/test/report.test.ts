import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Report, Row } from '../src/contract.ts'
import { compareReports, ReportError, readReport } from '../src/report/compare.ts'
import { bestPeer, formatFigure, ratio } from '../src/report/format.ts'
import { renderPage } from '../src/report/page.ts'
import { caseTable } from '../src/report/table.ts'

const row = (system: Row['system'], median: number, more: Partial<Row> = {}): Row => ({
  case: 'matmul/256',
  system,
  threads: 1,
  unit: 'GFLOP/s',
  median,
  min: median * 0.99,
  max: median * 1.01,
  runs: 5,
  ...more,
})
const failed = (system: Row['system'], error: string): Row => ({
  case: 'matmul/256',
  system,
  threads: 0,
  unit: 'GFLOP/s',
  runs: 0,
  error,
})
const report = (results: Row[]): Report => ({
  machine: { processor: 'P', cores: 2, memoryBytes: 1, platform: 'linux x64', where: 'node' },
  versions: { node: 'v26' },
  date: '2026-01-02T03:04:05Z',
  command: 'npx pnpm@12 bench',
  complete: true,
  results,
})

describe('report', () => {
  it('compares with the best peer, whatever is better', () => {
    const rates = [row('cpu', 100), row('jax-js', 40), row('pytorch', 200)]
    expect(bestPeer(rates)).toBe(200)
    expect(ratio(rates[0]!, rates)).toBe(0.5)
    const times = [row('cpu', 5, { unit: 'ms' }), row('jax-js', 40, { unit: 'ms' }), row('pytorch', 10, { unit: 'ms' })]
    expect(ratio(times[0]!, times)).toBe(2)
    expect(ratio(rates[0]!, [rates[0]!])).toBeUndefined()
  })

  it('prints figures with three digits', () => {
    expect([1234.5, 12.345, 0.012345].map((x) => formatFigure(x, 'GB/s'))).toEqual(['1,235', '12.3', '0.0123'])
  })

  it('has a line for every system, errors included', () => {
    const text = caseTable([row('cpu', 100, { share: 0.9 }), row('jax-js', 40), failed('pytorch', 'no torch')])
    expect(text.split('\n')).toHaveLength(4)
    expect(text).toMatch(/cpu .*100 .*90 % .*2.5x/)
    expect(text).toMatch(/pytorch +- +no torch/)
  })

  it('makes a page that needs nothing else and escapes what it shows', () => {
    const page = renderPage(report([row('cpu', 100), failed('pytorch', '<script>alert(1)</script>')]))
    expect(page).not.toContain('<script>')
    expect(page).not.toMatch(/(src|href)="/)
    expect(page).toContain('&lt;script&gt;')
    expect(page.match(/<svg/g)).toHaveLength(1)
  })

  it('says what changed beyond noise', () => {
    const before = report([
      row('cpu', 100),
      row('jax-js', 40),
      row('pytorch', 200),
      row('ort-node', 9),
      row('cpu', 5, { case: 'startup/first-step-lenet', unit: 'ms' }),
    ])
    const after = report([
      row('cpu', 150),
      row('jax-js', 40.2),
      failed('pytorch', 'no torch'),
      row('tfjs-cpu', 1),
      row('cpu', 9, { case: 'startup/first-step-lenet', unit: 'ms' }),
    ])
    const lines = compareReports(before, after).split('\n')
    expect(lines).toHaveLength(6)
    expect(lines[0]).toMatch(/^better +matmul\/256 +cpu +100 -> 150 GFLOP\/s \(\+50 %\)/)
    expect(lines[1]).toMatch(/^worse +matmul\/256 +pytorch +now fails: no torch/)
    expect(lines[2]).toMatch(/^gone/)
    expect(lines[3]).toMatch(/^worse +startup.*5 -> 9 ms/)
    expect(lines[4]).toMatch(/^new +matmul\/256 +tfjs-cpu/)
    expect(lines[5]).toBe('1 better, 2 worse, 1 new, 1 gone, 1 within noise')
  })

  it('reads results back, and refuses other files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tessella-bench-test-'))
    const [good, bad] = [join(folder, 'good.json'), join(folder, 'bad.json')]
    await writeFile(good, JSON.stringify(report([row('cpu', 1)])))
    await writeFile(bad, '{"results": 3}')
    expect((await readReport(good)).results).toHaveLength(1)
    await expect(readReport(bad)).rejects.toThrow(ReportError)
    await expect(readReport(join(folder, 'none.json'))).rejects.toThrow(/cannot be read/)
  })
})
