import { type Pad, pad } from './pad.ts'
import type { News, Order } from './protocol.ts'
import type { Seen } from './view.ts'

/** Drawings on their way to the networks: one at a time, and then the newest. */
export interface Reading {
  readonly pad: Pad
  /** What the networks are shown. */
  readonly seen: Seen | undefined
  /** Shows it again, to networks that have learned more. */
  again(): void
  hear(news: Extract<News, { kind: 'readings' }>): void
  /** The answer that is waited for will not come. */
  giveUp(): void
}

/** Reads what is drawn on a canvas; `cleared` is called when nothing is left of it. */
export function reading(canvas: HTMLCanvasElement, order: (order: Order) => void, cleared: () => void): Reading {
  let seen: Seen | undefined
  let waits = false
  let next: Uint8Array | undefined

  const ask = (pixels: Uint8Array): void => {
    if (waits) next = pixels
    else order({ kind: 'read', pixels })
    waits = true
  }
  const paper = pad(canvas, (pixels) => {
    seen = pixels && { pixels, what: 'What the networks see' }
    next = undefined
    if (pixels === undefined) cleared()
    else ask(pixels)
  })
  return {
    pad: paper,
    get seen() {
      return seen
    },
    again() {
      if (seen !== undefined) ask(seen.pixels)
    },
    hear({ picked }) {
      if (picked) {
        seen = { pixels: picked.pixels, what: `Test image ${picked.index}, a ${picked.label}` }
        paper.show(seen.pixels)
        return
      }
      waits = false
      const newest = next
      next = undefined
      if (newest) ask(newest)
    },
    giveUp() {
      waits = false
    },
  }
}
