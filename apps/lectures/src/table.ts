import { formatNumber, formatSeconds } from '@tessella/training'
import { comparable, type Experiment, lectureErrors } from './record.ts'

/** The final table: our errors beside the lectures'. */
export function resultTable(experiment: Experiment): string {
  const { runs, testImages, epochs } = experiment
  const rows = runs.map((r) => {
    const last = r.epochs.at(-1)
    const seconds = r.epochs.reduce((a, e) => a + e.seconds, 0)
    return [
      r.title,
      String(r.parameters),
      r.complete ? String(r.epochs.length) : `${r.epochs.length} of ${epochs}`,
      last ? formatNumber(last.loss) : '-',
      last ? `${last.errors} (${((100 * last.errors) / testImages).toFixed(2)} %)` : '-',
      `${lectureErrors[r.model]}${comparable(r, experiment) ? '' : ' (15 epochs, all images)'}`,
      formatSeconds(seconds),
    ]
  })
  const head = ['network', 'parameters', 'epochs', 'loss', 'test errors', "lectures' errors", 'time']
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => (r[i] as string).length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((c, i) => c.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.map(line)].join('\n')
}
