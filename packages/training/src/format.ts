/** Seconds as people say them: 0.8 s, 12 s, 3:05 min, 1:02:03 h. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-'
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const s = Math.round(seconds)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)} min`
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)} h`
}

/** A number with significant digits, not decimals: 0.0000123 stays readable. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isInteger(value)) return String(value)
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6 ? value.toExponential(digits - 1) : value.toPrecision(digits)
}

/** A bar of `width` cells filled to `share` of it. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  const full = Math.floor(eighths / 8)
  const part = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] as string
  return ('█'.repeat(full) + part).padEnd(width, ' ')
}
