import { formatNumber } from '@tessella/training'
import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { axes, chart, endLabels, type Frame, frameOf, logTicks, type Size, type Tick } from '../report/chart.ts'
import { html, type Markup, px } from '../report/html.ts'

export type Point = readonly [x: number, y: number]

/** One line of a chart. */
export interface Series {
  /** Written at its right end; '' for a line that needs no name. */
  readonly name: string
  readonly tone: string
  readonly points: readonly Point[]
  readonly dots?: boolean
  readonly faint?: boolean
  readonly dashed?: boolean
  /** Points without a line between them. */
  readonly scatter?: boolean
}

export interface Axis {
  readonly name: string
  readonly log?: boolean
  /** What it covers; all points unless given. */
  readonly domain?: readonly [low: number, high: number]
  readonly ticks?: readonly number[]
  readonly format?: (value: number) => string
}

export interface LineChart {
  /** Read out where the picture is not seen. */
  readonly label: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Vertical lines with a word. */
  readonly marks?: readonly { readonly at: number; readonly text: string; readonly tone?: string }[]
}

interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly Tick[]
}

/** A tick as short as it can be written. */
export const tickText = (v: number): string =>
  Math.abs(v) >= 1e4 ? v.toLocaleString('en-US') : String(Number(v.toPrecision(6)))

function scaleOf(axis: Axis, values: readonly number[], from: number, to: number, most: number, pad: number): Scale {
  const usable = values.filter((v) => Number.isFinite(v) && (!axis.log || v > 0))
  const low = usable.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = usable.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const text = axis.format ?? tickText
  if (axis.log) {
    const [a, b] = axis.domain ?? [low / 1.12 ** pad, high * 1.12 ** pad]
    const scale = scaleLog([a, b], [from, to])
    return { at: scale, ticks: (axis.ticks ?? logTicks(a, b, most)).map((v) => ({ at: scale(v), text: text(v) })) }
  }
  const room = pad * 0.06 * (high - low || 1)
  const [a, b] = axis.domain ?? [low - room, high + room]
  const scale = scaleLinear([a, b], [from, to])
  return { at: scale, ticks: (axis.ticks ?? scale.ticks(most)).map((v) => ({ at: scale(v), text: text(v) })) }
}

const clamp = (v: number, a: number, b: number): number => Math.min(Math.max(v, Math.min(a, b)), Math.max(a, b))

function seriesOf(s: Series, x: Scale, y: Scale, frame: Frame): Markup {
  const inside = ([a, b]: Point): boolean =>
    Number.isFinite(a) && Number.isFinite(b) && Number.isFinite(x.at(a)) && Number.isFinite(y.at(b))
  // A value beyond the axis is drawn on its edge.
  const height = (b: number): number => px(clamp(y.at(b), frame.top, frame.bottom))
  const path = line<Point>(
    ([a]) => px(x.at(a)),
    ([, b]) => height(b),
  ).defined(inside)
  const looks = [s.faint && 'thin', s.dashed && 'dashed'].filter(Boolean).join(' ')
  return html`<g class="series ${s.tone} ${looks}">${!s.scatter && html`<path d="${path(s.points) ?? ''}"/>`}${
    (s.dots || s.scatter) &&
    s.points
      .filter(inside)
      .map(
        ([a, b]) =>
          html`<circle cx="${px(x.at(a))}" cy="${height(b)}" r="${s.scatter ? 2.5 : 4}"><title>${s.name}: ${formatNumber(b, 4)} at ${formatNumber(a, 4)}</title></circle>`,
      )
  }</g>`
}

/** The chart inside a frame. */
function plot(spec: LineChart, frame: Frame, xTicks: number, yTicks: number): Markup {
  const points = spec.series.flatMap((s) => s.points)
  const xs = points.map((p) => p[0])
  const x = scaleOf(spec.x, xs, frame.left, frame.right, xTicks, 0)
  const y = scaleOf(
    spec.y,
    points.map((p) => p[1]),
    frame.bottom,
    frame.top,
    yTicks,
    1,
  )
  const last = (s: Series): number => s.points.filter((p) => Number.isFinite(p[1])).at(-1)?.[1] ?? Number.NaN
  const named = spec.series.filter((s) => s.name !== '' && Number.isFinite(y.at(last(s))))
  return html`${axes(frame, { name: spec.x.name, ticks: x.ticks }, { name: spec.y.name, ticks: y.ticks })}${(
    spec.marks ?? []
  ).map(
    (m) =>
      html`<line class="reference ${m.tone ?? 'quiet'}" x1="${px(x.at(m.at))}" x2="${px(x.at(m.at))}" y1="${frame.top}" y2="${frame.bottom}"/><text class="mark" x="${px(x.at(m.at))}" y="${frame.top - 4}" text-anchor="middle">${m.text}</text>`,
  )}${spec.series.map((s) => seriesOf(s, x, y, frame))}${endLabels(
    frame,
    named.map((s) => ({ tone: s.tone, at: clamp(y.at(last(s)), frame.top, frame.bottom), text: s.name })),
  )}`
}

/** Lines over numbers, drawn for a wide page and for a phone; their names stand at their ends. */
export function lineChart(spec: LineChart, share = 1): Markup {
  const longest = Math.max(0, ...spec.series.map((s) => s.name.length))
  const end = longest === 0 ? 8 : 20 + 7.2 * longest
  return chart(
    spec.label,
    (size) =>
      plot(spec, frameOf(size, Math.min(end, size.width * 0.42)), size.width < 500 ? 5 : 10, size.width < 500 ? 5 : 7),
    share,
  )
}

const panelSize: Size = { width: 300, height: 190 }

/** A small chart, one of several that are compared. */
export const panel = (title: string, spec: LineChart): Markup =>
  html`<figure class="panel"><figcaption>${title}</figcaption><svg class="chart" viewBox="0 0 ${panelSize.width} ${panelSize.height}" role="img" aria-label="${spec.label}">${plot(spec, frameOf(panelSize, 10), 4, 4)}</svg></figure>`

/** Small charts side by side. */
export const panels = (charts: readonly Markup[]): Markup => html`<div class="panels">${charts}</div>`
