import { scaleLinear } from 'd3-scale'
import { html, type Markup, px } from './html.ts'

/** Width and height of a drawing in its own units, which are CSS pixels when it is not scaled. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** A place on an axis and what is written there. */
export interface Tick {
  readonly at: number
  readonly text: string
}

/** The plotting area inside its margins, with ticks already in drawing units. */
export interface Frame {
  readonly size: Size
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const sizes: Readonly<Record<'wide' | 'narrow', Size>> = {
  wide: { width: 960, height: 400 },
  narrow: { width: 360, height: 320 },
}

/** The frame that leaves room for labels; `end` is the room right of the plot. */
export const frameOf = (size: Size, end: number): Frame => ({
  size,
  left: 46,
  right: size.width - end,
  top: 28,
  bottom: size.height - 40,
})

/**
 * A chart drawn twice, for a wide page and for a phone, so that its text is readable on both; CSS shows one. `share`
 * is its part of the usual height.
 */
export function chart(label: string, draw: (size: Size) => Markup, share = 1): Markup {
  const one = (kind: 'wide' | 'narrow'): Markup => {
    const size = { width: sizes[kind].width, height: Math.round(sizes[kind].height * share) }
    return html`<svg class="chart ${kind}" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${label}">${draw(size)}</svg>`
  }
  return html`${one('wide')}${one('narrow')}`
}

/** Grid lines, ticks and the names of both axes. */
export function axes(
  frame: Frame,
  x: { readonly ticks: readonly Tick[]; readonly name: string },
  y: { readonly ticks: readonly Tick[]; readonly name: string },
): Markup {
  const { left, right, top, bottom } = frame
  return html`<g class="axis">${y.ticks.map(
    ({ at, text }) =>
      html`<line class="grid" x1="${left}" x2="${right}" y1="${px(at)}" y2="${px(at)}"/><text x="${left - 8}" y="${px(at)}" dy="0.33em" text-anchor="end">${text}</text>`,
  )}<line x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>${x.ticks.map(
    ({ at, text }) =>
      html`<line x1="${px(at)}" x2="${px(at)}" y1="${bottom}" y2="${bottom + 5}"/><text x="${px(at)}" y="${bottom + 18}" text-anchor="middle">${text}</text>`,
  )}<text class="name" x="${left - 38}" y="${top - 14}">${y.name}</text><text class="name" x="${right}" y="${bottom + 34}" text-anchor="end">${x.name}</text></g>`
}

/** A name right of the plot, at the height of what it names. */
export interface EndLabel {
  /** The class that colours it: a network's name or a tone. */
  readonly tone: string
  readonly at: number
  readonly text: string
  /** For what is there to compare with. */
  readonly quiet?: boolean
}

/** Names at the right ends of lines, moved apart where they would overlap, in the order of their lines. */
export function endLabels(frame: Frame, labels: readonly EndLabel[]): Markup {
  const sorted = [...labels].sort((a, b) => a.at - b.at)
  const places = spread(
    sorted.map((l) => l.at),
    15,
    frame.bottom,
  )
  return html`${sorted.map(
    ({ tone, text, quiet }, i) =>
      html`<text class="end ${tone}${quiet ? ' quiet' : ''}" x="${frame.right + 10}" y="${px(places[i] as number)}" dy="0.33em">${text}</text>`,
  )}`
}

/** Ascending places moved as little as needed to be `gap` apart and not beyond `end`. */
export function spread(places: readonly number[], gap: number, end: number): readonly number[] {
  const out = [...places]
  for (let i = 1; i < out.length; i++) out[i] = Math.max(out[i] as number, (out[i - 1] as number) + gap)
  for (let i = out.length - 1, limit = end; i >= 0; i--, limit -= gap) out[i] = Math.min(out[i] as number, limit)
  return out
}

/** Round values for a logarithmic axis over [low, high]: as many as can be read, evenly apart where it is short. */
export function logTicks(low: number, high: number, most = 7): readonly number[] {
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  )
  const choices = [[1, 1.5, 2, 3, 4, 5, 7], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]].map((mantissas) =>
    decades.flatMap((d) => mantissas.map((m) => Number(`${m}e${d}`))).filter((v) => v >= low && v <= high),
  )
  const fits = choices.find((values) => values.length <= most) ?? (choices.at(-1) as readonly number[])
  return fits.length > 2 ? fits : scaleLinear([low, high], [0, 1]).ticks(4)
}

/** Whole numbers from `first` to `last`, thinned to at most `most`, the last one kept. */
export function wholeTicks(first: number, last: number, most: number): readonly number[] {
  const step = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000].find((s) => (last - first) / s < most) ?? last - first
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return all.filter((v) => (last - v) % step === 0)
}
