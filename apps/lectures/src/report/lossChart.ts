import { formatNumber } from '@tessella/training'
import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import type { Experiment, RunRecord } from '../record.ts'
import { axes, chart, endLabels, frameOf, logTicks, type Size, wholeTicks } from './chart.ts'
import { shortName } from './errorChart.ts'
import { html, type Markup, px } from './html.ts'

type Point = readonly [step: number, loss: number]

/** A logarithmic axis has no place for zero. */
const leastLoss = 1e-12

/**
 * The geometric mean around every step. The window shrinks at the start, where the loss falls fast, and is cut off at
 * the end, where it is level.
 */
export function smooth(losses: readonly number[], radius: number): readonly number[] {
  const sums = [0]
  for (const l of losses) sums.push((sums.at(-1) as number) + Math.log(Math.max(l, leastLoss)))
  return losses.map((_, i) => {
    const from = i - Math.min(radius, i)
    const to = Math.min(i + Math.min(radius, i), losses.length - 1) + 1
    return Math.exp(((sums[to] as number) - (sums[from] as number)) / (to - from))
  })
}

/** The lowest and highest point of every stretch: thinner, with the same outline. */
export function thin(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points
  const stretch = Math.ceil((2 * points.length) / most)
  const kept: Point[] = []
  for (let i = 0; i < points.length; i += stretch) {
    const part = points.slice(i, i + stretch)
    const low = part.reduce((a, b) => (b[1] < a[1] ? b : a))
    const high = part.reduce((a, b) => (b[1] > a[1] ? b : a))
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]))
  }
  return kept
}

/** What the chart shows of an experiment. */
interface LossData extends Pick<Experiment, 'trainImages' | 'batch'> {
  readonly runs: readonly Pick<RunRecord, 'model' | 'stepLosses'>[]
}

/**
 * The loss of every step, faint, with a smooth line over it; logarithmic, because it falls by orders of magnitude. `planned` is where the
 * axis ends at least, in epochs: for runs that are under way.
 */
export function lossChart({ runs, trainImages, batch }: LossData, planned = 0): Markup {
  const shown = runs
    .filter((r) => r.stepLosses.length > 0)
    .map((run) => {
      const losses = run.stepLosses.map((l) => Math.max(l, leastLoss))
      const means = smooth(losses, Math.max(1, Math.round(losses.length / 90)))
      return { run, losses, means, last: means.at(-1) as number }
    })
  if (shown.length === 0) return html`<p class="none">No step was finished yet.</p>`
  const extreme = (pick: (...values: number[]) => number): number =>
    pick(...shown.map((s) => s.losses.reduce((a, b) => pick(a, b))))
  const low = extreme(Math.min) * 0.9
  const high = extreme(Math.max) * 1.1
  const perEpoch = Math.max(1, Math.ceil(trainImages / batch))
  const done = Math.max(...shown.map((s) => s.losses.length))
  const steps = Math.max(2, done, planned * perEpoch)
  const epochs = Math.ceil(steps / perEpoch)

  const draw = (size: Size): Markup => {
    const frame = frameOf(size, 84)
    const x = scaleLinear([0, Math.max(steps - 1, 1)], [frame.left, frame.right])
    const y = scaleLog([low, high], [frame.bottom, frame.top])
    const draws = line<Point>(
      ([step]) => px(x(step)),
      ([, loss]) => px(y(loss)),
    )
    const path = (losses: readonly number[]): string =>
      draws(
        thin(
          losses.map((loss, step) => [step, loss]),
          size.width,
        ),
      ) ?? ''
    const ticks = wholeTicks(0, epochs, size.width < 500 ? 8 : 16).filter((v) => v * perEpoch <= steps)
    return html`${axes(
      frame,
      { name: 'epoch', ticks: ticks.map((v) => ({ at: x(Math.min(v * perEpoch, steps - 1)), text: `${v}` })) },
      {
        name: 'loss of each step',
        ticks: logTicks(low, high).map((v) => ({ at: y(v), text: String(v) })),
      },
    )}${shown.map((s) => html`<path class="raw ${s.run.model}" d="${path(s.losses)}"/>`)}${shown.map(
      (s) => html`<g class="series ${s.run.model}"><path d="${path(s.means)}"/></g>`,
    )}${endLabels(
      frame,
      shown.map((s) => ({
        tone: s.run.model,
        at: y(s.last),
        text: `${shortName(s.run)} ${formatNumber(s.last, 2)}`,
      })),
    )}`
  }
  const told = shown.map(
    (s) => `${shortName(s.run)} from ${formatNumber(s.losses[0] as number, 3)} to about ${formatNumber(s.last, 2)}`,
  )
  return chart(`Cross entropy of each of ${done} training steps. ${told.join('; ')}.`, draw)
}
