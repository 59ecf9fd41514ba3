import { formatNumber, formatSeconds } from '@tessella/training'
import { scaleBand, scaleLinear } from 'd3-scale'
import type { Experiment } from '../record.ts'
import { axes, chart, endLabels, frameOf, type Size } from './chart.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup, px } from './html.ts'

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** Seconds of every epoch, its test included, as bars beside each other. */
export function timeChart({ runs }: Experiment): Markup {
  const shown = runs.filter((r) => r.epochs.length > 0)
  if (shown.length === 0) return html`<p class="none">No epoch was finished yet.</p>`
  const last = Math.max(...shown.map((r) => r.epochs.length))
  const high = Math.max(...shown.flatMap((r) => r.epochs.map((e) => e.seconds)), 1e-3) * 1.05

  const draw = (size: Size): Markup => {
    const frame = frameOf(size, 84)
    const epochs = Array.from({ length: last }, (_, i) => i + 1)
    const x = scaleBand(epochs, [frame.left, frame.right]).padding(0.2)
    const inner = scaleBand(
      shown.map((r) => r.model),
      [0, x.bandwidth()],
    ).padding(0.08)
    const y = scaleLinear([0, high], [frame.bottom, frame.top])
    const every = Math.ceil(last / (size.width < 500 ? 8 : 16))
    return html`${axes(
      frame,
      {
        name: 'epoch',
        ticks: epochs
          .filter((v) => (last - v) % every === 0)
          .map((v) => ({ at: (x(v) ?? 0) + x.bandwidth() / 2, text: `${v}` })),
      },
      { name: 'seconds', ticks: y.ticks(4).map((v) => ({ at: y(v), text: formatNumber(v, 2) })) },
    )}${shown.map(
      (run) =>
        html`<g class="bars ${run.model}">${run.epochs.map(
          (e, i) =>
            html`<rect x="${px((x(i + 1) ?? 0) + (inner(run.model) ?? 0))}" y="${px(y(e.seconds))}" width="${px(inner.bandwidth())}" height="${px(frame.bottom - y(e.seconds))}"><title>${shortName(run)}, epoch ${i + 1}: ${formatSeconds(e.seconds)}</title></rect>`,
        )}</g>`,
    )}${endLabels(
      frame,
      shown.map((run) => {
        const seconds = median(run.epochs.map((e) => e.seconds))
        return { tone: run.model, at: y(seconds), text: `${shortName(run)} ${formatSeconds(seconds)}` }
      }),
    )}`
  }
  const told = shown.map((r) => `${shortName(r)} about ${formatSeconds(median(r.epochs.map((e) => e.seconds)))}`)
  return chart(`Time of each epoch with its test. ${told.join('; ')}.`, draw, 0.66)
}
