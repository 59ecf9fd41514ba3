/** One line that says what is going on, rewritten in place on a terminal and silent elsewhere. */
export interface StatusLine {
  show(text: string): void
  clear(): void
}

const redrawMs = 100

export function statusLine(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): StatusLine {
  const live = stream.isTTY === true && !environment['CI'] && environment['TERM'] !== 'dumb'
  let last = 0
  let shown = false
  const clear = (): void => {
    if (shown) stream.write('\r\x1b[K')
    shown = false
  }
  return {
    show(text) {
      const now = performance.now()
      if (!live || (shown && now - last < redrawMs)) return
      last = now
      shown = true
      stream.write(`\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    clear,
  }
}
