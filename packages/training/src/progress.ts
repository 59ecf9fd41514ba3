import { checkOptions } from '@tessella/tensor'
import type { TrainingEvent } from './fit.ts'
import { bar, formatNumber, formatSeconds } from './format.ts'
import { secondsLeft } from './secondsLeft.ts'

/** Where progress is written; `process.stderr` fits. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface ProgressOptions {
  readonly stream: ProgressStream
  /** Redraw one line instead of printing one per epoch. Default: a terminal, no CI, TERM not 'dumb'. */
  readonly live?: boolean
  /** Colours. Default: FORCE_COLOR, then not NO_COLOR, then a terminal. */
  readonly color?: boolean
  /** Printed before every line. */
  readonly label?: string
  /** Where CI, TERM, NO_COLOR and FORCE_COLOR are looked up: `process.env`. Default empty. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Shows training events to a person. `close` leaves the cursor and the line as they should be; call it in `finally`. */
export interface Progress {
  event(event: TrainingEvent): void
  close(): void
}

type Event<T extends TrainingEvent['type']> = Extract<TrainingEvent, { type: T }>

const redrawSeconds = 0.1
/** Epochs that the time left is estimated from. */
const recent = 8

function choices(options: ProgressOptions): { readonly live: boolean; readonly color: boolean } {
  const env = options.environment ?? {}
  const terminal = options.stream.isTTY === true && env.TERM !== 'dumb'
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== ''
  return {
    live: options.live ?? (terminal && !env.CI),
    color: options.color ?? (forced || (!env.NO_COLOR && terminal)),
  }
}

/** ` 3/12`, as wide for every epoch. */
const numbered = (epoch: number, epochs: number): string =>
  `${String(epoch + 1).padStart(String(epochs).length)}/${epochs}`

/**
 * One live line (bar, loss, time of the epoch, time left) on a terminal, one plain line per epoch elsewhere.
 *
 * @example
 * const shown = progress({ stream: process.stderr, environment: process.env })
 * try { for await (const e of fit(options)) shown.event(e) } finally { shown.close() }
 */
export function progress(options: ProgressOptions): Progress {
  checkOptions('progress', options, ['stream', 'live', 'color', 'label', 'environment'])
  const { stream, label = '' } = options
  const { live, color } = choices(options)
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text)
  let lastDraw = Number.NEGATIVE_INFINITY
  let drawn = false
  let durations: readonly number[] = []
  let epochs = 0

  const clear = (): void => {
    if (drawn) stream.write('\r\u001b[2K')
    drawn = false
  }
  const draw = (e: Event<'step'>): void => {
    const now = performance.now() / 1000
    const share = e.steps > 0 ? (e.step + 1) / e.steps : 0
    if (now - lastDraw < redrawSeconds && share < 1) return
    lastDraw = now
    const left = secondsLeft({ durations, epoch: e.epoch, epochs, share, seconds: e.seconds })
    const text =
      `${label}epoch ${numbered(e.epoch, epochs)} ${bar(share, 20)} ${e.step + 1}/${e.steps || '?'}` +
      `  loss ${formatNumber(e.loss)}  ${formatSeconds(e.seconds)}  left ${formatSeconds(left)}`
    // The last column stays free: some terminals wrap when it is written.
    stream.write(`\r\u001b[2K${text.slice(0, Math.max(0, (stream.columns || 80) - 1))}`)
    drawn = true
  }
  const line = (e: Event<'epoch-end'>): void => {
    durations = [...durations, e.seconds].slice(-recent)
    clear()
    const metrics = Object.entries(e.metrics).map(([name, v]) => `  ${name} ${paint(1, formatNumber(v))}`)
    const next = { durations, epoch: e.epoch + 1, epochs: e.epochs, share: 0, seconds: 0 }
    const left = e.epoch + 1 < e.epochs ? paint(2, `  left ${formatSeconds(secondsLeft(next))}`) : ''
    stream.write(
      `${label}epoch ${numbered(e.epoch, e.epochs)}  loss ${formatNumber(e.loss)}${metrics.join('')}` +
        `  ${formatSeconds(e.seconds)}${left}\n`,
    )
  }
  const end = (e: Event<'end'>): void => {
    clear()
    if (e.reason !== 'finished')
      stream.write(`${label}${e.reason} after ${e.epochs} epoch${e.epochs === 1 ? '' : 's'}\n`)
  }
  return {
    event(e) {
      if (e.type === 'epoch-start') epochs = e.epochs
      else if (e.type === 'step') {
        if (live) draw(e)
      } else if (e.type === 'epoch-end') line(e)
      else end(e)
    },
    close: clear,
  }
}
