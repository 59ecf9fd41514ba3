import type { TrainingEvent } from './fit.ts'
import { bar, formatNumber, formatSeconds } from './format.ts'

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
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Shows training events to a person. `close` leaves the cursor and the line as they should be; call it in `finally`. */
export interface Progress {
  event(event: TrainingEvent): void
  close(): void
}

const redrawSeconds = 0.1

function choices(options: ProgressOptions): { live: boolean; color: boolean } {
  const env = options.environment ?? {}
  const terminal = options.stream.isTTY === true && env.TERM !== 'dumb'
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== ''
  return {
    live: options.live ?? (terminal && !env.CI),
    color: options.color ?? (forced || (!env.NO_COLOR && terminal)),
  }
}

/**
 * One live line (bar, loss, speed of the epoch, time left) on a terminal, one plain line per epoch elsewhere.
 *
 * @example
 * const shown = progress({ stream: process.stderr, environment: process.env })
 * try { for await (const e of fit(options)) shown.event(e) } finally { shown.close() }
 */
export function progress(options: ProgressOptions): Progress {
  const { stream, label = '' } = options
  const { live, color } = choices(options)
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text)
  let lastDraw = Number.NEGATIVE_INFINITY
  let drawn = false
  let durations: number[] = []
  let total = 0

  const clear = (): void => {
    if (drawn) stream.write('\r\u001b[2K')
    drawn = false
  }
  const left = (doneShare: number, seconds: number, epoch: number): string => {
    const perEpoch =
      durations.length > 0
        ? durations.reduce((a, b) => a + b, 0) / durations.length
        : doneShare > 0
          ? seconds / doneShare
          : Number.NaN
    return formatSeconds(perEpoch * (total - epoch) - seconds)
  }
  const draw = (e: Extract<TrainingEvent, { type: 'step' }>): void => {
    const now = performance.now() / 1000
    const share = e.steps > 0 ? (e.step + 1) / e.steps : 0
    if (now - lastDraw < redrawSeconds && share < 1) return
    lastDraw = now
    const text =
      `${label}epoch ${String(e.epoch + 1).padStart(String(total).length)}/${total} ${bar(share, 20)} ${e.step + 1}/${e.steps || '?'}` +
      `  loss ${formatNumber(e.loss)}  ${formatSeconds(e.seconds)}  left ${left(share, e.seconds, e.epoch)}`
    stream.write(`\r\u001b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`)
    drawn = true
  }
  const line = (e: Extract<TrainingEvent, { type: 'epoch-end' }>): void => {
    durations = [...durations, e.seconds].slice(-8)
    clear()
    const metrics = Object.entries(e.metrics)
      .map(([k, v]) => `  ${k} ${paint(1, formatNumber(v))}`)
      .join('')
    const remaining = e.epochs - e.epoch - 1
    const eta = remaining > 0 ? paint(2, `  left ${left(1, 0, e.epoch + 1)}`) : ''
    stream.write(
      `${label}epoch ${String(e.epoch + 1).padStart(String(e.epochs).length)}/${e.epochs}  loss ${formatNumber(e.loss)}${metrics}` +
        `  ${formatSeconds(e.seconds)}${eta}\n`,
    )
  }
  return {
    event(e) {
      if (e.type === 'epoch-start') total = e.epochs
      else if (e.type === 'step') {
        if (live) draw(e)
      } else if (e.type === 'epoch-end') line(e)
      else {
        clear()
        if (e.reason !== 'finished')
          stream.write(`${label}${e.reason} after ${e.epochs} epoch${e.epochs === 1 ? '' : 's'}\n`)
      }
    },
    close: clear,
  }
}
