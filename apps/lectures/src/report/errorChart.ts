import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { type Experiment, lectureErrors, lectureRun, type RunRecord } from '../record.ts'
import { axes, chart, endLabels, frameOf, logTicks, type Size, wholeTicks } from './chart.ts'
import { html, type Markup, px } from './html.ts'
import { count, percent } from './numbers.ts'

const { testImages: lectureImages } = lectureRun

/** A network's name in charts and tables. */
export const shortName = (run: Pick<RunRecord, 'model'>): string => run.model.toUpperCase()

/** What the chart shows of an experiment. */
interface ErrorData extends Pick<Experiment, 'testImages'> {
  readonly runs: readonly Pick<RunRecord, 'model' | 'epochs'>[]
}

/**
 * Wrong answers after every epoch, both networks in one chart, with the lectures' values as dashed lines. `epochs` is where the axis
 * ends at least: for runs that are under way.
 */
export function errorChart({ runs, testImages }: ErrorData, epochs = 0): Markup {
  const shown = runs.filter((r) => r.epochs.length > 0)
  if (shown.length === 0) return html`<p class="none">No epoch was finished yet.</p>`
  const references = shown.map((r) => ({
    model: r.model,
    errors: (lectureErrors[r.model] * testImages) / lectureImages,
    text: `lectures ${testImages === lectureImages ? lectureErrors[r.model] : percent(lectureErrors[r.model] / lectureImages)}`,
  }))
  // A logarithmic axis has no place for zero.
  const height = (errors: number): number => Math.max(errors, 0.5)
  const values = [...shown.flatMap((r) => r.epochs.map((e) => height(e.errors))), ...references.map((r) => r.errors)]
  const low = Math.min(...values) * 0.88
  const high = Math.max(...values) * 1.08
  const last = Math.max(...shown.map((r) => r.epochs.length))
  const end = Math.max(2, last, epochs)

  const draw = (size: Size): Markup => {
    const frame = frameOf(size, 98)
    const x = scaleLinear([1, end], [frame.left + 10, frame.right - 4])
    const y = scaleLog([low, high], [frame.bottom, frame.top])
    const path = line<RunRecord['epochs'][number]>(
      (_, i) => px(x(i + 1)),
      (e) => px(y(height(e.errors))),
    )
    return html`${axes(
      frame,
      {
        name: 'epoch',
        ticks: wholeTicks(1, Math.max(last, epochs), size.width < 500 ? 8 : 16).map((v) => ({
          at: x(v),
          text: `${v}`,
        })),
      },
      { name: 'wrong test images', ticks: logTicks(low, high).map((v) => ({ at: y(v), text: count(v) })) },
    )}${references.map(
      (r) =>
        html`<line class="reference ${r.model}" x1="${frame.left}" x2="${frame.right}" y1="${px(y(r.errors))}" y2="${px(y(r.errors))}"/>`,
    )}${shown.map(
      (run) =>
        html`<g class="series ${run.model}"><path d="${path(run.epochs) ?? ''}"/>${run.epochs.map(
          (e, i) =>
            html`<circle cx="${px(x(i + 1))}" cy="${px(y(height(e.errors)))}" r="4"><title>${shortName(run)}, epoch ${i + 1}: ${count(e.errors)} errors</title></circle>`,
        )}</g>`,
    )}${endLabels(frame, [
      ...shown.map((run) => {
        const errors = run.epochs.at(-1)?.errors ?? 0
        return { tone: run.model, at: y(height(errors)), text: `${shortName(run)} ${count(errors)}` }
      }),
      ...references.map((r) => ({ tone: r.model, at: y(r.errors), text: r.text, quiet: true })),
    ])}`
  }
  const told = shown.map(
    (r) =>
      `${shortName(r)} from ${count(r.epochs[0]?.errors ?? 0)} to ${count(r.epochs.at(-1)?.errors ?? 0)}, lectures ${count(lectureErrors[r.model])} of ${count(lectureImages)}`,
  )
  return chart(`Wrong test images after each of ${last} epochs. ${told.join('; ')}.`, draw)
}
