/** Middle of the sorted values, or the mean of the two middle ones. Throws on an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  if (low === undefined || high === undefined) throw new RangeError('[median] needs at least one value')
  return (low + high) / 2
}

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
}

export const summarize = (values: readonly number[]): Summary => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  runs: values.length,
})

/** Whether the last `window` values stay within `spread` of their median: warm-up is over. */
export function isSteady(values: readonly number[], window = 3, spread = 0.05): boolean {
  if (values.length < window) return false
  const last = values.slice(-window)
  const middle = median(last)
  return last.every((v) => Math.abs(v - middle) <= spread * middle)
}

/** How two results compare: `noise` when their ranges overlap or they differ by less than `least`. */
export function change(before: Summary, after: Summary, least = 0.03): 'noise' | 'more' | 'less' {
  const overlap = before.min <= after.max && after.min <= before.max
  const scale = Math.max(Math.abs(before.median), Math.abs(after.median))
  if (overlap || Math.abs(after.median - before.median) <= least * scale) return 'noise'
  return after.median > before.median ? 'more' : 'less'
}
