/** Calls `work` soon after it was asked for, at most once every so many milliseconds. */
export function throttled(work: () => void, milliseconds: number): () => void {
  let last = Number.NEGATIVE_INFINITY
  let waiting = false
  return () => {
    if (waiting) return
    waiting = true
    const wait = Math.max(0, last + milliseconds - performance.now())
    setTimeout(() => {
      waiting = false
      last = performance.now()
      work()
    }, wait)
  }
}
