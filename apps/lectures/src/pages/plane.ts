import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import { axes, type Frame } from '../report/chart.ts'
import { html, type Markup, px } from '../report/html.ts'
import { type Picture, pngUri } from '../report/png.ts'
import { type Point, tickText } from './lineChart.ts'

/** A path through the plane; `race` lets a dot run along it, one step of the path a frame. */
export interface Path {
  readonly points: readonly Point[]
  readonly tone: string
  readonly name?: string
  readonly dashed?: boolean
  readonly dots?: boolean
  readonly race?: boolean
}

/** A square of the plane with a picture under what is drawn in it. */
export interface Plane {
  readonly label: string
  readonly title?: string
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
  readonly xName: string
  readonly yName: string
  readonly picture?: Picture
  /** Let the picture's pixels be seen: for fields with sharp edges. */
  readonly sharp?: boolean
  readonly points?: readonly {
    readonly at: Point
    readonly tone: string
    readonly text?: string
    readonly large?: boolean
  }[]
  readonly paths?: readonly Path[]
  readonly crosses?: readonly Point[]
  /** Seconds that a race takes. */
  readonly seconds?: number
}

const side = 380
const frame: Frame = {
  size: { width: side, height: side + 26 },
  left: 40,
  right: side - 8,
  top: 24,
  bottom: side - 8,
}

function runner(path: Path, x: (v: number) => number, y: (v: number) => number, seconds: number): Markup {
  const values = (f: (p: Point) => number): string => path.points.map((p) => f(p)).join(';')
  const animate = (name: string, f: (p: Point) => number): Markup =>
    html`<animate attributeName="${name}" values="${values(f)}" dur="${seconds}s" repeatCount="indefinite"/>`
  return html`<circle class="runner" r="5">${animate('cx', (p) => px(x(p[0])))}${animate('cy', (p) => px(y(p[1])))}</circle>`
}

/** The plane as a figure: the same on wide pages and phones. */
export function plane(spec: Plane): Markup {
  const x = scaleLinear([...spec.x], [frame.left, frame.right])
  const y = scaleLinear([...spec.y], [frame.bottom, frame.top])
  const inside = ([a, b]: Point): boolean => Number.isFinite(a) && Number.isFinite(b)
  const draws = line<Point>(
    (p) => px(x(p[0])),
    (p) => px(y(p[1])),
  ).defined(inside)
  const [width, height] = [frame.right - frame.left, frame.bottom - frame.top]
  const ticks = (scale: typeof x) => scale.ticks(5).map((v) => ({ at: scale(v), text: tickText(v) }))
  return html`<figure class="plane">${spec.title !== undefined && html`<figcaption>${spec.title}</figcaption>`}<svg class="chart" viewBox="0 0 ${frame.size.width} ${frame.size.height}" role="img" aria-label="${spec.label}">${axes(frame, { name: spec.xName, ticks: ticks(x) }, { name: spec.yName, ticks: ticks(y) })}<svg x="${frame.left}" y="${frame.top}" width="${width}" height="${height}" viewBox="${frame.left} ${frame.top} ${width} ${height}">${
    spec.picture !== undefined &&
    html`<image class="${spec.sharp ? 'sharp' : ''}" href="${pngUri(spec.picture)}" x="${frame.left}" y="${frame.top}" width="${width}" height="${height}" preserveAspectRatio="none"/>`
  }${(spec.crosses ?? []).map(
    ([a, b]) => html`<path class="cross" d="M${px(x(a) - 5)},${px(y(b) - 5)}l10,10m0,-10l-10,10"/>`,
  )}${(spec.points ?? []).map(
    (p) =>
      html`<circle class="point ${p.tone}" cx="${px(x(p.at[0]))}" cy="${px(y(p.at[1]))}" r="${p.large ? 7 : 4}">${p.text !== undefined && html`<title>${p.text}</title>`}</circle>`,
  )}${(spec.paths ?? []).map(
    (p) =>
      html`<g class="series ${p.tone} ${p.dashed ? 'dashed' : ''}"><path d="${draws(p.points) ?? ''}"/>${p.dots && p.points.filter(inside).map(([a, b]) => html`<circle class="step" cx="${px(x(a))}" cy="${px(y(b))}" r="2.2"/>`)}${p.race && runner(p, x, y, spec.seconds ?? 8)}</g>`,
  )}</svg></svg></figure>`
}

/** Planes side by side. */
export const planes = (list: readonly Markup[]): Markup => html`<div class="planes">${list}</div>`

/** Names and colours of what a picture shows. */
export const legend = (entries: readonly { readonly name: string; readonly tone: string }[]): Markup =>
  html`<ul class="legend">${entries.map((e) => html`<li class="${e.tone}"><i></i>${e.name}</li>`)}</ul>`
